"""Slices of the landscape, and paths between networks."""
