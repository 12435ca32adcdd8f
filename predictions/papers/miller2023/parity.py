"""Miller et al. 2023: concealment, checked with a network on parity."""

from __future__ import annotations

from grokscape.predictions import Calibrated, Criterion, Curve, Exceeds
from grokscape.predictions.papers.miller2023 import claim
from grokscape.predictions.papers.miller2023.parity_setup import (
    GENERALISES,
    SILENT,
    TIERS,
    gap_and_sharpness_by_length,
    networks_by_length,
)

parity_gap_grows = claim(
    id="miller2023.parity_gap_grows",
    claim="The grokking gap of a network on parity grows by a factor with every spurious bit.",
    where="section 2.2, figure 4, on another task",
    kind="extension",
    runs=networks_by_length,
    measure=gap_and_sharpness_by_length,
    gates=(GENERALISES,),
    criteria=(
        Criterion(
            quantity="log gap, per bit",
            rule=Exceeds(0.05, centre="mean"),
            threshold_from="half of 0.1 per dimension, which modular tasks show",
            calibrated=Calibrated(0.159, 0.05, "0-19"),
        ),
    ),
    controls=(SILENT,),
    curves=(
        Curve(
            quantities=("gap",),
            x="input length, bits",
            y="steps from fitting to generalising",
            title="Spurious bits delay generalising",
            log_y=True,
        ),
    ),
    tiers=TIERS,
    notes="The authors count spurious dimensions of modular tasks, for which they find growth of about a tenth in the "
    "logarithm for each. Growth is what is decided; that it is exponential, three lengths cannot tell. A gap of less "
    "than one step counts as one.",
)
