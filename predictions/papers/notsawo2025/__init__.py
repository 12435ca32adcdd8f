"""Tikeng Notsawo et al. 2025."""
