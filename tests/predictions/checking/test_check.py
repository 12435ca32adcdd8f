"""Checking from the store: order, sharing, failures of runs and of claims, and what is kept."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jsonschema
import pytest

from grokscape.landscape.records.store import Store
from grokscape.predictions.checking import verdict_files
from grokscape.predictions.checking.check import Check
from grokscape.predictions.checking.verdict_files import load_verdicts
from grokscape.predictions.evidence import Evidence, Measurement
from grokscape.predictions.figures import Curve
from grokscape.predictions.judge import judge
from grokscape.predictions.rules import Exceeds
from grokscape.predictions.terms import Control, Tier
from grokscape.predictions.verdict import Status
from tests.landscape.scheduling.toys import Toy
from tests.predictions.made_up.claims import Constant, claim, measure


def check(claims, store, tier="quick"):
    done = Check(claims, tier, store)
    with ThreadPoolExecutor(1) as executor:
        updates = list(done.run(executor))
    return done.verdicts, updates


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_verdicts_come_in_the_order_of_the_claims_and_as_they_are_ready(store):
    found, updates = check([claim("large"), claim("tiny", value=-2.0)], store)
    assert [(v.id, v.status) for v in found] == [("test2026.large", Status.PASS), ("test2026.tiny", Status.FAIL)]
    assert {u.verdict.id for u in updates if u.verdict} == {"test2026.large", "test2026.tiny"}


def test_runs_are_shared_and_counted(store):
    found, _ = check([claim("one"), claim("two")], store)
    assert found[0].cost == {"seconds": 4.0, "runs": 16, "shared": 16}
    assert found[0].runs == found[1].runs
    assert sum(1 for _ in store.folders()) == 16


def test_a_second_check_trains_nothing_and_finds_the_same(store):
    first, _ = check([claim()], store)
    again, updates = check([claim()], store)
    assert not any(u.progress for u in updates)
    strip = dataclasses.replace
    assert [strip(v, provenance={}) for v in again] == [strip(v, provenance={}) for v in first]


def test_a_damaged_record_is_named_and_recomputed(store):
    first, _ = check([claim()], store)
    victim = next(iter(store.folders()))
    (victim / "trajectory.parquet").write_bytes(b"nonsense")
    again, updates = check([claim()], store)
    assert any(victim.name in u.note and "set aside" in u.note for u in updates)
    assert again[0].evidence == first[0].evidence


def test_a_run_that_fails_is_an_error_of_its_claim_alone(store):
    broken = claim("broken", tiers={"quick": Tier((10, 11), {"value": 2.0, "fails": True})})
    found, _ = check([broken, claim()], store)
    assert [v.status for v in found] == [Status.ERROR, Status.PASS]
    assert "it was told to fail" in found[0].reason


@pytest.mark.parametrize("part", ["runs", "measure"])
def test_a_claim_whose_code_breaks_is_an_error_and_not_a_crash(store, part):
    def breaks(*_):
        raise ZeroDivisionError("by design")

    found, _ = check([claim("bad", **{part: breaks}), claim()], store)
    assert [v.status for v in found] == [Status.ERROR, Status.PASS]
    assert "by design" in found[0].reason


def test_what_is_absent_is_not_run(store):
    needy = claim("needy", needs={"no_such_package_anywhere": "pip install 'grokscape[more]'"})
    found, _ = check([needy], store)
    assert found[0].status is Status.NOT_RUN
    assert "grokscape[more]" in found[0].reason
    found, _ = check([claim()], store, tier="paper")
    assert found[0].status is Status.NOT_RUN
    assert "quick" in found[0].reason


def test_a_run_that_cannot_be_had_leaves_its_claim_not_run_and_loses_nothing(store):
    def runs(seed, at):
        return {"lacking": Toy(number=1, deed="lack", group="g"), "fine": Toy(number=2, group="g")}

    found, _ = check([claim("lacking", runs=runs), claim()], store)
    assert [v.status for v in found] == [Status.NOT_RUN, Status.PASS]
    assert found[0].reason == "A run cannot be had: the kernel of toy 1 is none"
    assert Toy(number=2, group="g") in store
    after = claim("after", runs=lambda seed, at: {"late": Toy(after=Toy(number=1, deed="lack", group="g"))})
    found, _ = check([after], store)
    assert found[0].status is Status.NOT_RUN
    assert found[0].reason == "A run cannot be had: its start failed: the kernel of toy 1 is none"


def test_a_measurement_that_a_learner_does_not_have_is_not_run(store):
    def norms(records, at):
        yield Measurement("size", float(records["only"].series("weight_norm").iloc[-1]))

    def more(seed, at, records):
        records["only"].series("weight_norm")

    found, _ = check([claim("asking", measure=norms), claim("refined", refine=more, rounds=1), claim()], store)
    assert [v.status for v in found] == [Status.NOT_RUN, Status.NOT_RUN, Status.PASS]
    assert {v.reason for v in found[:2]} == {
        "It cannot be measured: a record of Constant has no 'weight_norm', only nothing"
    }


def test_a_control_that_passes_makes_it_invalid(store):
    found, _ = check([claim(control=3.0)], store)
    assert found[0].status is Status.INVALID


def test_evidence_that_lacks_a_quantity_is_an_error(store):
    found, _ = check([claim("silent", measure=lambda records, at: ())], store)
    assert found[0].status is Status.ERROR
    assert "size" in found[0].reason


def test_a_curve_over_something_never_measured_is_an_error_that_names_it(store):
    curve = Curve(quantities=("loss",), x="step", y="loss", title="The loss")
    found, _ = check([claim("lost", curves=(curve,)), claim()], store)
    assert [verdict.status for verdict in found] == [Status.ERROR, Status.PASS]
    assert "the curve 'The loss' names 'loss', which was not measured at any level in any arm" in found[0].reason


def test_the_json_of_every_kind_of_verdict_fits_its_schema(store):
    schema = json.loads((Path(verdict_files.__file__).parent / "verdict.schema.json").read_text())
    claims = [
        claim("large"),
        claim("tiny", value=-2.0),
        claim("controlled", control=3.0),
        claim("few", tiers={"quick": Tier((10, 11), {"value": 2.0, "fails": False})}),
        claim("broken", tiers={"quick": Tier((10,), {"value": 2.0, "fails": True})}),
        claim("needy", needs={"no_such_package_anywhere": "install it"}),
    ]
    found, _ = check(claims, store)
    assert {v.status for v in found} == set(Status)
    for verdict in found:
        data = json.loads(json.dumps(verdict.to_data(), allow_nan=False))
        jsonschema.validate(data, schema, cls=jsonschema.Draft202012Validator)
    kept, complaints = load_verdicts(store, "quick")
    assert {data["id"] for data in kept} == {c.id for c in claims}
    assert not complaints


def test_a_kept_verdict_that_cannot_be_read_is_named(store):
    check([claim()], store)
    file = store.path / "verdicts" / "quick" / "test2026.large.json"
    file.write_text("{")
    kept, complaints = load_verdicts(store, "quick")
    assert kept == []
    assert "test2026.large.json" in complaints[0]


def test_verdicts_can_be_judged_again_from_their_own_evidence(store):
    found, _ = check([claim()], store)
    assert judge(claim(), "quick", Evidence.from_data(found[0].to_data()["evidence"])).status is Status.PASS


def test_the_command_in_a_verdict_names_the_users_module(store):
    done = Check([claim()], "quick", store, modules=["my_claims.py"])
    assert done.about(claim())["provenance"]["command"].endswith("--module my_claims.py")


def test_controls_with_settings_of_their_own_are_told(store):
    found, _ = check([claim(controls=(Control("small", {"value": 0.5}, "why"),))], store)
    assert found[0].about["controls"] == {"small": {"value": 0.5}}


def test_a_seed_that_is_not_measured_is_an_error_and_not_a_smaller_sample(store):
    """Leaving out seeds after looking at them would make any claim pass."""

    def picky(records, at):
        if records["only"].experiment.seed != 13:
            yield from measure(records, at)

    found, _ = check([claim("picky", measure=picky)], store)
    assert found[0].status is Status.ERROR
    assert "not measured for seed 13" in found[0].reason


def test_a_quantity_measured_twice_or_not_a_number_is_an_error(store):
    def twice(records, at):
        yield from (*measure(records, at), *measure(records, at))

    def nan(records, at):
        yield Measurement("size", float("nan"))

    found, _ = check([claim("twice", measure=twice), claim("nan", measure=nan)], store)
    assert [v.status for v in found] == [Status.ERROR] * 2
    assert "measured twice" in found[0].reason
    assert "is nan for seed 10" in found[1].reason


def test_checking_fewer_claims_makes_none_easier_to_pass(store):
    """Eight seeds that all agree are p = 0.008: enough for 6 claims of one source, not for 7, though one is checked."""
    family = [claim(f"c{number}") for number in range(7)]
    for known, status in ((family[:6], Status.PASS), (family, Status.INCONCLUSIVE)):
        done = Check(family[:1], "quick", store, known=known)
        with ThreadPoolExecutor(1) as executor:
            list(done.run(executor))
        assert done.verdicts[0].status is status
        assert done.verdicts[0].family == len(known)


def test_power_is_told_for_the_correction(store):
    """With seven claims in the family no outcome of eight seeds can pass; the verdict's power says so."""
    family = [claim(f"c{number}") for number in range(7)]
    found, _ = check(family, store)
    assert {v.status for v in found} == {Status.INCONCLUSIVE}
    assert {v.criteria[0].power for v in found} == {0.0}


def test_what_a_description_says_of_itself_may_break_too(store):
    class Moody(Constant, kind="test_moody"):
        @property
        def work(self):
            raise ArithmeticError("no idea")

    def moody(seed, at):
        return {"only": Moody(value=1.0, seed=seed)}

    found, _ = check([claim("moody", runs=moody), claim()], store)
    assert [v.status for v in found] == [Status.ERROR, Status.PASS]
    assert "no idea" in found[0].reason


def test_a_start_that_is_gone_does_not_undo_what_it_led_to(store):
    """Somebody pruned a parent: the child's record still stands, and its claim is judged."""

    class Child(Constant, kind="test_child"):
        @property
        def parents(self):
            return (Constant(value=1.0, seed=self.seed),)

    def grown(seed, at):
        return {"only": Child(value=at.value, seed=seed)}

    child = claim("child", runs=grown)
    assert check([child], store)[0][0].status is Status.PASS
    store.prune(keep={e.identity for at in child.arms("quick").values() for e in grown(10, at).values()})
    assert check([child], store)[0][0].status is Status.PASS


def test_a_record_that_is_bad_under_a_valid_checksum_is_recomputed_with_a_note(store):
    before, _ = check([claim()], store)
    folder = next(store.folders())
    table = folder / "trajectory.parquet"
    table.write_bytes(b"PAR1 no table PAR1")
    header = json.loads((folder / "run.json").read_text())
    header["files"][table.name] = hashlib.sha256(table.read_bytes()).hexdigest()
    del header["sha256"]
    header["sha256"] = hashlib.sha256(json.dumps(header, sort_keys=True).encode()).hexdigest()
    (folder / "run.json").write_text(json.dumps(header))
    after, updates = check([claim()], store)
    [note] = [update.note for update in updates if update.note]
    assert f"{table} is no trajectory" in note
    assert note.endswith("to be recomputed")
    assert (after[0].status, after[0].evidence) == (before[0].status, before[0].evidence)
    assert len(list(store.folders())) == 16


def test_a_check_says_how_far_thresholds_may_move(store):
    near = dataclasses.replace(claim().criteria[0], rule=Exceeds(1.9))
    found, updates = check([claim("large"), claim("near", criteria=(near,))], store)
    assert [verdict.robustness for verdict in found[:2]] == ["robust", "fragile"]
    assert not any(update.note for update in updates if "thresholds" in update.note)
    [stored, *_], _ = load_verdicts(store, "quick")
    assert stored["criteria"][0]["guarded_by"] == ["small"]


@dataclasses.dataclass(frozen=True)
class Particular(Exceeds):
    """A rule of somebody's own, for one threshold only."""

    def __post_init__(self):
        if self.threshold != 1.0:
            raise TypeError("only 1 will do")


def test_a_rule_whose_threshold_cannot_be_moved_leaves_its_verdict_and_a_note(store):
    criterion = dataclasses.replace(claim().criteria[0], rule=Particular(1.0))
    [verdict], updates = check([claim(criteria=(criterion,))], store)
    assert (verdict.status, verdict.robustness) == (Status.PASS, "")
    [note] = [update.note for update in updates if update.note]
    assert "how far the thresholds of test2026.large may move is not known" in note
    assert "only 1 will do" in note
