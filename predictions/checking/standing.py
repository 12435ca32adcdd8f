"""How published results stand to the claims of today: whether they are there, current, stale, and amended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from grokscape.landscape.printable import error_text
from grokscape.predictions.checking.frozen import first_runs, frozen_hash, run_hash
from grokscape.predictions.checking.published import Published
from grokscape.predictions.checking.verdict_files import UNJUDGED
from grokscape.predictions.prediction import Prediction


def stale(claim: Prediction, entry: Published) -> str:
    """Return why a published verdict does not stand for the claim as it is now, as a sentence; "" if it does."""
    if entry.status in UNJUDGED:
        return ""
    when = f"since {entry.date}" if entry.date else "since it was published"
    if frozen_hash(claim, entry.tier) != entry.frozen:
        return f"Stale: {when} its criteria, gates, controls, seeds or setting have changed."
    try:
        asked = first_runs(claim, entry.tier) if entry.tier in claim.tiers else {}
    except Exception as error:  # a claim is somebody's code
        return f"Perhaps stale: the runs that it asks for now cannot be told ({error_text(error)})."
    return "" if run_hash(asked) == entry.first_runs else f"Stale: {when} the runs that it asks for have changed."


def unpublished(claims: Iterable[Prediction], entries: Iterable[Published], new: Collection[str]) -> list[str]:
    """Return a sentence about each claim that has neither a published verdict nor the mark of a new one, or both.

    And about each published verdict on what is no claim: publishing another claim of its source leaves out those that
    are retired.

    Where nothing at all is published, every claim is new.
    """
    entries = list(entries)
    if not entries:
        return []
    known = {claim.id for claim in claims}
    judged = {entry.id for entry in entries if entry.status not in UNJUDGED}
    gone = sorted({entry.id for entry in entries} - known)
    return [
        *(f"{id} is published, and no claim is called so; retire it, and publish a claim of its source" for id in gone),
        *(
            f"{id} has no published verdict; check it with --publish, or mark it as new in new_claims.py"
            for id in sorted(known - judged - set(new))
        ),
        *(f"{id} is marked as new, and has a published verdict; take it out of new_claims.py"
          for id in sorted(judged & set(new))),
        *(f"{id} is marked as new, and no claim is called so; take it out of new_claims.py"
          for id in sorted(set(new) - known)),
    ]  # fmt: skip


def unamended(claims: Mapping[str, Prediction], entries: Iterable[Published]) -> list[str]:
    """Return a sentence about each published claim that was changed without an `Amendment` since.

    An amendment counts if the published claim did not have it, and its date is that of publication or a later one.
    """
    found: dict[str, list[str]] = defaultdict(list)
    for entry in entries:
        claim = claims.get(entry.id)
        if claim is None or entry.status in UNJUDGED or frozen_hash(claim, entry.tier) == entry.frozen:
            continue
        before = {(one["date"], one["what"]) for one in entry.verdict.get("about", {}).get("amendments", ())}
        newer = [one for one in claim.amendments if (one.date, one.what) not in before and one.date >= entry.date]
        if not newer:
            found[entry.id].append(f"{entry.tier} of {entry.date or 'an unknown day'}")
    return [
        f"{id} was changed since it was published ({', '.join(tiers)}): criteria, gates, controls, seeds or setting; "
        "give it an Amendment with the day, what and why"
        for id, tiers in sorted(found.items())
    ]
