"""Curves and what they say (a crossing, a critical size, a transition): numpy and scipy alone."""
