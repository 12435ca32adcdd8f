"""Claims as they are first written: each with one mistake, and the words in which it should be told."""

from __future__ import annotations

#: What every file begins with; `mine` makes a claim about a network so small that it is trained in milliseconds.
HEAD = """
from grokscape.landscape import AdamW, BinaryOperation, Perceptron, Run
from grokscape.predictions import (
    Calibrated, Control, Criterion, Curve, Exceeds, Gate, Measurement, Prediction, Source, Tier
)

SETTING = {"width": 4, "labels": "true", "steps": 20}

def runs(seed, at):
    return {"run": Run(task=BinaryOperation(p=5), model=Perceptron(width=at.width), n_train=12, labels=at.labels,
                       steps=at.steps, seed=seed)}

def measure(records, at):
    yield Measurement("size", records["run"].final("weight_norm"))

def criterion(**changes):
    return Criterion(**{"quantity": "size", "rule": Exceeds(1.0), "threshold_from": "a test of mistakes",
                        "calibrated": Calibrated(3.0, 0.1, "0-2"), **changes})

def mine(name, **changes):
    fields = dict(
        id=f"my2027.{name}", claim="It is large.", where="section 1", theory="testing", runs=runs, measure=measure,
        source=Source(key="my2027", title="Mine", authors="Me"), criteria=(criterion(),),
        controls=(Control("random labels", {"labels": "random"}, "a test"),),
        tiers={"quick": Tier((100, 101), SETTING)}, calibration_seeds=(0, 1, 2),
    )
    return Prediction(**{**fields, **changes})

def measuring(function):
    def measure(records, at):
        yield from function(records["run"], records, at)
    return measure
"""

#: Shows when a claim is tried, before anything is trained: name -> (code of a claim's fields, status, words).
TRIED = {
    "unknown_quantity": (
        "measure=measuring(lambda run, *_: [Measurement('size', run.final('weightnorm'))])",
        "no learner records a quantity 'weightnorm'; a record of Run has 'weight_norm'",
    ),
    "unknown_split": (
        "measure=measuring(lambda run, *_: [Measurement('size', run.final('accuracy', 'tets'))])",
        "a record of Run has no 'accuracy' on split 'tets', but has it on split 'test' and 'train' and",
    ),
    "forgotten_split": (
        "measure=measuring(lambda run, *_: [Measurement('size', run.final('accuracy'))])",
        "a record of Run has no 'accuracy' without split, but has it on split 'test' and 'train' and 'unmirrored'",
    ),
    "raises": ("measure=measuring(lambda *_: {}['nrrow'])", "KeyError: 'nrrow' (my_claims.py:"),
    "unknown_label": (
        "measure=measuring(lambda run, records, at: [Measurement('size', records['rnu'].final('weight_norm'))])",
        "KeyError: 'rnu' (my_claims.py:",
    ),
    "unknown_setting": (
        "measure=measuring(lambda run, records, at: [Measurement('size', at.widht)])",
        "AttributeError: the setting has no 'widht', only width, labels, steps (my_claims.py:",
    ),
    "tuple": (
        "measure=measuring(lambda *_: [('size', 2.0)])",
        "measure yields ('size', 2.0), expected a Measurement; yield Measurement('its name', value), once for each",
    ),
    "one_returned": (
        "measure=lambda records, at: Measurement('size', 2.0)",
        "expected Measurements; yield Measurement(",
    ),
    "none_returned": ("measure=lambda records, at: None", "measure gives None, expected Measurements; yield"),
    "nothing": (
        "measure=measuring(lambda *_: [])",
        "the criterion on 'size' has nothing to decide on in arm 'claim': measure yields nothing; yield a Measurement",
    ),
    "criterion_misspelt": (
        "criteria=(criterion(quantity='szie'),)",
        "the criterion on 'szie' has nothing to decide on in arm 'claim': measure yields 'size'",
    ),
    "gate_misspelt": ("gates=(Gate(quantity='sise', above=0.0),)", "the gate on 'sise' has nothing to decide on"),
    "curve_misspelt": (
        "curves=(Curve(quantities=('siez',), x='x', y='y', title='Size'),)",
        "the curve 'Size' names 'siez', which was not measured",
    ),
    "control_unread": (
        "controls=(Control('wide', {'breadth': 8}, 'a test'),)",
        "the control 'wide' changes 'breadth', which neither runs nor measure reads; they read",
    ),
}

#: Shows in the runs alone, before anything is trained.
ASKED = {
    "runs_list": (
        "runs=lambda seed, at: [runs(seed, at)['run']]",
        "expected a mapping of label -> experiment; return {'a label': Run(...)} (my_claims.py:",
    ),
    "runs_one": ("runs=lambda seed, at: runs(seed, at)['run']", "expected a mapping of label -> experiment; return"),
    "runs_raise": ("runs=lambda seed, at: {'run': at.modle}", "AttributeError: the setting has no 'modle'"),
    "runs_refused": ("runs=lambda seed, at: {'run': Run(n_train=0, seed=seed, steps=9)}", "Run.n_train is 0, expected"),
    "lr_text": (
        "runs=lambda seed, at: {'run': Run(n_train=9, seed=seed, steps=9, optimiser=AdamW(lr='1e-2'))}",
        "AdamW.lr is '1e-2', expected a number",
    ),
    "uncalibrated": (
        "criteria=(criterion(calibrated=None),)",
        "Its criterion on 'size' is not calibrated: run grokscape calibrate my2027.uncalibrated --module my_claims.py",
    ),
}

#: Shows in real numbers alone, once they are there.
MEASURED = {
    "value_text": ("measure=measuring(lambda *_: [Measurement('size', '3')])", "'size' is '3', expected a number"),
    "raises_on_numbers": (
        "measure=measuring(lambda run, *_: 1 / 0)",
        "Measuring: ZeroDivisionError: division by zero (my_claims.py:",
    ),
}

#: Refused when the file is read: code -> words.
WRITTEN = {
    "mine('x', criteria=criterion())": (
        "the criteria of 'my2027.x' is one Criterion, expected a tuple; a tuple of one needs its comma: "
        "criteria=(Criterion(...),)"
    ),
    "mine('x', controls=Control('c', {}, 'why'))": "a tuple of one needs its comma: controls=(Control(...),)",
    "mine('x', disputes='a.b')": "the disputes of 'my2027.x' is one str, expected a tuple",
    "mine('x', gates=3)": "the gates of 'my2027.x' is 3, expected a tuple of Gate",
    "mine('x', curves=(Curve(quantities=('size'), x='x', y='y', title='t'),))": "quantities=('size',)",
    "mine('x', criteria=(criterion(rule='Exceeds'),))": "its rule is 'Exceeds', expected a rule, such as Exceeds(0.9)",
    "mine('x', criteria=(criterion(rule=Exceeds('0.9')),))": "threshold of Exceeds is '0.9', expected a number",
    "mine('x', criteria=(criterion(rule=Exceeds(True)),))": "threshold of Exceeds is True, expected a number",
    "mine('x', criteria=(criterion(at='1'),))": "its level, at, is '1', expected a number",
    "mine('x', criteria=(criterion(calibrated=1.1),))": "its calibrated is 1.1, expected what grokscape calibrate",
    "mine('x', criteria=(criterion(calibrated=Calibrated('1', 0.1, '0')),))": "the calibrated effect is '1', expected",
    "mine('x', criteria=(criterion(calibrated=Calibrated(1, -0.1, '0')),))": "the calibrated spread is -0.1, expected",
    "mine('x', gates=(Gate(quantity='size', above='0.9'),))": "its above is '0.9', expected a number",
    "mine('x', controls=(Control('c', {'widht': 9}, 'why'),))": (
        "the control 'c' of 'my2027.x' changes 'widht', which the setting of quick does not have; it has 'width': "
        "correct the name, or give it a value in the setting"
    ),
    "mine('x', controls=(Control('c', 'width', 'why'),))": "its changes is 'width', expected a mapping",
    "mine('x', tiers={'quick': SETTING})": "the tier quick of 'my2027.x' is {'width': 4,",
    "mine('x', tiers={'quick': Tier((7, 7), SETTING)})": "the seeds of 'my2027.x' at quick are given twice: (7, 7)",
    "mine('x', tiers={'quick': Tier({7, 8}, SETTING)})": "my2027.x' at quick are {8, 7}, expected a tuple",
    "mine('x', tiers={'quick': Tier(7, SETTING)})": "the seeds of 'my2027.x' at quick are 7, expected a tuple",
    "mine('x', tiers={'quick': Tier('78', SETTING)})": "the seeds of 'my2027.x' at quick are '78', expected a tuple",
    "mine('x', calibration_seeds=(0, 0, 1))": "the seeds of calibration of 'my2027.x' are given twice: (0, 0, 1)",
    "mine('x', calibration_seeds=5)": "the seeds of calibration of 'my2027.x' are 5, expected a tuple of integers",
    "mine('x', source='me2027')": "the source of 'my2027.x' is 'me2027', expected a Source",
}
