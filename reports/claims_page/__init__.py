"""The page on claims and their verdicts."""
