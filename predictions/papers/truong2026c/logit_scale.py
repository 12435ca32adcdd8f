"""Two norms, and each with the logit scale of the other."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from grokscape.landscape import Experiment, Record
from grokscape.predictions import (
    Below,
    Calibrated,
    Control,
    Criterion,
    Exceeds,
    Gate,
    Measurement,
    Precedes,
    Setting,
    Within,
    in_order,
    training_curve,
)
from grokscape.predictions.papers.truong2026a.setup import FITTING, accuracy_traces, held_at, tiers
from grokscape.predictions.papers.truong2026c import claim


def networks_at_two_norms_and_temperatures(seed: int, at: Setting) -> Mapping[str, Experiment]:
    """A low norm, a high one, the high one with the low one's logit scale, and the low one with the high one's."""
    # A network that is homogeneous of this degree has its logits back where they were at this temperature.
    temperature = (at.high / at.low) ** at.degree if at.tempered else 1.0
    return {
        "low norm": held_at(seed, at, at.low),
        "high norm": held_at(seed, at, at.high),
        "high norm, tempered": held_at(seed, at, at.high, temperature=temperature),
        "low norm, sharpened": held_at(seed, at, at.low, temperature=1 / temperature),
    }


def shares_of_the_delay(records: Mapping[str, Record], at: Setting) -> Iterable[Measurement]:
    times = {label: record.crossing("accuracy", at.split, above=at.level) for label, record in records.items()}
    low, high, tempered, sharpened = times.values()
    yield from in_order("from the low norm to the high one", low, high)
    yield from in_order("from the low norm to it sharpened", low, sharpened)
    delay = math.log(max(high.step, 1) / max(low.step, 1))
    # Where the norm delays nothing there is nothing to recover or to reproduce.
    recovered, reproduced = (
        log / delay if delay > 0 else 0.0
        for log in (math.log(high.step / tempered.step), math.log(sharpened.step / low.step))
    )
    yield Measurement("share of the delay that the temperature recovers", recovered)
    yield Measurement("share of the delay that the temperature alone makes", reproduced)
    yield Measurement("runs that generalise", sum(not time.censored for time in times.values()))
    yield from accuracy_traces(records)


SEEN = Gate(quantity="runs that generalise", above=3.5, controls=False)
CURVE = training_curve(
    "low norm",
    "high norm",
    "high norm, tempered",
    "low norm, sharpened",
    y="test accuracy",
    title="Two norms, and each with the other's logit scale",
)
NO_TEMPERATURE = Control(
    "a temperature of 1", {"tempered": False}, "it leaves the logits as they are, so that the norm is all there is"
)
QUICK = {"low": 32.0, "high": 44.0, "degree": 3.0, "tempered": True}
PAPER = {"low": 54.6, "high": 65.5}
MSE = {"loss": "mse", "low": 14.0, "high": 20.0}

temperature_undoes_norm = claim(
    id="truong2026c.temperature_undoes_norm",
    claim="Under cross-entropy, most of the delay that a higher norm causes goes away when a temperature gives the "
    "logits the scale that they have at the lower norm.",
    where="section 3",
    kind="extension",
    runs=networks_at_two_norms_and_temperatures,
    measure=shares_of_the_delay,
    gates=(SEEN,),
    criteria=(
        Criterion(
            quantity="from the low norm to the high one",
            rule=Precedes(3.0),
            threshold_from="a delay worth explaining; the exponential law would give 9 for 30 % of the critical norm",
            calibrated=Calibrated(5.9, 0.13, "0-9"),
        ),
        Criterion(
            quantity="share of the delay that the temperature recovers",
            rule=Exceeds(0.5, centre="mean"),
            threshold_from="most of it; the paper has 0.83 and 0.89 at two moduli",
            calibrated=Calibrated(0.879, 0.021, "0-9"),
        ),
    ),
    controls=(NO_TEMPERATURE, FITTING),
    curves=(CURVE,),
    tiers=tiers(QUICK, paper=PAPER),
    disputes=("liu2023.start_decides",),
    notes="A homogeneous network at c times the norm is the same function at c to the power of its degree times the "
    "logits, so that the temperature follows from the norms and is not fitted. What it cannot undo is that a step of "
    "the same length is a smaller share of a larger norm: that is the rest of the delay here. "
    "The paper says it of a transformer with biases and GELU, at the measured logit scale and with a share of the "
    "delay that is linear in steps; in a homogeneous network the better part of it is an identity.",
)

temperature_alone_delays = claim(
    id="truong2026c.temperature_alone_delays",
    claim="Under cross-entropy, a lower temperature at a fixed norm delays generalising as much as the higher norm "
    "with the same logit scale does.",
    where="section 3",
    kind="extension",
    runs=networks_at_two_norms_and_temperatures,
    measure=shares_of_the_delay,
    gates=(SEEN,),
    criteria=(
        Criterion(
            quantity="from the low norm to it sharpened",
            rule=Precedes(3.0),
            threshold_from="the same as for the delay that the norm causes",
            calibrated=Calibrated(5.9, 0.15, "0-9"),
        ),
        Criterion(
            quantity="share of the delay that the temperature alone makes",
            rule=Within(0.75, 1.25, centre="mean"),
            threshold_from="a quarter of the delay to either side; the paper speaks of its full range",
            calibrated=Calibrated(0.997, 0.014, "0-9"),
        ),
    ),
    controls=(NO_TEMPERATURE, FITTING),
    curves=(CURVE,),
    tiers=tiers(QUICK, paper=PAPER),
    notes="Weights, norm and length of a step are those of the low norm; only what the loss sees is scaled. Sharpened "
    "logits hasten fitting and delay generalising, so it is not that training as a whole slows down. "
    "The paper says it of a transformer with biases and GELU, at the measured logit scale; in a homogeneous "
    "network a temperature is another learning rate, so that the better part of it is an identity.",
)

not_under_squared_error = claim(
    id="truong2026c.not_under_squared_error",
    claim="Under squared error the norm acts by another route: a temperature that gives the answers their scale at the "
    "lower norm recovers less than half of the delay.",
    where="section 5",
    kind="ours",
    runs=networks_at_two_norms_and_temperatures,
    measure=shares_of_the_delay,
    gates=(SEEN,),
    criteria=(
        Criterion(
            quantity="share of the delay that the temperature recovers",
            rule=Below(0.5, centre="mean"),
            threshold_from="the half that cross-entropy must exceed",
            calibrated=Calibrated(0.76, 0.04, "0-9"),
        ),
    ),
    controls=(
        Control(
            "cross-entropy", {"loss": "cross_entropy", "low": 32.0, "high": 44.0}, "there the logit scale is the route"
        ),
    ),
    curves=(CURVE,),
    tiers=tiers({**QUICK, **MSE}),
    disputes=("truong2026c.temperature_undoes_norm",),
    notes="In a homogeneous network a higher norm and the temperature that undoes it leave the same function, whatever "
    "the loss, and only the steps are smaller beside the norm; so no loss can show another route. The paper's network "
    "has biases and GELU, and finds its answers near 1 whatever the temperature. Here the answers are held back by the "
    "norm: at the low one the loss cannot fall below 0.01. "
    "The paper computes no such share under squared error and does not read what is left as a route of its own; "
    "it reports how far the logit scale moves. The sentence is this project's.",
)
