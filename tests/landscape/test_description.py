"""Catches descriptions that lose something on the way through JSON, or whose identity changes or collides.

Every stored record is found again by identity alone.
"""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokscape.landscape import description
from grokscape.landscape.description import Description, from_data
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.learners import (
    BayesianNetwork,
    EffectiveFlow,
    EmbeddingDecoder,
    GaussianProcessRegression,
    LaplaceClassification,
    LinearRegression,
    LinearTeacher,
    ParallelogramCriticalSize,
    TwoCircuits,
    VariationalClassification,
)
from grokscape.landscape.models import LSTM, Dense, EdgeNetwork, NormalisedPerceptron, Perceptron, Tempered, Transformer
from grokscape.landscape.optimisers import SGD, AdamW
from grokscape.landscape.surveys import ReducedLandscape, SolutionPath
from grokscape.landscape.tasks import (
    OPERATIONS,
    BinaryOperation,
    ConcealedOperation,
    Digits,
    FilmReviews,
    MessyImages,
    MessySums,
    Mnist,
    MnistSample,
    Molecules,
    ParityPopulation,
    Permutations,
    ReviewWords,
    SampledParity,
    SignOfInput,
    SparseParity,
    TeacherStudent,
)
from grokscape.landscape.training.run import Run
from grokscape.landscape.training.schedule import Schedule
from grokscape.landscape.training.stop import Stop

PERMUTATIONS = Permutations(n=4, word="xyx")
#: One of each kind, with as many fields as possible away from their defaults.
EXAMPLES: list[Description] = [
    BinaryOperation(operation="x^2+xy+y^2", p=12),
    PERMUTATIONS,
    SparseParity(n=7, k=4),
    ConcealedOperation(operation="x*y*x", p=5, dimensions=3, noise="normal", examples=8, draw=1),
    Perceptron(width=3, activation="quadratic", bias=True, embedding=5),
    Transformer(width=6, heads=3, hidden=7, bias=False),
    AdamW(lr=1e-5, weight_decay=1 / 3, beta1=0.5, beta2=0.25, eps=1e-30),
    SGD(lr=1e300, weight_decay=5e-324, momentum=0.1),
    Schedule(per_decade=3, every=17),
    Stop(quantity="loss", split="train", below=1e-3, records=2),
    SampledParity(bits=9, relevant=2, silent=3, examples=95),
    BayesianNetwork(
        task=SampledParity(examples=99),
        n_train=9,
        seed=1,
        start_scale=0.3,
        kl_weight=0,
        width=5,
        epochs=7,
        labels="random",
    ),
    TwoCircuits(kappa=0.7, reading="alpha", classes=5, record=Schedule(every=9)),
    TeacherStudent(features=2, outputs=3, widths=(4,), examples=9, within=0.5),
    MessySums(symbols=7, messiness=0.3, draw=2, order="permuted"),
    MessyImages(of=Digits(examples=94), messiness=0.3),
    Digits(examples=99),
    MnistSample(examples=98, sha256="0" * 64),
    Mnist(examples=97),
    FilmReviews(examples=96, vocabulary=10, skip=1, norm=2),
    Molecules(examples=95, within=2),
    ReviewWords(examples=93, vocabulary=12, skip=2, length=4),
    Dense(widths=(3, 4, 5), activation="tanh", bias=False),
    NormalisedPerceptron(width=5, activation="quadratic", bias=True, embedding=3),
    Tempered(of=Perceptron(width=4), temperature=3),
    EdgeNetwork(widths=(6, 5), edge_width=4, readout=3),
    LSTM(embedding=5, width=4, layers=3),
    EmbeddingDecoder(symbols=6, n_train=11, seed=2, steps=9, widths=(7,), labels="shuffled", decoder=AdamW(lr=0.5)),
    EffectiveFlow(symbols=6, n_train=19, seed=2, draw=1, span=3),
    ParallelogramCriticalSize(symbols=6, draws=3, seed=1, labels="shuffled"),
    ParityPopulation(relevant=2, spurious=5, filler="normal"),
    SignOfInput(),
    GaussianProcessRegression(
        log_lengthscale=-6, log_outputscale=4, seed=1, n_train=9, n_test=8, noise=0.5, train_noise=True, steps=7, lr=0.1
    ),
    LaplaceClassification(population=SignOfInput(), seed=1, n_train=9, labels="shuffled", lengthscale=0.5, steps=7),
    VariationalClassification(
        seed=1, parametrisation="whitened", divergence_weight=0, mean="zero", train_kernel=False, steps=7
    ),
    LinearRegression(seed=1, n_train=3, data_sets=2, start=(1, 2, 3, 4), penalty=False, targets="random", steps=7),
    LinearTeacher(inputs=5, outputs=2, n_train=9, seed=1, weight_decay=0.1, quickens=2, quickens_at=3, steps=7),
    ReducedLandscape(
        task=TeacherStudent(), model=Dense(), sizes=(5, 9), scales=(0.5, 2), seed=1, steps=7, lr=0.1, tangential=False
    ),
    SolutionPath(
        first=Run(optimiser=SGD(lr=0.5), n_train=50, seed=1, steps=5),
        last=Run(n_train=60, seed=1, steps=7),
        bends=2,
        steps=9,
        points=11,
        seed=3,
    ),
    Run(
        task=PERMUTATIONS,
        model=Transformer(width=64, bias=False),
        optimiser=SGD(lr=0.5, momentum=0.9),
        n_train=100,
        seed=3,
        steps=77,
        labels="random",
        loss="mse",
        initial_scale=2,
        fixed_norm=5,
        dtype="float64",
        record=Schedule(every=10),
        stop=(Stop(quantity="accuracy", above=0.99),),
        keep=(1, 2),
        start=Run(task=PERMUTATIONS, model=Transformer(width=64, bias=False), n_train=50, seed=1, steps=5),
    ),
]


def through_json(described: Description) -> Description:
    return from_data(json.loads(json.dumps(described.to_data())))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)
def test_json_brings_back_an_equal_description(example: Description) -> None:
    back = through_json(example)
    assert type(back) is type(example)
    assert back == example
    assert hash(back) == hash(example)
    assert back.identity == example.identity
    assert back.canonical == example.canonical


def test_every_kind_has_an_example() -> None:
    own = {kind for kind, cls in description._KINDS.items() if cls.__module__.startswith("grokscape.landscape.")}
    assert own == {example.kind for example in EXAMPLES}


tasks = st.one_of(
    st.builds(BinaryOperation, operation=st.sampled_from(sorted(OPERATIONS)), p=st.sampled_from([5, 7, 11, 13])),
    st.builds(SparseParity, n=st.just(6), k=st.integers(1, 6)),
)
positive = st.floats(1e-300, 1e300)
runs = st.builds(
    Run,
    task=tasks,
    model=st.one_of(
        st.builds(Perceptron, width=st.integers(1, 999), bias=st.booleans(), embedding=st.none() | st.integers(1, 9)),
        st.builds(Transformer, width=st.just(8), heads=st.sampled_from([1, 2, 4, 8]), hidden=st.integers(1, 99)),
    ),
    optimiser=st.one_of(
        st.builds(AdamW, lr=positive, weight_decay=st.floats(0, 10), beta1=st.floats(0, 0.999), eps=positive),
        st.builds(SGD, lr=positive, momentum=st.floats(0, 0.999)),
    ),
    n_train=st.integers(1, 20),
    seed=st.integers(0, 2**70),
    steps=st.integers(50, 10**9),
    labels=st.sampled_from(["true", "random"]),
    loss=st.sampled_from(["cross_entropy", "mse"]),
    initial_scale=st.floats(-1e9, 1e9),
    fixed_norm=st.none() | positive,
    dtype=st.sampled_from(["float32", "float64"]),
    record=st.builds(Schedule, per_decade=st.integers(1, 99), every=st.integers(1, 9999)),
    stop=st.lists(st.builds(Stop, quantity=st.text(), above=st.floats(-1e300, 1e300)), max_size=3).map(tuple),
    keep=st.lists(st.integers(0, 50), max_size=4).map(tuple),
)


@settings(derandomize=True, database=None, deadline=None, max_examples=80)
@given(runs)
def test_any_run_comes_back_from_json(run: Run) -> None:
    assert through_json(run) == run
    assert through_json(run).identity == run.identity
    child = run.replace(start=run, seed=run.seed + 1)
    back = through_json(child)
    assert back == child
    assert isinstance(back, Run)
    assert back.start == run


@settings(derandomize=True, database=None, deadline=None, max_examples=80)
@given(runs, runs)
def test_identities_agree_exactly_when_descriptions_do(one: Run, other: Run) -> None:
    assert (one == other) == (one.identity == other.identity)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("n_train", 401),
        ("seed", 1),
        ("steps", 1001),
        ("labels", "random"),
        ("loss", "mse"),
        ("initial_scale", 1.0000000000000002),
        ("fixed_norm", 1.0),
        ("dtype", "float64"),
        ("keep", (3,)),
        ("stop", (Stop(quantity="loss", above=1.0),)),
        ("record", Schedule(every=251)),
        ("optimiser", AdamW(lr=2e-3)),
        ("model", Perceptron(width=129)),
        ("task", BinaryOperation(p=41)),
        ("start", Run(n_train=400, seed=0, steps=1000)),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_field_counts(field: str, value: Any) -> None:
    run = Run(n_train=400, seed=0, steps=1000)
    assert run.replace(**{field: value}).identity != run.identity


def test_identities_never_change() -> None:
    """Golden values: whoever changes these makes every stored record unfindable."""
    assert Run(n_train=400, seed=0, steps=1000).identity == "963acf034cdc9e22913465ab0739173d"
    assert EXAMPLES[-1].identity == "165e4dfce5381857b874f972f3b219d3"
    assert TwoCircuits().identity == "83fbe9a78d8d714f795ca9c02f2b2f71"


def test_canonical_form_is_sorted_and_dense() -> None:
    assert Schedule().canonical == '{"every":250,"kind":"schedule","per_decade":20}'
    assert AdamW(lr=1).canonical == (
        '{"beta1":0.9,"beta2":0.98,"eps":1e-08,"kind":"adamw","lr":1.0,"weight_decay":1.0}'
    )


def test_numbers_of_equal_meaning_are_equal() -> None:
    plain = Run(n_train=40, seed=1, steps=10, initial_scale=2.0, fixed_norm=3.0, keep=(1, 2), optimiser=AdamW(lr=1.0))
    other = Run(
        n_train=np.int64(40),  # type: ignore[arg-type]
        seed=np.uint8(1),  # type: ignore[arg-type]
        steps=10,
        initial_scale=2,
        fixed_norm=np.float32(3),  # type: ignore[arg-type]
        keep=[np.int32(1), 2],  # type: ignore[arg-type]
        optimiser=AdamW(lr=1),
    )
    assert other == plain
    assert other.identity == plain.identity
    assert type(other.n_train) is int
    assert type(other.initial_scale) is float
    assert type(other.keep) is tuple
    assert through_json(other) == plain


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, np.float32("nan")])
@pytest.mark.parametrize(
    ("cls", "field"), [(AdamW, "lr"), (SGD, "weight_decay"), (TwoCircuits, "kappa")], ids=["adamw", "sgd", "toy"]
)
def test_numbers_that_are_none_are_refused(cls: Any, field: str, number: float) -> None:
    with pytest.raises(InvalidInput) as refusal:
        cls(**{field: number})
    assert f"{cls.__name__}.{field}" in str(refusal.value)
    assert "finite" in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ({"n_train": 3.0}, ["Run.n_train", "3.0", "integer"]),
        ({"n_train": "3"}, ["Run.n_train", "'3'", "integer"]),
        ({"n_train": 1370}, ["Run.n_train", "1370", "between 1 and 1369"]),
        ({"n_train": 0}, ["Run.n_train", "0", "between 1 and 1369"]),
        ({"seed": -1}, ["Run.seed", "-1", "not negative"]),
        ({"steps": 0}, ["Run.steps", "0", "at least 1"]),
        ({"initial_scale": "big"}, ["Run.initial_scale", "'big'", "number"]),
        ({"fixed_norm": 0.0}, ["Run.fixed_norm", "0.0", "positive"]),
        ({"dtype": "float16"}, ["Run.dtype", "'float16'", "'float32'", "'float64'"]),
        ({"labels": "shuffled"}, ["Run.labels", "'shuffled'", "'random'"]),
        ({"keep": (11,)}, ["Run.keep", "11", "between 0 and 10"]),
        ({"keep": 3}, ["Run.keep", "3", "sequence"]),
        ({"keep": "12"}, ["Run.keep", "'12'", "sequence"]),
        ({"stop": (Schedule(),)}, ["Run.stop", "Schedule", "Stop"]),
        ({"task": Perceptron()}, ["Run.task", "Perceptron", "Task"]),
        ({"optimiser": "adamw"}, ["Run.optimiser", "'adamw'", "Optimiser"]),
        ({"start": Run(n_train=5, seed=0, steps=5, model=Perceptron(width=5))}, ["Run.start", "same task and model"]),
        ({"start": Run(n_train=5, seed=0, steps=5, task=BinaryOperation(p=5))}, ["Run.start", "same task and model"]),
    ],
    ids=lambda value: "-".join(map(str, value)) if isinstance(value, dict) else "",
)
def test_refusals_name_field_value_and_expectation(fields: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Run(**({"n_train": 10, "seed": 0, "steps": 10} | fields))
    assert all(part in str(refusal.value) for part in parts), refusal.value


def test_flags_are_true_or_false_and_nothing_else() -> None:
    with pytest.raises(InvalidInput, match=r"Perceptron\.bias is 1, expected True or False"):
        Perceptron(bias=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        ({"kind": "grokfast"}, ["'grokfast'", "--module", "newer"]),
        ({"kind": "sgd", "lr": 0.1, "nesterov": True}, ["SGD", "'nesterov'", "newer"]),
        ({"lr": 0.1}, ["'kind'"]),
        (["sgd"], ["'kind'", "sgd"]),
        ({"kind": "sgd", "lr": "fast"}, ["SGD.lr", "'fast'"]),
        ({"kind": "run", "n_train": 5, "seed": 0, "steps": 3, "task": {"kind": "no"}}, ["'no'"]),
    ],
    ids=["unknown-kind", "unknown-field", "no-kind", "no-object", "bad-value", "unknown-inside"],
)
def test_data_that_describes_nothing_known_is_refused(data: Any, parts: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        from_data(data)
    assert all(part in str(refusal.value) for part in parts), refusal.value


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.kind)
def test_descriptions_are_frozen(example: Description) -> None:
    identity = example.identity
    for name in example.to_data():
        if name != "kind":
            with pytest.raises(dataclasses.FrozenInstanceError):
                setattr(example, name, 1)
    assert example.identity == identity


def test_replace_leaves_the_original_and_its_identity() -> None:
    run = Run(n_train=400, seed=0, steps=1000)
    identity = run.identity
    changed = run.replace(seed=5)
    assert (run.seed, run.identity) == (0, identity)
    assert changed == Run(n_train=400, seed=5, steps=1000)
    assert changed.identity == Run(n_train=400, seed=5, steps=1000).identity


def test_kinds_are_taken_once_but_modules_may_be_imported_twice() -> None:
    def define() -> type[Description]:
        @dataclasses.dataclass(frozen=True, kw_only=True)
        class Mine(Description, kind="test_description_mine"):
            size: int = 1
            shape: Literal["round", "square"] = "round"

        return Mine

    define()
    latest = define()
    assert type(from_data({"kind": "test_description_mine"})) is latest
    with pytest.raises(InvalidInput, match=r"'test_description_mine' of Other is taken by .*Mine"):
        type("Other", (Description,), {"__qualname__": "Other"}, kind="test_description_mine")
