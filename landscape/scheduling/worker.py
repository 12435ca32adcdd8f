"""What runs in a worker process: one JSON-able job in, trained and stored, one JSON-able answer out.

Everything a worker finds out it writes into the store itself, so results outlive a lost scheduler, and any
`concurrent.futures.Executor` that can import Grokscape and reach the store's folder will do.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import multiprocessing
import os
import pickle
import platform
import threading
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from grokscape.landscape.description import from_data
from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.experiment import COLUMNS, Experiment, Outcome
from grokscape.landscape.printable import error_text
from grokscape.landscape.records.store import Store
from grokscape.landscape.scheduling.job_reports import JobReporter
from grokscape.landscape.scheduling.release import nothing_left
from grokscape.landscape.scheduling.requirements import refuse_unaffordable
from grokscape.landscape.scheduling.session import StoreSession
from grokscape.landscape.user_modules import USER_PREFIX, import_module

#: Set before a worker starts. The first three keep every process to one thread. The last let glibc keep memory between
#: steps instead of handing large temporaries back to the system each time: steps took a third less.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 2**20),
    "MALLOC_TRIM_THRESHOLD_": str(2**30),
}


@dataclass(frozen=True)
class Job:
    """A batch of experiments to train together.

    Attributes
    ----------
    name : str
        Names the file under ``progress/`` in which the worker reports its progress.
    store : str
        Path of the store.
    experiments : list
        As `Description.to_data` gives them.
    modules : list of str
        Modules or files to import first: where descriptions of the user's own are defined.
    device, compile, interval
        See `StoreSession`.
    """

    name: str
    store: str
    experiments: list[dict[str, Any]]
    modules: list[str] = field(default_factory=list)
    device: str = "cpu"
    compile: bool = False
    interval: float = 15.0

    @classmethod
    def of(
        cls,
        batch: Sequence[Experiment],
        store: str,
        modules: Sequence[str] = (),
        device: str = "cpu",
        compile: bool = False,
    ) -> Job:
        """Return a new job that trains a batch; `modules` are what must be imported besides the experiments' homes."""
        # Where the descriptions' own classes live, besides what the caller named; never a name out of a store.
        homes = {type(part).__module__ for experiment in batch for part in experiment.parts()}
        importable = sorted(home for home in homes if not home.startswith(USER_PREFIX))
        described = [experiment.to_data() for experiment in batch]
        return cls(uuid.uuid4().hex[:12], store, described, [*modules, *importable], device, compile)

    def to_data(self) -> dict[str, Any]:
        """Return the job as JSON-able data."""
        return asdict(self)


def train_job(data: dict[str, Any]) -> dict[str, Any]:
    """Train a job's experiments that are not in the store yet, and store each when it is finished.

    Parameters
    ----------
    data : dict
        A `Job`, as data.

    Returns
    -------
    dict
        ``trained``: identities trained here; ``busy``: identities that another process was training meanwhile;
        ``damaged``: sentences about records that had to be recomputed; ``notes``: what else a reader should know;
        ``report``: what was done, see `JobReport`.
    """
    # A process that is not ours alone keeps its own ways of collecting what nobody holds.
    ours = multiprocessing.parent_process() is not None
    try:
        with nothing_left() if ours else contextlib.nullcontext():
            return _train_job(Job(**data))
    except BaseException as error:
        # Somebody's code may raise anything. What ends a process must not end the one that reads the answer, and what
        # cannot travel would look as if this process had been killed.
        if (isinstance(error, Exception) and _can_travel(error)) or _is_meant_for_the_caller(error):
            raise
        raise RuntimeError(error_text(error)) from None


def _is_meant_for_the_caller(error: BaseException) -> bool:
    """Say whether it is a Ctrl-C in the process of whoever asked: workers hear none, and are children or threads."""
    here = threading.current_thread() is threading.main_thread() and multiprocessing.parent_process() is None
    return isinstance(error, KeyboardInterrupt) and here


def _can_travel(error: Exception) -> bool:
    try:
        return type(pickle.loads(pickle.dumps(error))) is type(error)  # noqa: S301 - our own, written a moment ago
    except Exception:
        return False


def _train_job(job: Job) -> dict[str, Any]:
    import torch

    torch.set_num_threads(1)
    for module in job.modules:
        import_module(module)
    store = Store(job.store)
    answer: dict[str, Any] = {"trained": [], "busy": [], "damaged": [], "notes": []}
    clock = time.thread_time if job.device == "cpu" else time.monotonic
    reporter = JobReporter(store.path / "progress" / f"{job.name}.job", clock)
    with contextlib.ExitStack() as stack:
        stack.callback(_remove, reporter.path)
        todo = []
        for experiment in map(_experiment, job.experiments):
            if not stack.enter_context(store.claim(experiment)):
                answer["busy"].append(experiment.identity)
                continue
            usable, complaint = store.usable(experiment)
            answer["damaged"] += [complaint] if complaint else []
            if not usable:
                todo.append(experiment)
        if todo:
            refuse_unaffordable(todo, job.device)
            session = StoreSession(store, job.device, job.compile, job.interval, reporter)
            reporter.resumed = lambda: session.resumed
            for experiment, outcome in reporter.timed(_sound(type(todo[0]).train(todo, session), todo)):
                store.write(experiment, outcome, provenance(job, outcome))
                answer["trained"].append(experiment.identity)
                reporter.end(experiment, outcome.info.get("last_step"))
            answer["notes"] += session.notes
    answer["damaged"] += store.complaints
    reporter.now = 1.0
    answer["report"] = reporter.to_data()
    return answer


def _remove(hint: Path) -> None:
    with contextlib.suppress(OSError):
        hint.unlink(missing_ok=True)


def _sound(trained: Iterable[object], todo: Sequence[Experiment]) -> Iterator[tuple[Experiment, Outcome]]:
    """Yield what a training yields, each experiment once; refuse what is no outcome of what was to be trained."""
    name = f"{type(todo[0]).__name__}.train"
    left = {experiment.identity for experiment in todo}
    for item in trained:
        if not (isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Experiment)):
            raise InvalidInput(f"{name} yields {item!r:.80}, expected pairs of an experiment and its Outcome")
        experiment, outcome = item
        if experiment.identity not in left:
            raise InvalidInput(f"{name} yields {experiment!r:.200}, which it was not given or has yielded before")
        complaint = _complaint(outcome)
        if complaint:
            raise InvalidInput(f"{name} yields an outcome that cannot be stored: {complaint}")
        left.discard(experiment.identity)
        yield experiment, outcome


def _complaint(outcome: object) -> str:
    """Return what is wrong with an outcome; "" for one that can be stored and read again."""
    if not isinstance(outcome, Outcome):
        return f"it is {outcome!r:.80}, expected an Outcome"
    columns = getattr(outcome.trajectory, "columns", ())
    lacking = [name for name in COLUMNS if name not in columns]
    if lacking:
        return f"its trajectory has no column {lacking[0]!r}, expected a table with {', '.join(COLUMNS)}"
    if not isinstance(outcome.weights, dict) or not all(isinstance(w, dict) for w in outcome.weights.values()):
        return "its weights are no dict of step -> name -> array"
    arrays = [array for weights in outcome.weights.values() for array in weights.values()]
    if not all(isinstance(array, np.ndarray) for array in arrays):
        return "its weights hold something that is no numpy array"
    try:
        json.dumps(outcome.info)
    except (TypeError, ValueError) as error:
        return f"its info cannot be written as JSON ({error})"
    return ""


def _experiment(data: dict[str, Any]) -> Experiment:
    experiment = from_data(data)
    if not isinstance(experiment, Experiment):
        raise InvalidInput(f"{data['kind']!r} describes no experiment")
    return experiment


def provenance(job: Job, outcome: Outcome) -> dict[str, Any]:
    """Return what a record says about the circumstances of its making."""
    import torch

    device = torch.cuda.get_device_name() if job.device.startswith("cuda") else platform.machine()
    return {
        "grokscape": importlib.metadata.version("grokscape"),
        "torch": torch.__version__,
        "numba": _version("numba"),
        "arithmetic": outcome.info.get("arithmetic", "NumPy, SciPy and PyTorch"),
        "python": platform.python_version(),
        "device": device,
        "compiled": job.compile,
        "mkl_cbwr": os.environ.get("MKL_CBWR", ""),
        "batch_invariant": _batch_invariant(job),
        "finished": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _version(package: str) -> str:
    """Return the version of a package that may be missing; "" if it is."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _batch_invariant(job: Job) -> str:
    """Return whether the bits of a record are independent of the batch that it was trained in: "yes", or why not."""
    if job.compile or job.device != "cpu":
        return "no: compiled code and other devices than the CPU agree to rounding error only"
    from grokscape.landscape.training.batch_invariance import batch_dependence  # needs torch

    reason = batch_dependence()
    return f"no: {reason}" if reason else "yes"


def prepare_worker(parent: int) -> None:
    """Set up a worker process of this machine: Ctrl-C is the parent's business, and the worker ends with its parent."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        # A batch holds one lock, hence one open file, for each of its runs; some systems start with 256 at most.
        now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
        enough = 4096 if most == resource.RLIM_INFINITY else min(4096, most)
        if now != resource.RLIM_INFINITY and now < enough:
            resource.setrlimit(resource.RLIMIT_NOFILE, (enough, most))

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
