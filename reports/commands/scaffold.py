"""What ``grokscape new paper`` writes: Python source in which every TODO is to be filled in."""

from __future__ import annotations

import json

PAPER = '''"""{title} ({key}).

What the paper says
-------------------
TODO: five sentences.

Set-up as published
-------------------
TODO: task, network, optimiser, data, training time.

What is checked
---------------
TODO.

What is not, and why
--------------------
TODO.

Departures
----------
TODO: what all claims do differently from the paper.
"""

from grokscape.predictions import Source

{source}'''

SOURCE = """\
SOURCE = Source(
    key={key},
    title={title},
    authors={authors},
    arxiv={arxiv},
)
THEORY = "TODO: the explanation of grokking that it belongs to"
"""

CLAIM = '''"""{key}: TODO: what the claims of this file are about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from grokscape.landscape import AdamW, BinaryOperation, Experiment, Perceptron, Record, Run
from grokscape.predictions import (
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Gate,
    Measurement,
    Prediction,
    Setting,
{extra}    Tier,
)
{source}
#: TODO: the paper's own setting, smaller where minutes must do.
QUICK = {{
    "task": BinaryOperation(operation="x+y", p=11),
    "model": Perceptron(width=32),
    "optimiser": AdamW(lr=1e-2, weight_decay=1.0),
    "fraction": 0.5,
    "labels": "true",
    "steps": 300,
}}


def one_network(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """What one seed trains."""
    n_train = at.task.n_train(at.fraction)
    run = Run(
        task=at.task,
        model=at.model,
        optimiser=at.optimiser,
        n_train=n_train,
        labels=at.labels,
        steps=at.steps,
        seed=seed,
    )
    return {{"run": run}}


def final_accuracies(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    """What one seed shows."""
    yield Measurement("final test accuracy", records["run"].final("accuracy", "test"))
    yield Measurement("final training accuracy", records["run"].final("accuracy", "train"))


first_claim = Prediction(
    id="{key}.first_claim",
    claim="TODO: the claim in one sentence, such as: Networks generalise although they could memorise.",
    source=SOURCE,
    where="TODO: section, figure or theorem",
    theory=THEORY,
    runs=one_network,
    measure=final_accuracies,
    gates=(Gate(quantity="final training accuracy", above=0.5),),
    criteria=(
        Criterion(
            quantity="final test accuracy",
            rule=Exceeds(0.5),
            threshold_from="TODO: where the threshold comes from",
            # TODO: what `grokscape calibrate {key}.first_claim` prints; without it the claim is not checked.
            calibrated=Calibrated(0.9, 0.05, "none yet"),
        ),
    ),
    controls=(Control("random labels", {{"labels": "random"}}, "TODO: why the effect must vanish here"),),
    # TODO: as many seeds as calibration finds necessary; two decide nothing, and the claim stays undecided.
    tiers={{"quick": Tier(seeds=(100, 101), setting=QUICK)}},
    calibration_seeds=(0, 1, 2, 3, 4, 5, 6, 7),
    notes="TODO: departures from the paper, known pitfalls.",
)
'''

TEST = '''"""{key}: what its claims make of records that nobody trained."""

from __future__ import annotations

from grokscape.landscape import Experiment, Record
from grokscape.predictions import Status
{imported}


def as_claimed(arm: str, seed: int, label: str, run: Experiment) -> Record:
    """A world in which the claim holds."""
    test = 0.9 + 0.01 * (seed % 7) if arm == "claim" else 0.1
    return made_up_record(run, {{("train", "accuracy"): 1.0, ("test", "accuracy"): test}}, steps=[0, 100, 300])


def test_it_is_undecided_until_it_has_seeds_enough() -> None:
    assert verdict_on(first_claim, as_claimed).status is Status.INCONCLUSIVE


# TODO: once it is filled in, hold it to the contract instead, with a world of each kind:
#
# def test_it_keeps_the_contract() -> None:
#     check_claim(first_claim, behave=as_claimed, otherwise=the_other_way_round)
'''

NEXT = """\
Next: fill in every TODO, and find out how often its rules err.
  grokscape check {key}.first_claim{module}        INCONCLUSIVE: two seeds decide nothing
  grokscape calibrate {key}.first_claim{module}    what belongs into calibrated=...
  {tests}"""


def paper(**words: str) -> str:
    """Return the page of a paper (key, title, authors, arxiv), which holds its source."""
    title = words["title"].replace("\\", "/").replace('"', "'")
    return PAPER.format(key=words["key"], title=title, source=source(**words))


def source(**words: str) -> str:
    """Return the lines that define a paper's source and theory."""
    return SOURCE.format(**{name: json.dumps(text, ensure_ascii=False) for name, text in words.items()})


def claim_of_package(key: str, package: str) -> str:
    """Return a file with one claim, of a paper whose source is in its package."""
    return CLAIM.format(key=key, extra="", source=f"from {package} import SOURCE, THEORY\n")


def claim_alone(**words: str) -> str:
    """Return a file with one claim and its source."""
    return CLAIM.format(key=words["key"], extra="    Source,\n", source=f"\n{source(**words)}")


def test(key: str, imported: str) -> str:
    """Return the test of a claim."""
    return TEST.format(key=key, imported=imported)


def next_steps(key: str, module: str, tests: str) -> str:
    """Return what to do with what was written."""
    return NEXT.format(key=key, module=module, tests=tests)
