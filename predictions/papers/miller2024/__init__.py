"""Miller et al. 2024."""
