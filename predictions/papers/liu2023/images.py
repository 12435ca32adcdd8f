"""Liu, Michaud and Tegmark 2023 (Omnigrok): images grok from large initial weights, not from usual ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grokscape.landscape import Dense, Digits, Mnist, MnistSample
from grokscape.predictions import TIERS, Calibrated, Tier
from grokscape.predictions.papers.liu2023.real_data_setup import (
    AT_END,
    AT_FIT,
    DELAY,
    GAIN,
    does_not_grok,
    groks,
    inverse_decay,
    large_scale,
    no_decay,
    random_labels,
    scale_one,
)
from grokscape.predictions.papers.liu2023.setup import SEEDS

NOTES = (
    "Training is on the full batch, with fewer examples, a narrower network and a larger learning rate than in the "
    "paper (1000 examples in batches of 200, two layers of 200, 0.001), which makes fitting and decay alike faster. "
    "All arms but the one without have the same weight decay. Test accuracy is that at each step and at the end, on "
    "all examples held out, as in the paper's courses of training. Its landscapes of images show the highest seen on "
    "the way instead; drawn beside, that decides nothing."
)

# -- Digits of 8 x 8 pixels --------------------------------------------------------------------------------------------

DIGITS: Mapping[str, Any] = {
    "task": Digits(examples=1000),
    "model": Dense(widths=(100, 100)),
    "n_train": 150,
    "lr": 3e-3,
    "decay": 0.1,
    "scale": 6.0,
    "labels": "true",
    "steps": 2500,
    "level": 0.8,
}
DIGITS_DECAYS = {"decays": ((0.1, 2500), (0.15, 1900), (0.2, 1500)), "split": "test", "until": 0.8}

digits_grok = groks(
    "liu2023.digits_grok",
    "On small images of digits, a network whose initial weights are six times as large as usual fits first and "
    "generalises later.",
    where="figure 3, on images of 8 x 8 pixels",
    gain=0.3,
    end=0.8,
    calibrated={
        GAIN: Calibrated(0.44, 0.05, "0-9"),
        AT_END: Calibrated(0.87, 0.02, "0-9"),
        DELAY: Calibrated(1.1, 0.3, "0-9"),
    },
    controls=(scale_one(600), no_decay(2500), random_labels(2500)),
    tiers={tier: Tier(SEEDS, DIGITS) for tier in TIERS},
    notes=NOTES,
)

digits_do_not_grok = does_not_grok(
    "liu2023.digits_do_not_grok",
    "On small images of digits, a network with the usual initial weights generalises as it fits.",
    where="figure 3, on images of 8 x 8 pixels",
    at_fit=0.85,
    calibrated={GAIN: Calibrated(0.016, 0.007, "0-9"), AT_FIT: Calibrated(0.92, 0.014, "0-9")},
    controls=(large_scale(6.0, 2500), random_labels(600)),
    tiers={tier: Tier(SEEDS, {**DIGITS, "scale": 1.0, "steps": 600}) for tier in TIERS},
    notes=NOTES,
)

digits_inverse_decay = inverse_decay(
    "liu2023.digits_inverse_decay",
    "From large initial weights, the time to generalise on small images of digits is inverse to weight decay.",
    where="the section on teacher and student, on images of 8 x 8 pixels",
    calibrated=Calibrated(-0.85, 0.08, "0-9"),
    tiers={tier: Tier(SEEDS, {**DIGITS, **DIGITS_DECAYS}) for tier in TIERS},
    notes=NOTES,
)

# -- MNIST -------------------------------------------------------------------------------------------------------------

MNIST: Mapping[str, Any] = {
    "task": MnistSample(examples=1200),
    "model": Dense(widths=(100, 100)),
    "n_train": 200,
    "lr": 3e-3,
    "decay": 0.2,
    "scale": 8.0,
    "labels": "true",
    "steps": 2300,
    "level": 0.6,
}

#: The complete set, of which more is held out.
COMPLETE = {"task": Mnist(examples=6000)}

mnist_grok = groks(
    "liu2023.mnist_grok",
    "On MNIST with few examples, a network whose initial weights are eight times as large as usual fits first and "
    "generalises later.",
    where="figure 3",
    gain=0.3,
    end=0.65,
    calibrated={
        GAIN: Calibrated(0.5, 0.063, "0-9"),
        AT_END: Calibrated(0.75, 0.011, "0-9"),
        DELAY: Calibrated(0.81, 0.22, "0-9"),
    },
    controls=(scale_one(400), no_decay(1200), random_labels(1800)),
    tiers={"quick": Tier(SEEDS, MNIST), "standard": Tier(SEEDS, {**MNIST, **COMPLETE})},
    figure="figure 3",
    notes=f"{NOTES} The verdict on seeds 100 to 109 was first INVALID, for on random labels one network was at a "
    "training accuracy of 0.945 when it ended, below the gate's 0.95. That control now has 1800 steps instead of 1200, "
    "after which 20 calibration seeds reach 0.98 and more; the claim's own runs, criteria and gate are as they were.",
)

mnist_does_not_grok = does_not_grok(
    "liu2023.mnist_does_not_grok",
    "On MNIST with few examples, a network with the usual initial weights generalises as it fits.",
    where="figure 3",
    at_fit=0.7,
    calibrated={GAIN: Calibrated(0.011, 0.016, "0-9"), AT_FIT: Calibrated(0.81, 0.018, "0-9")},
    controls=(large_scale(8.0, 2300), random_labels(400)),
    tiers={
        "quick": Tier(SEEDS, {**MNIST, "scale": 1.0, "steps": 400}),
        "standard": Tier(SEEDS, {**MNIST, **COMPLETE, "scale": 1.0, "steps": 400}),
    },
    notes=NOTES,
)

mnist_inverse_decay = inverse_decay(
    "liu2023.mnist_inverse_decay",
    "From large initial weights, the time to generalise on MNIST is inverse to weight decay.",
    where="the section on teacher and student, on MNIST",
    calibrated=Calibrated(-0.95, 0.034, "0-2"),
    tiers={
        "standard": Tier(
            SEEDS,
            {**MNIST, **COMPLETE, "decays": ((0.1, 5500), (0.14, 4000), (0.2, 2300)), "split": "test", "until": 0.6},
        )
    },
    notes=NOTES,
)
