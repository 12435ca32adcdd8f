"""Forms of sharpness, side by side."""
