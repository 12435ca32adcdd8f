"""Kumar et al. 2023."""
