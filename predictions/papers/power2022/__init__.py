"""Power et al. 2022."""
