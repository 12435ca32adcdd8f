"""Miller et al. 2023: the gap of a network on parity, on made-up transitions."""

from __future__ import annotations

from grokscape.predictions.papers.miller2023.parity import parity_gap_grows
from grokscape.predictions.verdict import Status
from tests.predictions.made_up.courses import verdict
from tests.predictions.papers.miller2023.test_parity_setup import made_up


def test_a_gap_that_grows_by_a_factor_with_every_bit() -> None:
    found = verdict(parity_gap_grows, made_up(stretched=True))
    assert found.status is Status.PASS, found.reason


def test_a_gap_that_stays() -> None:
    assert verdict(parity_gap_grows, made_up(stretched=True, growth=0.0)).status is Status.FAIL
