"""Miller et al. 2023."""
