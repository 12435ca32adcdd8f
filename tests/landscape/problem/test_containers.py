"""Tensors may come in any usual container; what is no tensor is carried along, and what may hide some is refused."""

from __future__ import annotations

import collections
import copy
import dataclasses
import pickle

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.containers import each_tensor, emptied, filled, opaque, tensors
from tests.landscape.data import INPUTS, LABELS, Wrapped, accuracy_of, loss_of, network

TRUTH = float(F.cross_entropy(network()(INPUTS), LABELS).detach())


class OwnDict(dict):
    pass


class Named(collections.namedtuple("Named", ("x", "y"))):
    pass


@dataclasses.dataclass(frozen=True)
class Frozen:
    x: torch.Tensor
    y: object = None
    late: object = dataclasses.field(init=False, repr=False)


CONTAINERS = {
    "tuple": lambda x: (x, None),
    "list": lambda x: [x, "word", 3],
    "named tuple": lambda x: Named(x, None),
    "dict": lambda x: {"x": x, "y": None},
    "ordered dict": lambda x: collections.OrderedDict(x=x, y=None),
    "default dict": lambda x: collections.defaultdict(list, {"x": x}),
    "subclass of dict": lambda x: OwnDict(x=x),
    "UserDict": lambda x: collections.UserDict(x=x, y=[None]),
    "dataclass": Frozen,
    "nested": lambda x: ({"a": [Frozen(x), None]}, 2.0),
}


def found(container: object) -> torch.Tensor:
    (tensor,) = tensors(container)
    return tensor


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_keep_their_form(name):
    made = CONTAINERS[name](INPUTS)
    halves = each_tensor(lambda leaf, other: leaf[:3] + other[:3], made, made)
    assert type(halves) is type(made)
    assert torch.equal(found(halves), 2 * INPUTS[:3])
    assert torch.equal(found(made), INPUTS)  # the original is left alone
    again = filled(emptied(made), [LABELS])
    assert type(again) is type(made)
    assert torch.equal(found(again), LABELS)


@pytest.mark.parametrize("name", sorted(set(CONTAINERS) - {"list", "nested"}))  # numbers and words are no inputs
def test_inputs_come_in_any_container(name):
    make, model = CONTAINERS[name], Wrapped(network(), before=lambda *inputs: found(inputs))
    cut = [(make(INPUTS[some]), LABELS[some]) for some in (slice(5), slice(5, 12))]
    for data, size in ((cut, None), ((make(INPUTS), LABELS), 5)):
        problem = Problem(model, F.cross_entropy, data, batch_size=size)
        assert loss_of(problem) == pytest.approx(TRUTH, rel=1e-12)
        some = problem.subset(torch.tensor([2, 7]))
        assert type(some.all_data("train")[0]) is type(make(INPUTS))
        truth = float(F.cross_entropy(network()(INPUTS[[2, 7]]), LABELS[[2, 7]]).detach())
        assert loss_of(some) == pytest.approx(truth, rel=1e-12)


@pytest.mark.parametrize("name", CONTAINERS)
def test_outputs_with_one_tensor_count_as_that_tensor(name):
    model = Wrapped(network(), CONTAINERS[name])
    seen = []

    def loss(outputs, targets):
        seen.append(type(outputs))
        return F.cross_entropy(found(outputs), targets)

    def rightness(outputs, targets):
        return (found(outputs).argmax(1) == targets).double()

    plain = Problem(network(), lambda z, y: F.cross_entropy(z, y), (INPUTS, LABELS), batch_size=5)
    problem = Problem(model, loss, (INPUTS, LABELS), batch_size=5, accuracy=rightness)
    assert set(seen) == {type(CONTAINERS[name](INPUTS))}
    params = torch.stack([problem.start, problem.start * 2])
    for count in (1, 2):  # alone, and side by side under vmap
        assert problem.vectorised
        torch.testing.assert_close(problem.outputs_of(params[:count], INPUTS), plain.outputs_of(params[:count], INPUTS))
        for one, other in zip(problem.gradients(params[:count]), plain.gradients(params[:count]), strict=True):
            torch.testing.assert_close(one, other)
        torch.testing.assert_close(problem.evaluate(params[:count]), plain.evaluate(params[:count]))
    assert accuracy_of(Problem(model, loss, (INPUTS, LABELS))) == accuracy_of(plain)


def test_outputs_of_several_tensors_keep_their_container():
    model = Wrapped(network(), lambda z: {"logits": z, "twice": 2 * z, "none": None})
    problem = Problem(model, lambda z, y: F.cross_entropy(z["twice"], y), (INPUTS, LABELS))
    params = torch.stack([problem.start, problem.start * 2])
    for found in (problem.outputs_of(params, INPUTS), problem.outputs_of(params[:1], INPUTS)):
        assert found["none"] is None
        torch.testing.assert_close(found["twice"], 2 * found["logits"])
    assert problem.evaluate(params)["accuracy"].isnan().all()  # which of them?


@pytest.mark.parametrize(
    ("after", "written"),
    [
        (lambda z: (z, None), r"a tuple, so write, for instance, lambda out, t: loss\(out\[0\], t\)"),
        (lambda z: {"logits": z}, r"loss\(out\['logits'\], t\)"),
    ],
)
def test_a_loss_that_cannot_take_the_container_is_told_how_to(after, written):
    with pytest.raises(InvalidInput, match=f"the whole output as the model returns it, .*{written}"):
        Problem(Wrapped(network(), after), F.cross_entropy, (INPUTS, LABELS))


class Hiding:
    def __init__(self, tensor):
        self.tensor = tensor


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (
            lambda z: torch.distributions.Categorical(logits=z),
            r"a distribution \(Categorical\).* return its parameters",
        ),
        (lambda z: (z, torch.distributions.Normal(z, 1.0)), r"a distribution \(Normal\)"),
        (Hiding, "of type Hiding, expected a tensor, or a tuple"),
        (lambda z: (z, Hiding(z)), "of type Hiding, expected a tensor"),
        (lambda z: {"none": None}, "of type dict, expected a tensor"),
    ],
)
def test_outputs_that_cannot_be_taken_apart_are_refused(after, words):
    def loss(outputs, targets):
        return torch.stack([p.sum() for p in model.parameters()]).sum()

    model = Wrapped(network(), after)
    with pytest.raises(InvalidInput, match=words):
        Problem(model, loss, (INPUTS, LABELS))


def test_what_is_no_tensor_must_stay_the_same():
    model = Wrapped(network(), lambda z: (z, len(z)))
    with pytest.raises(InvalidInput, match=r"returns \(a tensor, 2\) and, on other data, \(a tensor, 5\)"):
        Problem(model, lambda z, y: F.cross_entropy(z[0], y), (INPUTS, LABELS), batch_size=5)
    model = Wrapped(network(), lambda z: z if len(z) == 5 else (z, None))
    with pytest.raises(InvalidInput, match=r"returns \(a tensor, None\) and, on other data, a tensor"):
        Problem(model, lambda z, y: F.cross_entropy(z, y), (INPUTS, LABELS), batch_size=5)


def test_a_problem_can_be_copied_and_pickled():
    model = nn.Linear(4, 3).double()
    problem = Problem(model, F.cross_entropy, (INPUTS, LABELS), batch_size=5)
    for again in (copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        assert loss_of(again) == loss_of(problem)


def test_only_what_may_hide_tensors_is_opaque():
    assert opaque([None, 1, 2.5, "word", torch.float32, {"a": INPUTS}]) is None
    assert isinstance(opaque([INPUTS, {"a": Hiding(INPUTS)}]), Hiding)


class InPlace(nn.Module):
    """Halves its inputs where they lie."""

    def __init__(self, first: nn.Module | None = None):
        super().__init__()
        self.part, self.first = network(), first

    def forward(self, x):
        x = self.first(x) if self.first else x.mul_(0.5)
        return self.part(x)


@pytest.mark.parametrize("first", [nn.ReLU(inplace=True), None])
@pytest.mark.parametrize("options", [{}, {"batch_size": 5}])
def test_a_module_that_writes_into_its_inputs_gets_copies(first, options):
    mine = INPUTS.clone()
    problem = Problem(InPlace(first), F.cross_entropy, (mine, LABELS), (mine, LABELS), **options)
    changed = INPUTS.relu() if first else INPUTS / 2
    truth = float(F.cross_entropy(network()(changed), LABELS).detach())
    for _ in range(2):
        assert loss_of(problem) == pytest.approx(truth, rel=1e-12)
        assert loss_of(problem, "test") == pytest.approx(truth, rel=1e-12)
        problem.gradients(torch.stack([problem.start, problem.start]))
    for split in ("train", "test"):
        assert torch.equal(problem.all_data(split)[0], INPUTS)
    assert torch.equal(mine, INPUTS)


def test_a_loss_that_writes_into_what_it_is_given_gets_copies():
    def loss(outputs, targets):
        return F.cross_entropy(outputs.mul_(2), targets.add_(1).remainder_(3))

    problem = Problem(network(), loss, (INPUTS, LABELS), batch_size=5)
    truth = float(F.cross_entropy(2 * network()(INPUTS), (LABELS + 1) % 3).detach())
    for _ in range(2):
        assert loss_of(problem) == pytest.approx(truth, rel=1e-12)
    assert torch.equal(problem.all_data("train")[1], LABELS)
