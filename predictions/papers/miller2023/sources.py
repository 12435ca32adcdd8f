"""Miller, O'Neill and Bui 2023, what followed it, and the linear estimators they lean on: grokking beyond networks."""

from __future__ import annotations

from grokscape.predictions import Source

MILLER_2023 = Source(
    key="miller2023",
    title="Grokking beyond neural networks: an empirical exploration with model complexity",
    authors="Miller, O'Neill, Bui",
    arxiv="2310.17247",
)
MILLER_2024 = Source(
    key="miller2024",
    title="Measuring sharpness in grokking",
    authors="Miller, Gleeson, O'Neill, Bui, Levi",
    arxiv="2402.08946",
)
LEVI_2023 = Source(
    key="levi2023",
    title="Grokking in linear estimators: a solvable model that groks without understanding",
    authors="Levi, Beck, Bar-Sinai",
    arxiv="2310.16441",
)
COMPLEXITY = "model complexity"
CALIBRATION = tuple(range(20))
#: Decided by medians over many cheap runs.
TWENTY = tuple(range(100, 120))
#: Decided by means, or costly.
TEN = tuple(range(100, 110))
