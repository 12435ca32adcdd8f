"""Any module is copied with what it holds, or refused by name; what only wraps it is taken off."""

from __future__ import annotations

import functools
import logging
import threading
import types

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from grokscape.landscape.errors import InvalidInput, brief
from grokscape.landscape.initialisation import fresh
from grokscape.landscape.problem import Problem
from grokscape.landscape.problem.adoption import copied
from tests.landscape.adopted import INPUTS, LABELS, PLAIN, Body, network, problem, trace, true_trace


class Holder:
    def __init__(self):
        self.lock, self.kept = threading.Lock(), 2 * torch.ones(3, requires_grad=True)


@pytest.mark.parametrize(
    "make",
    [
        threading.Lock,
        lambda: {"a": [threading.RLock()]},
        lambda: (step for step in range(3)),
        lambda: logging.getLogger("adoption"),
        torch.Generator,
        Holder,
        lambda: network()(INPUTS),
    ],
    ids=["lock", "nested", "generator", "logger", "torch generator", "object", "graph"],
)
def test_what_cannot_be_copied_and_has_no_part_in_the_loss_is_no_obstacle(make):
    model = network()
    model.held = make()
    held = problem(model)
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)
    assert held.template is not model
    assert not {id(p) for p in model.parameters()} & {id(p) for p in held.template.parameters()}


def test_an_open_file_is_shared(tmp_path):
    model = Body(lambda self, x: (self.file.write("called\n"), self.body(x))[1])
    with (tmp_path / "log").open("w") as model.file:
        assert trace(problem(model)) == pytest.approx(PLAIN, rel=1e-9)


def test_a_module_that_refuses_to_be_copied_is_refused():
    class Single(nn.Linear):
        def __deepcopy__(self, memo):
            raise TypeError("there is only one of me")

    with pytest.raises(InvalidInput, match=r"cannot be copied \(TypeError: there is only one of me\)"):
        problem(nn.Sequential(Single(4, 3)))


COMPILE = functools.partial(torch.compile, backend="eager")


@pytest.mark.parametrize("wrap", [nn.DataParallel, COMPILE, lambda m: nn.DataParallel(COMPILE(m))])
@pytest.mark.parametrize("inside", [False, True])
def test_wrappers_are_taken_off_and_out_of_names(wrap, inside):
    model = nn.Sequential(wrap(network()), nn.Identity()) if inside else wrap(network())
    held = problem(model)
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)
    assert held.layout.names == [f"{'0.' if inside else ''}{n}" for n, _ in network().named_parameters()]


def test_a_weight_tied_across_a_wrapper_stays_tied():
    first, second = nn.Linear(4, 4).double(), nn.Linear(4, 4).double()
    second.weight = first.weight
    held = problem(nn.Sequential(nn.DataParallel(nn.Sequential(first, nn.DataParallel(nn.Tanh()))), second))
    assert held.layout.names == ["0.0.weight", "0.0.bias", "1.bias"]
    assert [type(part) for part in held.template.modules()].count(nn.DataParallel) == 0


def test_a_distributed_wrapper_is_taken_off():
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        held = problem(nn.parallel.DistributedDataParallel(network()))
    finally:
        torch.distributed.destroy_process_group()
    assert held.layout.names[0] == "0.weight"
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.fx.symbolic_trace(network()),
        lambda: torch.optim.swa_utils.AveragedModel(network()),
        lambda: rebound(lambda model: types.MethodType(nn.Sequential.forward, model)),
        lambda: rebound(lambda model: functools.partial(nn.Sequential.forward, model)),
    ],
    ids=["graph", "average", "method", "partial"],
)
def test_other_modules_are_run_as_they_are(make):
    assert trace(problem(make())) == pytest.approx(PLAIN, rel=1e-9)


def rebound(make) -> nn.Module:
    model = network()
    model.forward = make(model)
    return model


def test_parameters_made_in_inference_mode():
    with torch.inference_mode():
        model = network()
    assert trace(problem(model)) == pytest.approx(PLAIN, rel=1e-9)


def test_autocasting_around_the_call_takes_no_digits():
    model = network().float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = trace(Problem(model, F.cross_entropy, (INPUTS, LABELS)))
    assert found == pytest.approx(PLAIN, rel=1e-5)


@pytest.mark.parametrize("reentrant", [False, True])
def test_activation_checkpointing_does_not_recompute_with_other_parameters(reentrant):
    def run(self, x):
        return self.body[2](checkpoint(lambda a: self.body[1](self.body[0](a)), x, use_reentrant=reentrant))

    held, plain = problem(Body(run)), problem()
    assert trace(held) == pytest.approx(PLAIN, rel=1e-9)
    params = 2 * plain.start[None]
    torch.testing.assert_close(held.gradients(params), plain.gradients(params))


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.weight_norm` is deprecated:FutureWarning")
@pytest.mark.parametrize("dim", [0, 1, None])
@pytest.mark.parametrize("called", [False, True])
def test_the_old_weight_normalisation_has_the_hessian_of_its_formula(dim, called):
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = nn.Sequential(nn.utils.weight_norm(nn.Linear(4, 3).double(), dim=dim), nn.Tanh())
    if called:
        with torch.no_grad():
            model(INPUTS)

    def loss(p):
        v = p["0.weight_v"]
        size = v.square().sum().sqrt() if dim is None else v.square().sum(1 - dim, keepdim=True).sqrt()
        return F.cross_entropy(torch.tanh(INPUTS @ (v * p["0.weight_g"] / size).T + p["0.bias"]), LABELS)

    held = problem(model)
    assert trace(held) == pytest.approx(true_trace(model, loss), rel=1e-9)
    assert fresh(held, 0, lambda seed: dict(model.named_parameters())).equal(held.start)
    assert copied(held.template) is not held.template  # though it keeps the weight of its last call


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.spectral_norm` is deprecated:FutureWarning")
def test_the_old_spectral_normalisation_has_the_hessian_of_its_formula():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        model = nn.Sequential(nn.utils.spectral_norm(nn.Linear(4, 3).double()), nn.Tanh()).eval()
    u, v = model[0].weight_u, model[0].weight_v

    def loss(p):
        weight = p["0.weight_orig"] / (u @ p["0.weight_orig"] @ v)
        return F.cross_entropy(torch.tanh(INPUTS @ weight.T + p["0.bias"]), LABELS)

    assert trace(problem(model)) == pytest.approx(true_trace(model, loss), rel=1e-9)


def test_pruned_weights_stay_pruned():
    from torch.nn.utils import prune

    model = network()
    prune.l1_unstructured(model[0], "weight", 0.5)
    mask = model[0].weight_mask

    def loss(p):
        hidden = torch.tanh(F.linear(INPUTS, p["0.weight_orig"] * mask, p["0.bias"]))
        return F.cross_entropy(F.linear(hidden, p["2.weight"], p["2.bias"]), LABELS)

    assert trace(problem(model)) == pytest.approx(true_trace(model, loss), rel=1e-9)


class Whole(nn.Module):
    """Weights that are integers, or complex, and constant."""

    def __init__(self, dtype, free=False):
        super().__init__()
        self.body, self.scale = network(), nn.Parameter(torch.ones(3).to(dtype) * 2, requires_grad=free)

    def forward(self, x):
        return (self.body(x) * self.scale).real if self.scale.is_complex() else self.body(x) * self.scale


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex128])
def test_constant_weights_may_be_of_any_kind(dtype):
    truth = true_trace(
        network(), lambda p: F.cross_entropy(2 * torch.func.functional_call(network(), p, INPUTS), LABELS)
    )
    assert trace(problem(Whole(dtype))) == pytest.approx(truth, rel=1e-9)


def overlapping() -> nn.Module:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 3))
    model[1].bias = nn.Parameter(model[0].bias.data[:3])
    return model


def with_bias(bias) -> nn.Module:
    model = nn.Linear(4, 3)
    model.bias = nn.Parameter(bias)
    return model


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature:UserWarning")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.Linear(4, 3, device="meta"), "'weight' of the model is on the meta device, without values; load"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3, device="meta", affine=False)), "'1.running_mean' of"),
        (lambda: nn.Sequential(nn.LazyLinear(3)), "'0.weight' of the model has no shape yet"),
        (lambda: nn.Sequential(nn.Linear(4, 3), nn.LazyBatchNorm1d(affine=False)), "'1.running_mean' .* no shape yet"),
        (lambda: torch.jit.script(network()), "the model is compiled to TorchScript.* give the module that was"),
        (lambda: nn.Sequential(torch.jit.trace(network(), INPUTS)), "module '0' is compiled to TorchScript"),
        (lambda: nn.Sequential(nn.Tanh()), "the model has no parameters"),
        (lambda: with_bias(torch.ones(1).expand(3)), r"'bias' of shape \(3,\) is expanded: its elements share memory"),
        (overlapping, "'0.bias' and '1.bias' share memory but are two parameters"),
        (lambda: with_bias(torch.ones(3).to_sparse()), "'bias' of the model is Parameter of layout torch.sparse_coo"),
        (lambda: type("FSDPLinear", (nn.Linear,), {})(4, 3), "sharded over processes"),
        (lambda: nn.ModuleList([nn.Linear(4, 3).double()]), 'missing the required "forward" function'),
        (lambda: Whole(torch.complex128, free=True), "several precisions"),
    ],
)
def test_what_has_no_weights_to_vary_is_refused_by_name(make, words):
    with pytest.raises(InvalidInput, match=words):
        problem(make())


def test_a_parameter_that_is_no_tensor_is_refused():
    with pytest.raises(InvalidInput, match="parameter 'w' is 3, expected a tensor"):
        Problem(lambda p, x: x, F.cross_entropy, (INPUTS, LABELS), parameters={"w": 3})


@pytest.mark.parametrize(
    ("thing", "found"),
    [("one\n two", "one two"), ("several words here", "several ..."), ("x" * 30, "x" * 9 + "...")],
)
def test_texts_are_cut_between_words(thing, found):
    assert brief(thing, 12) == found
