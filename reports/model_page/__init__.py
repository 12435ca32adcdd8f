"""The page on a model of the user's own."""
