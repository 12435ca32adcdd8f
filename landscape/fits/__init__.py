"""Fits to curves (a crossing, a critical size, a transition): numpy and scipy alone."""
