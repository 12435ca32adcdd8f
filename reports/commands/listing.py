"""``grokscape list``: the claims that can be checked, by paper."""

from __future__ import annotations

import argparse
import itertools
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.records.quantities import nearest
from grokscape.predictions.checking import rooms
from grokscape.predictions.checking.published import Published, load_published
from grokscape.predictions.checking.registry import load
from grokscape.predictions.checking.standing import stale
from grokscape.predictions.prediction import KINDS, TIERS, Prediction
from grokscape.predictions.terms import Source
from grokscape.reports.kinds import parted
from grokscape.reports.numbers import count, listed

#: Characters of a line at most.
WIDTH = 100


def run_list(options: argparse.Namespace, console: Console) -> int:
    """Show the claims that were asked for."""
    claims = chosen(load(options.module).select(options.ids), options)
    entries = published(claims)
    why = {claim.id: stale_tiers(claim, entries.get(claim.id, [])) for claim in claims} if options.stale else {}
    if options.stale:
        claims = [claim for claim in claims if why[claim.id]]
        if not claims:
            console.print("nothing that is published of these claims is stale")
            return 0
    if options.json:
        data = [
            as_data(claim) | {"published": _as_data(entries.get(claim.id, [])), "stale": why.get(claim.id, {})}
            for claim in claims
        ]
        sys.stdout.write(json.dumps(data, indent=1) + "\n")
        return 0
    for line in lines(claims, entries, why):
        console.print(escape(line), soft_wrap=True)
    return 0


def chosen(claims: Sequence[Prediction], options: argparse.Namespace) -> list[Prediction]:
    """Return the claims that pass every filter that was given.

    Raises
    ------
    InvalidInput
        If a filter names what no claim has, or nothing passes all of them.
    """
    known = {
        "paper": {claim.source.key for claim in claims},
        "theory": {claim.theory for claim in claims},
        "kind": set(KINDS),
        "tier": set(TIERS),
    }
    for name, values in known.items():
        wanted = getattr(options, name)
        alike = [value for value in values if name == "theory" and str(wanted).lower() in value.lower()]
        if wanted is not None and wanted not in values and not alike:
            raise InvalidInput(f"--{name} is {wanted!r}, which no claim here has; there is {nearest(wanted, values)}")
    found = [
        claim
        for claim in claims
        if options.paper in (None, claim.source.key)
        and (options.theory or "").lower() in claim.theory.lower()
        and options.kind in (None, claim.kind)
        and (options.tier is None or options.tier in claim.tiers)
    ]
    if not found:
        asked = " ".join(f"--{name} {getattr(options, name)}" for name in known if getattr(options, name) is not None)
        raise InvalidInput(f"no claim passes {asked or 'the ids'}; leave one out")
    return found


def published(claims: Sequence[Prediction]) -> dict[str, list[Published]]:
    """Return the published verdicts on claims, by id; a file that cannot be read counts as none."""
    keys = {claim.source.key for claim in claims} & set(rooms.sources())
    found: dict[str, list[Published]] = {}
    for entry in load_published(rooms.folder(), sorted(keys))[0]:
        found.setdefault(entry.id, []).append(entry)
    return found


def stale_tiers(claim: Prediction, entries: Sequence[Published]) -> dict[str, str]:
    """Return at which tiers what is published of a claim is stale, and why; takes as long as planning its runs."""
    return {entry.tier: why for entry in entries if (why := stale(claim, entry))}


def lines(
    claims: Sequence[Prediction],
    entries: Mapping[str, Sequence[Published]] | None = None,
    why: Mapping[str, Mapping[str, str]] | None = None,
) -> Iterator[str]:
    """Yield what is shown: a line for each paper, two for each of its claims, and one for each that is stale."""
    papers = 0
    for _, group in itertools.groupby(
        sorted(claims, key=lambda claim: claim.source.key), lambda claim: claim.source.key
    ):
        of_paper = list(group)
        if papers:
            yield ""
        papers += 1
        yield brief(f"{cited(of_paper[0].source)}: {of_paper[0].source.title}", WIDTH)
        for claim in of_paper:
            kind = "" if claim.kind == KINDS[0] else f"; {claim.kind}"
            found = {entry.tier: f" {entry.status}" for entry in (entries or {}).get(claim.id, ())}
            tiers = ", ".join(tier + found.get(tier, "") for tier in claim.tiers)
            head, about = f"  {claim.id}", f"({tiers}{kind})"
            fits = len(head) + 2 + len(about) <= WIDTH
            yield f"{head}  {about}" if fits else head
            yield f"    {brief(claim.claim if fits else f'{about} {claim.claim}', WIDTH - 4)}"
            yield from (f"    {tier}: {reason}" for tier, reason in (why or {}).get(claim.id, {}).items())
    stated, others = parted(claims, lambda claim: claim.kind)
    kinds = [f"{len(stated)} stated"] * bool(stated) + [kind.count(len(of_kind)) for kind, of_kind in others]
    yield f"\n{count(len(claims), 'claim')} of {count(papers, 'paper')}: {listed(kinds)}"


def cited(source: Source) -> str:
    """Return a paper as it is cited: "Power et al. 2022 (arXiv:2201.02177)"; without what it does not have."""
    names = [name.strip() for name in re.split(r",|\band\b|&", source.authors) if name.strip()]
    authors = f"{names[0]} et al." if len(names) > 2 else " and ".join(names) or source.key
    year = re.search(r"\d{4}", source.key)
    where = f"arXiv:{source.arxiv}" if source.arxiv else source.url
    return authors + (f" {year.group()}" if year and names else "") + (f" ({where})" if where else "")


def _as_data(entries: Sequence[Published]) -> dict[str, Any]:
    return {entry.tier: {"status": entry.status, "date": entry.date} for entry in entries}


def as_data(claim: Prediction) -> dict[str, Any]:
    """Return what is listed of a claim, as data."""
    source = claim.source
    return {
        "id": claim.id,
        "claim": claim.claim,
        "kind": claim.kind,
        "theory": claim.theory,
        "paper": source.key,
        "title": source.title,
        "authors": source.authors,
        "arxiv": source.arxiv,
        "url": source.url,
        "where": claim.where,
        "tiers": {name: len(tier.seeds) for name, tier in claim.tiers.items()},
        "needs": dict(claim.needs),
        "disputes": list(claim.disputes),
    }
