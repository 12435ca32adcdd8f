"""From wanted experiments to stored records, on any `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor

from grokscape.landscape.experiment import Experiment
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.plan import Plan
from grokscape.landscape.scheduling.scheduler import Event, Scheduler


def train_all(
    experiments: Iterable[Experiment] | Plan,
    store: Store,
    executor: Executor,
    *,
    modules: Sequence[str] = (),
    device: str = "cpu",
    compile: bool = False,
    tick: float = 0.5,
) -> Iterator[Event]:
    """Train whatever is missing; yield an event per finished experiment, and one every `tick` seconds.

    Experiments that the store has already are not announced. One that cannot be trained is announced with its error
    and does not stop the others.

    Parameters
    ----------
    experiments : iterable of Experiment, or a Plan
        What is wanted; ancestors are found and trained first.
    store : Store
    executor : Executor
        Any; it gets `submit` calls of a module-level function with one JSON-able argument.
    modules : sequence of str
        What workers must import to know the descriptions.
    device, compile
        See `StoreSession`.
    tick : float
        Seconds.
    """
    sweep = Scheduler(store, executor, modules, device, compile)
    sweep.add(experiments if isinstance(experiments, Plan) else Plan.of(experiments, store))
    yield from sweep.events(tick)
