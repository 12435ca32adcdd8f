"""What claims about grokking measure again and again."""

import pandas as pd

from grokscape.landscape import Crossing, Record, Stop
from grokscape.predictions import (
    Curve,
    Measurement,
    accuracy_by_step,
    fit_and_generalise,
    in_order,
    stop_at,
    training_curve,
)

#: Fits at step 20, generalises at step 40.
TRAIN, TEST = [0.1, 0.5, 1.0, 1.0, 1.0], [0.1, 0.1, 0.2, 0.2, 0.95]
RECORD = Record(
    None,
    pd.DataFrame(
        [
            (10 * place, split, "accuracy", value)
            for split, values in (("train", TRAIN), ("test", TEST))
            for place, value in enumerate(values)
        ],
        columns=["step", "split", "quantity", "value"],
    ),
    {},
    None,
)


def test_fitting_and_generalising_are_when_accuracy_passes_a_level_on_either_split():
    fit, generalise = fit_and_generalise(RECORD, fitted=0.99, generalised=0.9)
    assert (fit.step, generalise.step) == (20, 40)
    assert fit_and_generalise(RECORD, fitted=0.4, generalised=0.99) == (Crossing(10, False), Crossing(40, True))


def test_events_are_measured_at_their_place_in_the_order_claimed():
    fit, never = Crossing(20, False), Crossing(40, True)
    assert list(in_order("to generalising", fit, never)) == [
        Measurement("to generalising", 20, at=0),
        Measurement("to generalising", 40, at=1, censored=True),
    ]


def test_accuracies_are_drawn_over_training_steps():
    found = list(accuracy_by_step(RECORD))
    assert {m.quantity for m in found} == {"train accuracy", "test accuracy"}
    assert Measurement("test accuracy", 0.95, at=40) in found
    assert training_curve("train accuracy", "test accuracy", y="accuracy", title="A run", figure="figure 1") == Curve(
        quantities=("train accuracy", "test accuracy"),
        x="training step",
        y="accuracy",
        title="A run",
        log_x=True,
        figure="figure 1",
    )


def test_a_run_stops_once_it_has_generalised_for_long_enough():
    assert stop_at(0.95, records=5) == (Stop(quantity="accuracy", split="test", above=0.95, records=5),)
