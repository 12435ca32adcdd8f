"""How fast Grokscape trains and measures beside what a user would otherwise run: ``python -m tests.benchmark``."""
