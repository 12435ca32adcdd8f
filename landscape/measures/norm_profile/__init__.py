"""Loss minimised at each weight norm."""
