"""Claims as pytest items: ``pytest --grokscape quick -k ungrokking``.

FAIL fails, INCONCLUSIVE and NOT RUN skip with their reason, INVALID and ERROR are errors, and a verdict expected with
``--grokscape-expect`` is an xfail (any other than the expected one fails). All selected claims are checked together,
when the first of them is due, so that they share runs and are corrected as families.

Nothing but pytest is imported before claims are asked for: pytest loads this module in every session, most of which
are somebody else's.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from grokscape.landscape.records.store import Store
    from grokscape.landscape.scheduling.progress import SweepProgress
    from grokscape.predictions.checking.known_outcomes import KnownOutcome
    from grokscape.predictions.checking.registry import Registry
    from grokscape.predictions.prediction import Prediction
    from grokscape.predictions.verdict import Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("grokscape", "claims about grokking")
    group.addoption("--grokscape", metavar="TIER", help="collect claims, and check them at this tier: quick, ...")
    group.addoption("--grokscape-store", metavar="DIR", default="grokscape-store", help="where runs are kept")
    group.addoption(
        "--grokscape-module", metavar="MODULE", action="append", default=[], help="a file or module with more claims"
    )
    group.addoption(
        "--grokscape-expect",
        metavar="ID=VERDICT:REASON",
        action="append",
        default=[],
        help="a verdict that is known and accepted",
    )
    group.addoption("--grokscape-workers", metavar="N", type=int, help="processes; one for each core by default")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """Look at no files when only claims were asked for: with ``--grokscape`` and without paths."""
    if config.getoption("--grokscape") and config.args_source is not pytest.Config.ArgsSource.ARGS:
        return True
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add an item per claim, before ``-k`` and its like choose among all items."""
    tier = config.getoption("--grokscape")
    if not tier:
        return
    from grokscape.landscape.errors import InvalidInput, StoreError
    from grokscape.landscape.printable import printable
    from grokscape.landscape.records.store import Store
    from grokscape.landscape.records.writable import refuse_unwritable_store
    from grokscape.landscape.scheduling.local import refuse_workers
    from grokscape.predictions.checking.known_outcomes import KnownOutcome
    from grokscape.predictions.checking.registry import load
    from grokscape.predictions.prediction import TIERS

    workers = config.getoption("--grokscape-workers")

    try:
        if tier not in TIERS:
            raise InvalidInput(f"--grokscape is {tier!r}, expected one of {', '.join(TIERS)}")
        if workers is not None:
            refuse_workers(workers, "--grokscape-workers")
        registry = load(config.getoption("--grokscape-module"))
        expectations = [KnownOutcome.parse(text) for text in config.getoption("--grokscape-expect")]
        for expectation in expectations:
            registry.select([expectation.id])
        store = Store(config.getoption("--grokscape-store"))
        refuse_unwritable_store(store, tier)
    except (InvalidInput, StoreError, OSError) as error:
        raise pytest.UsageError(printable(str(error))) from None
    batch = _Batch(config, tier, store, registry, expectations)
    items[:0] = [
        ClaimItem.from_parent(session, name=id, claim=claim, batch=batch) for id, claim in registry.claims.items()
    ]


class _Batch:
    """All claims that survived selection; checked once."""

    def __init__(
        self, config: pytest.Config, tier: str, store: Store, registry: Registry, expectations: list[KnownOutcome]
    ) -> None:
        self.config, self.tier, self.store, self.registry = config, tier, store, registry
        self.expected = {expectation.id: expectation for expectation in expectations}
        self._verdicts: dict[str, Verdict] | None = None

    def verdict(self, item: ClaimItem) -> Verdict:
        if self._verdicts is None:
            chosen = [i.claim for i in item.session.items if isinstance(i, ClaimItem)]
            self._verdicts = {verdict.id: verdict for verdict in self.check(chosen)}
        return self._verdicts[item.name]

    def check(self, claims: list[Prediction]) -> list[Verdict]:
        from grokscape.landscape.scheduling.local import local_executor
        from grokscape.predictions.checking.check import Check

        known = list(self.registry.claims.values())
        check = Check(claims, self.tier, self.store, modules=self.registry.modules, known=known)
        spoken = time.monotonic()
        with local_executor(self.config.getoption("--grokscape-workers")) as executor:
            for update in check.run(executor):
                if update.note:
                    self.say(f"note: {update.note}")
                if update.progress is not None and time.monotonic() - spoken > 10:
                    spoken = time.monotonic()
                    self.say(_how_far(update.progress))
        for sentence in check.unsaved:
            self.say(f"error: {sentence}")
        return check.verdicts

    def say(self, sentence: str) -> None:
        """Tell what cannot wait, past pytest's capture: training may take minutes."""
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        if reporter is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(_printable(f"grokscape: {sentence}"))


def _how_far(progress: SweepProgress) -> str:
    to_go = "" if progress.eta is None else f", about {progress.eta:.0f} s to go"
    return f"{progress.runs_done}/{progress.runs} runs{to_go}"


class ClaimItem(pytest.Item):
    """One claim."""

    def __init__(self, *, claim: Prediction, batch: _Batch, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.claim, self.batch = claim, batch
        self.verdict: Verdict | None = None

    def setup(self) -> None:
        """Check; what cannot be judged is an error, which pytest knows by its phase."""
        from grokscape.predictions.verdict import Status

        self.verdict = self.batch.verdict(self)
        self.user_properties += list(_properties(self.verdict))
        if self.verdict.status in (Status.INVALID, Status.ERROR) and not self.expectation():
            pytest.fail(self.describe(), pytrace=False)

    def runtest(self) -> None:
        """Turn the verdict into pytest's words."""
        from grokscape.predictions.verdict import Status

        assert self.verdict is not None
        expectation = self.expectation()
        if expectation is not None:
            if expectation.status is not self.verdict.status:
                told = f"expected {expectation.status} ({expectation.reason}), found {self.describe()}"
                pytest.fail(_printable(told), pytrace=False)
            if self.verdict.status is not Status.PASS:
                pytest.xfail(_printable(f"{expectation.status} as expected: {expectation.reason}"))
        elif self.verdict.status is Status.FAIL:
            pytest.fail(self.describe(), pytrace=False)
        elif self.verdict.status in (Status.INCONCLUSIVE, Status.NOT_RUN):
            pytest.skip(_printable(f"{self.verdict.status}: {self.verdict.reason}"))

    def expectation(self) -> KnownOutcome | None:
        return self.batch.expected.get(self.name)

    def describe(self) -> str:
        assert self.verdict is not None
        return _printable(f"{self.verdict.status}: {self.claim.claim}\n{self.verdict.reason}")

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Name the claim by its id."""
        return Path("grokscape"), None, self.name


def _properties(verdict: Verdict) -> Iterator[tuple[str, object]]:
    """What JUnit's XML says about a claim."""
    from grokscape.predictions.numbers import estimate

    yield "verdict", verdict.status.value
    yield "reason", _printable(verdict.reason)
    for found in verdict.criteria:
        measured = estimate(found.estimate, found.low, found.high)
        yield _printable(found.quantity), _printable(f"{measured}; {found.requirement.demand}")


def _printable(text: str) -> str:
    from grokscape.landscape.printable import printable

    return printable(text)
