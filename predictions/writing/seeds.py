"""Seeds by custom: calibration takes those from 0 on, judging those from 100 on, so that the two never meet."""

from __future__ import annotations

from grokscape.landscape.errors import InvalidInput

#: Calibration keeps below, so that a claim is judged on what nobody has seen.
FIRST_JUDGED = 100


def judging(n: int, first: int = FIRST_JUDGED) -> tuple[int, ...]:
    """Return `n` seeds on which a claim is judged.

    Parameters
    ----------
    n : int
    first : int
        Later than 100 where a claim is judged again, on seeds that nobody has seen, or shares the runs of one that is.

    Raises
    ------
    InvalidInput
        If `n` is below 1, or `first` is a seed of calibration.
    """
    if n < 1 or first < FIRST_JUDGED:
        raise InvalidInput(
            f"judging({n}, first={first}): a claim is judged on at least 1 seed, from {FIRST_JUDGED} on; those below "
            "are for calibration"
        )
    return tuple(range(first, first + n))


def calibration(n: int) -> tuple[int, ...]:
    """Return `n` seeds on which thresholds are set, before a claim is judged.

    Raises
    ------
    InvalidInput
        If `n` is not from 1 to 100.
    """
    if not 1 <= n <= FIRST_JUDGED:
        raise InvalidInput(f"calibration({n}): from 1 to {FIRST_JUDGED} seeds; judging begins at {FIRST_JUDGED}")
    return tuple(range(n))
