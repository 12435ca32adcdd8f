"""What a weight norm buys, and what a loss or a function costs in weight norm."""
