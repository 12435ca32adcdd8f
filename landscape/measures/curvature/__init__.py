"""Curvature of the loss: its operator, largest eigenvalues, trace and spectral density."""
