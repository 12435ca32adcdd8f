"""Evidence in a compact form: what seeds have in common is written once, and numbers stand in arrays.

Most seeds of a claim were measured in the same way: the same quantities at the same levels, in the same order. That
order is a form. It refers to lists of levels, and each seed is its form, its values and the places of those that are
censored. Nothing is rounded, and the rows come back in their order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from grokscape.predictions.evidence import Observation, Observations, Rows


def packed(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return rows of evidence in compact form.

    Returns
    -------
    dict
        ``quantities``: names. ``levels``: lists of levels, null for none. ``forms``: each a list of pairs (place of a
        quantity, place of a list of levels). ``arms``: in order, each with its name (``arm``), ``seeds``, the ``forms``
        and ``values`` of each seed, and (if there are any) ``censored``: seed's place -> places of values.
    """
    quantities: dict[str, int] = {}
    levels: dict[tuple[Any, ...], int] = {}
    forms: dict[tuple[tuple[int, int], ...], int] = {}
    arms: list[dict[str, Any]] = []
    for (arm, seed), group in itertools.groupby(rows, key=lambda row: (row["arm"], row["seed"])):
        block = list(group)
        form = []
        for quantity, inner in itertools.groupby(block, key=lambda row: row["quantity"]):
            at = tuple(_short(row["at"]) for row in inner)
            form.append((quantities.setdefault(quantity, len(quantities)), levels.setdefault(at, len(levels))))
        if not arms or arms[-1]["arm"] != arm:
            arms.append({"arm": arm, "seeds": [], "forms": [], "values": [], "censored": {}})
        here = arms[-1]
        censored = [place for place, row in enumerate(block) if row["censored"]]
        if censored:
            here["censored"][str(len(here["seeds"]))] = censored
        here["seeds"].append(seed)
        here["forms"].append(forms.setdefault(tuple(form), len(forms)))
        here["values"].append([_short(row["value"]) for row in block])
    for here in arms:
        if not here["censored"]:
            del here["censored"]
    return {
        "quantities": list(quantities),
        "levels": [list(at) for at in levels],
        "forms": [[list(pair) for pair in form] for form in forms],
        "arms": arms,
    }


def unpacked(data: Mapping[str, Any]) -> Rows:
    """Return the rows that `packed` was given, kept in columns.

    Raises
    ------
    ValueError
        If a part is missing, of another form, or does not fit the others.
    """
    try:
        return Rows(Observations(_observations(data)))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"its evidence does not fit together ({type(error).__name__}: {error!s:.80})") from None


def _observations(data: Mapping[str, Any]) -> Iterator[Observation]:
    quantities, levels = data["quantities"], data["levels"]
    lengths = [sum(len(levels[_place(at)]) for _, at in form) for form in data["forms"]]
    for here in data["arms"]:
        arm, censored = _text(here["arm"]), here.get("censored", {})
        seeds = here["seeds"]
        if not len(seeds) == len(here["forms"]) == len(here["values"]):
            raise IndexError(f"{len(seeds)} seeds of arm {arm!r:.40}, another number of forms or values")
        for place, (seed, form, values) in enumerate(zip(seeds, here["forms"], here["values"], strict=True)):
            if len(values) != lengths[_place(form)]:
                raise IndexError(f"{len(values)} values of a seed of arm {arm!r:.40}, expected {lengths[form]}")
            bounds = set(censored.get(str(place), ()))
            rows = ((_text(quantities[_place(q)]), at) for q, which in data["forms"][form] for at in levels[which])
            for index, ((quantity, at), value) in enumerate(zip(rows, values, strict=True)):
                number = math.nan if value is None else _number(value)
                level = None if at is None else _number(at)
                yield Observation(quantity, number, level, index in bounds, arm, _whole(seed))


def _short(value: float | None) -> float | int | None:
    """Return a number such that JSON writes it as short as it can: 3 for 3.0."""
    if value is None or isinstance(value, int) or not value.is_integer() or abs(value) >= 2**53 or str(value) == "-0.0":
        return value
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{value!r:.40} is no number")
    return float(value)


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{value!r:.40} is no whole number")
    return value


def _place(value: Any) -> int:
    if _whole(value) < 0:
        raise IndexError(f"there is no place {value}")
    return _whole(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.40} is no text")
    return value
