"""Whose sentence every claim is, decided claim by claim against the sources' own words.

A claim that is added or changes its kind has to be entered here: none is "stated" for want of thought. A smaller
network of the kind that a source has, on a smaller instance of its task, is still its claim; another learner, another
task, and more or less than it says is not.
"""

from __future__ import annotations

import pytest

from grokscape.predictions.prediction import KINDS
from tests.predictions.made_up.steps import CLAIMS

#: Source -> kind -> names of claims.
WHOSE: dict[str, dict[str, str]] = {
    "grokscape2026": {
        "ours": (
            "classification_complexity_rises coexistence held_out_sums learnt_mean_delays_accuracy "
            "static_prediction whitened_parity_needs_no_divergence"
        ),
    },
    "kumar2023": {
        "extension": "grokking_with_rising_norm",
    },
    "levi2023": {
        "stated": (
            "accuracy_from_loss decay_floor decay_floor_in_print gap_and_outputs gap_formula_in_the_limit "
            "gap_grows_with_lambda jump_is_an_artefact loss_curves test_loss_plateau"
        ),
        "extension": "gap_formula",
    },
    "liu2022": {
        "stated": (
            "conservation critical_fraction decay_delays decay_hastens_transformers grokking_rate "
            "nullity_is_necessary nullity_is_sufficient parallelograms predicted_accuracy"
        ),
        "extension": "decay_makes_grokking four_phases inverse_rate phase_order phase_quality rate_beyond_size",
    },
    "liu2023": {
        "stated": (
            "constraint_removes_grokking inverse_decay landscape mnist_does_not_grok mnist_grok "
            "mnist_inverse_decay never_without_decay one_norm representation_decides "
            "representation_matters_little_on_mnist reviews_grok_recurrent small_start_needs_no_decay "
            "start_decides"
        ),
        "extension": (
            "constraint_removes_grokking_perceptron data_size_degroks digits_do_not_grok digits_grok "
            "digits_inverse_decay molecules_grok molecules_grok_without_decay more_data_widen_the_shell "
            "reviews_do_not_grok reviews_grok reviews_inverse_decay"
        ),
    },
    "miller2023": {
        "stated": (
            "bayesian_complexity_falls_while_grokking bayesian_error_first bayesian_gap_grows "
            "concealment_correlation concealment_exponential concealment_lengthens_gap fit_before_complexity "
            "gap_and_start_weight lengthscales linear_regression_groks linear_regression_needs_penalty "
            "no_parity_without_divergence parity_variational regression_from_complex_start "
            "zero_one_classification"
        ),
        "extension": (
            "bayesian_means_fall_while_grokking bayesian_needs_complexity classification_complexity_falls "
            "gap_is_time_at_high_complexity network_complexity_falls no_regression_without_complexity "
            "parity_gap_grows parity_laplace parity_without_divergence_in_any_parametrisation parsimony "
            "parsimony_of_networks path_to_generalising regression_delay_grows_with_complexity "
            "spurious_dimensions_delay_processes"
        ),
        "rival": "concealment_faster_than_exponential",
        "ours": (
            "bayesian_common_complexity decay_needed_under_concealment gap_and_true_weight_alone "
            "gap_grows_with_start_scale irrelevant_weights_fall norm_falls_from_a_large_start norm_rises "
            "regression_published_end"
        ),
    },
    "miller2024": {
        "stated": "erf_form larger_gap_less_sharp network_erf_fits network_sharpness_falls transition_above_one",
        "rival": "network_only_stretched only_slow_motion",
    },
    "notsawo2025": {
        "ours": "norm_rises_under_decay",
    },
    "power2022": {
        "stated": "delayed_generalisation",
    },
    "reviews2023": {
        "rival": "data_size_alone forgetting_by_example noise_suffices pressure_needs_noise",
    },
    "truong2026a": {
        "extension": "delay_is_contraction delay_on_modular_addition",
    },
    "truong2026b": {
        "stated": "delay_exponential_in_norm norm_is_no_gate",
        "extension": "layernorm_removes_dependence",
    },
    "truong2026c": {
        "extension": "temperature_alone_delays temperature_undoes_norm",
        "ours": "not_under_squared_error",
    },
    "varma2023": {
        "stated": (
            "critical_size_exists critical_size_from_scratch_invariance efficiency_falls_with_data "
            "logit_scaling memorisation_efficiency other_tasks plateaus_end removal_alone semi_grokking "
            "time_diverges toy_allocation toy_invariance toy_three_ingredients trigonometric_share ungrokking "
            "ungrokking_sharpness weight_decay_invariance"
        ),
        "extension": (
            "critical_size_exists_quadratic efficiency_falls_with_data_quadratic efficiency_spread "
            "efficiency_spread_quadratic generalisation_efficiency generalisation_efficiency_quadratic "
            "hysteresis logit_scaling_quadratic memorisation_efficiency_quadratic norm_reallocation "
            "random_label_twin random_label_twin_quadratic removal_alone_quadratic trigonometric_isolation "
            "trigonometric_isolation_quadratic trigonometric_share_quadratic ungrokking_quadratic "
            "weight_decay_needed"
        ),
    },
}

MADE_BY_REPLICATION = [id for id, claim in CLAIMS.items() if claim.notes.startswith("Held to the thresholds of ")]


def test_the_kind_of_every_claim_is_deliberate() -> None:
    decided = {
        f"{source}.{name}": kind
        for source, kinds in WHOSE.items()
        for kind, names in kinds.items()
        for name in names.split()
    }
    assert decided == {id: claim.kind for id, claim in CLAIMS.items()}


def test_no_claim_is_entered_twice() -> None:
    entered = [
        f"{source}.{name}" for source, kinds in WHOSE.items() for names in kinds.values() for name in names.split()
    ]
    assert len(entered) == len(set(entered)) == len(CLAIMS)
    assert {kind for kinds in WHOSE.values() for kind in kinds} == set(KINDS)


def test_what_is_held_to_another_learner_is_an_extension() -> None:
    assert len(MADE_BY_REPLICATION) >= 12
    assert {CLAIMS[id].kind for id in MADE_BY_REPLICATION} == {"extension"}


def test_reviewers_are_not_said_to_state_what_they_ask() -> None:
    assert not [claim.id for claim in CLAIMS.values() if claim.source.key == "reviews2023" and claim.kind == "stated"]


def test_what_this_project_proposes_is_its_own() -> None:
    assert {claim.kind for claim in CLAIMS.values() if claim.source.key == "grokscape2026"} == {"ours"}


@pytest.mark.parametrize(
    "id",
    [
        "levi2023.gap_formula",  # stated for a vanishing threshold
        "truong2026c.not_under_squared_error",  # not read so by the paper
        "miller2023.classification_complexity_falls",  # not comparable along training, says the paper
        "miller2023.network_complexity_falls",
        "miller2023.parsimony_of_networks",
        "miller2023.parsimony",
        "liu2023.molecules_grok_without_decay",  # mini-batches regularise, says the paper
    ],
)
def test_what_a_source_disowns_is_not_held_against_it(id: str) -> None:
    assert CLAIMS[id].kind in ("extension", "ours")
    assert "paper" in CLAIMS[id].notes


@pytest.mark.parametrize("id", [id for id, claim in CLAIMS.items() if claim.kind in ("extension", "rival")])
def test_what_is_not_quite_its_sources_says_in_what_it_departs(id: str) -> None:
    assert len(CLAIMS[id].notes) > 40
