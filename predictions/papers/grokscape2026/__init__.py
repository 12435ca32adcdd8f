"""Predictions of this project: what follows from the theories of others, and was proposed before it was tested.

What is claimed. If circuits compete by their efficiencies, the size at which memorising and generalising circuits,
measured apart, are equally efficient should lie between the size where a network loses its generalisation and the size
where a fresh one finds it; between those sizes the start should decide. In the toy of embeddings and a decoder, whether
a run comprehends or groks should depend on which sums happen to be held out. In Gaussian processes, part of what was
called grokking should come from parametrisation, from complexity that rises before it falls, and from a constant mean.

Set-up. That of the claims these lean on: varma2023 for the two critical sizes, liu2022 for the toy, miller2023 for
Gaussian processes.

What is checked. All of the above, each with the claims that it contradicts beside it.

What is not checked, and why. Whether the same holds for transformers: the larger tiers have them, and were not trained.
"""

from __future__ import annotations

import functools

from grokscape.predictions import Prediction, Source

SOURCE = Source(key="grokscape2026", title="Predictions of this project", authors="Grokscape")

claim = functools.partial(Prediction, source=SOURCE, kind="ours")
