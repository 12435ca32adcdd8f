"""Progress measures: numbers that theories name as the direction from memorising to generalising."""
