"""Seeds by custom."""

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.predictions import calibration, judging


def test_judging_begins_where_calibration_may_not_go():
    assert judging(3) == (100, 101, 102)
    assert judging(2, first=130) == (130, 131)
    assert calibration(3) == (0, 1, 2)
    assert not set(calibration(100)) & set(judging(100))


@pytest.mark.parametrize(
    ("seeds", "message"),
    [
        (lambda: judging(0), r"judging\(0, first=100\).*at least 1 seed"),
        (lambda: judging(10, first=50), r"first=50\).*from 100 on"),
        (lambda: calibration(101), r"calibration\(101\): from 1 to 100"),
        (lambda: calibration(0), r"calibration\(0\)"),
    ],
)
def test_seeds_of_the_other_kind_are_refused(seeds, message):
    with pytest.raises(InvalidInput, match=message):
        seeds()
