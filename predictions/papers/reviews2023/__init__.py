"""The reviewers of Varma et al. 2023."""
