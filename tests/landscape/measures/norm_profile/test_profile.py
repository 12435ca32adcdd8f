"""The reduced loss landscape: its teacher-student form, its axes and options, and what it refuses."""

import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
import torch
from torch import nn

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.initialisation import fresh
from grokscape.landscape.measures.norm_profile.on_sphere import minimise_at_norm
from grokscape.landscape.measures.norm_profile.profile import _subsets, norm_profile
from grokscape.landscape.measures.norm_profile.result import NormProfile
from grokscape.landscape.optimisers import AdamW
from grokscape.landscape.problem import Problem
from tests.landscape.measures.norm_profile.test_on_sphere import on_the_sphere, regression
from tests.landscape.measures.teacher_student import SCALES, teacher_student

mpl.use("Agg")
ADAM = AdamW(lr=1e-2, weight_decay=0.0, beta2=0.999)


@pytest.fixture(scope="module")
def profile() -> NormProfile:
    """A small student's profile, sizes 40 and 100."""
    problem = teacher_student(width=16)
    return norm_profile(
        problem, [0.1, 0.3, 1.0, 3.0], seeds=[0, 3], steps=300, optimiser=ADAM, sizes=[40, 100], record_every=60
    )


@pytest.mark.slow
def test_teacher_and_student_show_l_and_u_as_published():
    """Omnigrok's teacher and student: 11 norms, 4 seeds, Adam at 3e-4 for 5000 steps on 100 examples."""
    optimiser = AdamW(lr=3e-4, weight_decay=0.0, beta2=0.999)
    found = norm_profile(teacher_student(), SCALES, optimiser=optimiser, steps=5000, stop_loss=1e-7)
    train, test = found.losses("train"), found.losses("test")
    lowest = SCALES[test.argmin(0)]
    assert (lowest >= 0.5).all()
    assert (lowest <= 1.3).all()
    assert (test[-1] >= 1e3 * test.min(0)).all()
    assert (test[0] >= 30 * test.min(0)).all()
    assert (train[SCALES >= 0.99] <= 1e-5).all()
    assert found.shape("train").kind == "L"
    assert found.shape("test").kind == "U"
    assert found.shape("test").agreement == 1.0
    critical = found.critical_norm()
    assert 0.5 < critical.low < critical.high < 1.3
    assert found.converged[0][np.isclose(SCALES, 0.1) | (SCALES >= 0.99)].all()


def test_a_small_teacher_and_student_show_l_and_u():
    optimiser = AdamW(lr=3e-3, weight_decay=0.0, beta2=0.999)
    problem, scales = teacher_student(width=48, examples=50), [0.1, 0.25, 0.5, 0.8, 1.2, 3.0]
    found = norm_profile(problem, scales, seeds=range(3), optimiser=optimiser, steps=1000, stop_loss=1e-6)
    assert found.shape("train").kind == "L"
    assert found.shape("test").kind == "U"
    assert 0.5 < found.critical_norm().estimate < 1.3
    in_norms = found.critical_norm(unit="norm")
    assert in_norms.seeds == pytest.approx(found.critical_norm().seeds * found.initial_norms)


def test_linear_regression_gives_the_curve_of_the_secular_equation():
    problem = regression()
    norms = np.array([0.2, 0.6, 1.5, 4.0])
    found = norm_profile(problem, norms=norms, seeds=range(2), steps=2500, optimiser=ADAM)
    inputs, targets = (part.numpy() for part in problem.all_data("test"))
    for place, norm in enumerate(norms):
        weights, least = on_the_sphere(problem, norm)
        assert found.losses("train")[place] == pytest.approx([least] * 2, rel=1e-4)
        test = float(((inputs @ weights - targets[:, 0]) ** 2).mean())
        assert found.losses("test")[place] == pytest.approx([test] * 2, rel=1e-2)
    assert found.absolute
    assert found.converged.all()
    assert np.array_equal(found.norms, np.stack([norms, norms], 1))


def test_every_network_is_the_one_that_minimising_it_alone_gives():
    problem = teacher_student(width=12, dtype=torch.float64)
    found = norm_profile(problem, [0.5, 2.0], seeds=[3, 7], steps=40, optimiser=ADAM)
    for place, scale in enumerate([0.5, 2.0]):
        for column, seed in enumerate([3, 7]):
            row = fresh(problem, seed)
            assert found.initial_norms[column] == pytest.approx(float(row.norm()))
            alone = minimise_at_norm(problem, row[None], [scale * float(row.norm())], steps=40, optimiser=ADAM)
            for key, values in alone.end.items():
                assert found.end[key][0, place, column] == pytest.approx(values[0], rel=1e-8, nan_ok=True)


def test_sizes_take_nested_subsets_that_differ_between_seeds():
    problem = teacher_student(width=12, dtype=torch.float64)
    seen: dict[int, list[set[float]]] = {}
    for size in (10, 30):
        chosen = _subsets(100, size, [0, 1])
        seen[size] = [set(row.tolist()) for row in chosen]
        alone = problem.subset(chosen[1])
        start = fresh(problem, 1)
        expected = minimise_at_norm(alone, start[None], [float(start.norm())], steps=30, optimiser=ADAM)
        found = norm_profile(problem, [1.0], seeds=[0, 1], steps=30, optimiser=ADAM, sizes=[size])
        assert found.losses("train")[0, 1] == pytest.approx(expected.end["train", "loss"][0], rel=1e-8)
        assert found.losses("test")[0, 1] == pytest.approx(expected.end["test", "loss"][0], rel=1e-8)
    assert all(small < large for small, large in zip(seen[10], seen[30], strict=True))
    assert seen[10][0] != seen[10][1]


def test_the_largest_size_is_that_of_all_examples(profile):
    whole = norm_profile(
        teacher_student(width=16), [0.1, 0.3, 1.0, 3.0], seeds=[0, 3], steps=300, optimiser=ADAM, record_every=60
    )
    assert whole.sizes.tolist() == [100]
    assert np.array_equal(whole.losses("test"), profile.losses("test"))
    assert np.array_equal(whole.losses("test"), profile.losses("test", size=100))


def test_a_fixed_representation_keeps_the_models_own_values_and_is_not_counted():
    problem = teacher_student(width=12)
    rest = [name for name in problem.layout.names if not name.startswith("0.")]
    spans = problem.layout.slices()
    found = norm_profile(problem, [1.0], seeds=[0], steps=1, optimiser=ADAM, frozen="0.*")
    row = fresh(problem, 0)
    own = torch.cat([row[spans[name]] for name in rest]).norm()
    assert found.norms[0, 0] == pytest.approx(float(own), rel=1e-6)
    for name in ("0.weight", "0.bias"):
        row[spans[name]] = problem.start[spans[name]]
    expected = minimise_at_norm(problem, row[None], [float(own)], steps=1, optimiser=ADAM, frozen="0.*")
    assert found.losses("train")[0, 0] == pytest.approx(expected.end["train", "loss"][0], rel=1e-6)


def test_only_counted_tensors_make_up_the_norm():
    problem = teacher_student(width=12)
    spans = problem.layout.slices()
    found = norm_profile(problem, [2.0], seeds=[5], steps=1, optimiser=ADAM, included="*.weight")
    own = torch.cat([fresh(problem, 5)[spans[f"{i}.weight"]] for i in (0, 2, 4)]).norm()
    assert found.norms[0, 0] == pytest.approx(2 * float(own), rel=1e-6)


def test_given_parameters_are_rescaled_and_minimised():
    problem = teacher_student(width=12)
    start = torch.stack([fresh(problem, seed) for seed in (8, 9)]) * 3
    found = norm_profile(problem, [1.0], seeds=[0, 1], start=start, steps=5, optimiser=ADAM)
    assert found.initial_norms == pytest.approx(start.norm(dim=1).numpy(), rel=1e-6)


def test_an_initialisation_of_ones_own_is_used():
    problem = teacher_student(width=12)
    ones = {name: torch.ones(shape) for name, shape in problem.layout.shapes.items()}
    found = norm_profile(problem, [1.0], seeds=[0], steps=1, optimiser=ADAM, initialise=lambda seed: ones)
    assert found.initial_norms[0] == pytest.approx(problem.size**0.5, rel=1e-6)


def test_best_seen_is_never_mixed_with_the_end():
    """On noisy targets the test loss first falls and then rises: the best is another point than the end."""
    generator = torch.Generator().manual_seed(0)
    inputs, noise = torch.randn(2, 40, 5, generator=generator), torch.randn(40, 1, generator=generator)
    model = nn.Sequential(nn.Linear(5, 64), nn.Tanh(), nn.Linear(64, 1))
    problem = Problem(
        model, nn.MSELoss(), (inputs[0], inputs[0, :, :1] + noise), (inputs[1], inputs[1, :, :1])
    )  # fmt: skip
    found = norm_profile(problem, [2.0], seeds=range(2), steps=400, optimiser=ADAM, record_every=10)
    assert (found.losses("test", when="best") < 0.7 * found.losses("test")).all()
    assert (found.losses("train", when="best") <= found.losses("train")).all()
    frame = found.to_frame()
    for when in ("end", "best"):
        params = frame[(frame["when"] == when) & (frame["split"] == "test")]
        assert np.array_equal(params["loss"], found.losses("test", when=when).reshape(-1))


def test_accuracy_is_measured_where_targets_are_classes():
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(60, 4, generator=generator)
    labels = (inputs[:, 0] > 0).long()
    problem = Problem(nn.Linear(4, 2), nn.CrossEntropyLoss(), (inputs[:40], labels[:40]), (inputs[40:], labels[40:]))
    found = norm_profile(problem, norms=[0.01, 3.0], seeds=[0], steps=300, optimiser=ADAM, sizes=[20, 40])
    assert (found.end["train", "accuracy"][:, 1] > 0.9).all()
    assert (found.best["test", "accuracy"] >= found.end["test", "accuracy"]).all()
    assert found.shape("train").kind == "neither"  # one seed settles nothing


def test_the_table_is_tidy(profile):
    frame = profile.to_frame()
    assert len(frame) == 2 * 4 * 2 * 4
    assert not frame.duplicated(["size", "scale", "seed", "split", "when"]).any()
    one = frame[(frame["size"] == 40) & (frame["scale"] == 3.0) & (frame["seed"] == 3)]
    cell = one[(one["split"] == "test") & (one["when"] == "end")].iloc[0]
    assert cell["loss"] == profile.losses("test", size=40)[3, 1]
    assert cell["norm"] == pytest.approx(3 * profile.initial_norms[1])
    assert cell["steps"] == profile.steps[0, 3, 1]


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("size", [None, 40])
def test_the_picture_shows_both_losses_and_marks_what_did_not_converge(profile, best, size):
    broken = dataclasses.replace(profile, converged=np.zeros_like(profile.converged)) if best else profile
    axes = broken.plot(size=size, best=best)
    assert axes.get_xscale() == axes.get_yscale() == "log"
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert any(label.startswith("train, at the end") for label in labels)
    assert any(label.startswith("test, best seen") for label in labels) == best
    assert ("not converged" in labels) == (not broken.converged[0 if size else 1].all())
    mpl.pyplot.close(axes.figure)


def test_every_seed_keeps_its_own_examples_at_every_norm(profile):
    problem, options = teacher_student(width=16), {"seeds": [0, 3], "steps": 300, "optimiser": ADAM, "record_every": 60}
    alone = norm_profile(problem, [3.0], sizes=[40], **options)
    np.testing.assert_allclose(alone.losses("train")[0], profile.losses("train", size=40)[-1], rtol=1e-3)
    assert not np.isclose(*alone.losses("train")[0], rtol=0.1)


def test_the_result_is_frozen_and_counts_its_cost(profile):
    with pytest.raises(dataclasses.FrozenInstanceError):
        profile.zero_loss = 0.0
    assert profile.steps.sum() + profile.steps.size <= profile.cost.gradients
    assert profile.cost.gradients <= profile.steps.size * (profile.steps.max() + 1)


def test_progress_rises_to_one_over_all_sizes():
    shares: list[float] = []
    problem = teacher_student(width=8)
    norm_profile(problem, [1.0], seeds=[0], steps=20, optimiser=ADAM, sizes=[10, 50], progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scales": [1.0, 0.0]}, "scales hold 0, expected finite positive"),
        ({"norms": [-1.0]}, "norms hold -1, expected finite positive"),
        ({"scales": [1.0, 1.0]}, "scales do not increase"),
        ({"scales": []}, "scales have shape"),
        ({"seeds": []}, "seeds are empty"),
        ({"seeds": [1, 1]}, "repeat"),
        ({"sizes": [101]}, "sizes hold 101, expected numbers from 1 to the 100 training examples"),
        ({"sizes": [0]}, "sizes hold 0"),
        ({"sizes": []}, "sizes are empty"),
        ({"included": "head.*"}, r"included='head.\*' matches no varied parameter"),
        ({"frozen": "embed"}, "frozen='embed' matches no varied parameter"),
        ({"start": torch.ones(3, 4)}, r"start has shape \(3, 4\), expected \(4, "),
        ({"start": torch.ones(3, 4), "initialise": lambda seed: {}}, "both start and initialise"),
        ({"steps": 0}, "steps is 0"),
    ],
)
def test_what_cannot_be_used_is_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        norm_profile(teacher_student(width=4), **({"steps": 2} | options))


def test_a_problem_without_test_data_is_refused():
    inputs = torch.ones(4, 2)
    with pytest.raises(InvalidInput, match="norm_profile compares with the test loss"):
        norm_profile(Problem(nn.Linear(2, 1), nn.MSELoss(), (inputs, inputs[:, :1])))


def test_sizes_of_which_a_seed_has_only_ignored_examples_are_refused_before_anything_is_trained():
    labels = (torch.arange(12) % 3).index_fill(0, torch.arange(10), -100)
    data = torch.eye(12), labels
    problem = Problem(nn.Linear(12, 3), nn.functional.cross_entropy, data, test=data)
    shares: list[float] = []
    with pytest.raises(InvalidInput, match=r"of the 2 training examples chosen for network \d, none counts"):
        norm_profile(problem, [1.0], seeds=range(4), steps=2, sizes=[12, 2], progress=shares.append)
    assert not shares
    assert np.isfinite(norm_profile(problem, [1.0], seeds=range(4), steps=2, sizes=[12, 11]).losses("train")).all()


def test_what_was_not_measured_is_not_to_be_had(profile):
    with pytest.raises(InvalidInput, match="size is 50, expected one of those measured: 40, 100"):
        profile.shape("test", size=50)
    with pytest.raises(InvalidInput, match="when is 'last', expected 'end' or 'best'"):
        profile.losses("test", when="last")
