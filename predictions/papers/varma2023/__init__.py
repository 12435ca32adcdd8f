"""Varma et al. 2023."""
