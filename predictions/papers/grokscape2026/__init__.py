"""Claims of this project."""
