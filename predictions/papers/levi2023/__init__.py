"""Levi et al. 2023."""
