"""Tools for those who write claims."""
