"""The command line: ``grokscape list | check | calibrate | new | report | measure | store``."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from grokscape.landscape.errors import InvalidInput, StoreError
from grokscape.landscape.printable import error_text, printable
from grokscape.reports.commands.console import SafeConsole

DEFAULT_STORE = Path("grokscape-store")
DEFAULT_REPORT = Path("grokscape-report.html")
DEFAULT_MEASURED = Path("grokscape-measured.html")

EPILOG = """\
exit status: 0 if nothing FAILs, is INVALID or breaks; 1 if something does; 2 for misuse, or if
a result could not be written; 130 after Ctrl-C.

examples:
  grokscape list                              what can be checked
  grokscape check                             everything, at the quick tier
  grokscape check 'varma2023.*' --json out.json
  grokscape check my2027.idea --module my_claims.py
  grokscape calibrate my2027.idea --module my_claims.py
  grokscape check --plan                      what would be trained, without training it
  grokscape check --against published         whether published results reproduce
  grokscape report --published                the report on them, without any training
  grokscape measure my_model.py:make          the landscape of a model of your own
"""

#: Ends with the instruments, which `parser` adds.
MEASURE_EPILOG = """\
TARGET names a function without arguments that returns what is measured. In my_model.py:

  import torch
  from torch import nn

  def make():
      model = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2))
      inputs = torch.randn(200, 2)
      labels = (inputs[:, 0] * inputs[:, 1] > 0).long()
      # ... train it, or load its weights
      return {"model": model, "loss": nn.functional.cross_entropy,
              "train": (inputs[:100], labels[:100]), "test": (inputs[100:], labels[100:])}

"train" and "test" are a pair (inputs, targets), batches of such pairs, or a Dataset; "test" may be missing. It may also
return a tuple (model, loss, train, test) or a grokscape.landscape.problem.Problem; and in the dict "checkpoints"
(models or state dicts, in a list or by step), "other" (a second model), "initialise" (seed -> a fresh model, where its
parts have no reset_parameters), "context" (for more progress measures) and the options of Problem, such as "only" or
"batch_size".

examples:
  grokscape measure my_model.py:make
  grokscape measure my_model.py:make --what hessian,efficiency --report out.html
  grokscape measure my_package.models:make --quick --json out.json

exit status: 0 if all went well; 1 if an instrument failed (the report says why, and holds the others); 2 for misuse;
130 after Ctrl-C (the report holds what had finished).

instruments, for --what; a name in brackets stands for all of its group:
"""


class Parser(argparse.ArgumentParser):
    """A parser that repeats a wrong argument as it reads, and not as it acts."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def parser() -> Parser:
    """Return the parser of the whole command line."""
    top = Parser(
        prog="grokscape",
        description="Hold published claims about grokking to the evidence: train, measure, judge, report.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    modules = Parser(add_help=False)
    modules.add_argument(
        "--module",
        action="append",
        default=[],
        metavar="MODULE",
        help="a .py file or an importable module with claims of your own (repeatable)",
    )
    store = Parser(add_help=False)
    store.add_argument(
        "--store", type=Path, default=DEFAULT_STORE, metavar="DIR", help="where finished runs are kept (%(default)s)"
    )
    tier = Parser(add_help=False)
    tier.add_argument(
        "--tier",
        default="quick",
        metavar="TIER",
        help="quick: minutes on two cores (default); standard: hours; paper: the paper's own scale",
    )
    which = Parser(add_help=False)
    which.add_argument("ids", nargs="*", metavar="ID", help="claims, or globs such as 'varma2023.*' (all of them)")

    _add_authoring(commands, modules=modules, store=store, tier=tier, which=which)

    check = commands.add_parser(
        "check",
        parents=[which, modules, store, tier],
        help="train what is missing, judge the claims, write the report",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.set_defaults(run="check.run_check")
    check.add_argument("--report", type=Path, default=DEFAULT_REPORT, metavar="FILE", help="the page (%(default)s)")
    check.add_argument("--json", type=Path, metavar="FILE", help="write every verdict with its evidence")
    check.add_argument("--workers", type=int, metavar="N", help="processes (one for each core)")
    check.add_argument(
        "--expect",
        action="append",
        default=[],
        metavar="ID=VERDICT:REASON",
        help="accept a known verdict; any other of that claim is then a surprise, and exits with 1 (repeatable)",
    )
    check.add_argument(
        "--against",
        metavar="FILE",
        help="say of each claim whether it reproduces what a file of --json or --publish says, and exit with 1 if a "
        "verdict differs; published: what is published with Grokscape",
    )
    publishing = check.add_mutually_exclusive_group()
    publishing.add_argument(
        "--publish", action="store_true", help="write verdicts.json into the folders of the papers of this checkout"
    )
    publishing.add_argument(
        "--publish-to", type=Path, metavar="DIR", help="write DIR/KEY/verdicts.json for each source"
    )
    check.add_argument("--plan", action="store_true", help="show what would be trained, and stop")
    check.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")
    check.add_argument(
        "--compile", action="store_true", help="use torch.compile; for long runs, gives up bitwise repeats"
    )

    check.set_defaults(run="check.run_check")

    report = commands.add_parser(
        "report", parents=[modules, store, tier], help="write the page again, without any training"
    )
    report.add_argument("--report", type=Path, default=DEFAULT_REPORT, metavar="FILE", help="the page (%(default)s)")
    report.add_argument(
        "--published",
        nargs="?",
        const="",
        metavar="DIR",
        help="from the results that are published with Grokscape, or in a folder, and no store",
    )
    report.add_argument("--markdown", action="store_true", help="print counts of published results as a table instead")
    report.set_defaults(run="report.run_report")

    _add_measure(commands)

    keeping = commands.add_parser("store", help="look after a store")
    keeping.set_defaults(run="store.run_store")
    actions = keeping.add_subparsers(dest="action", required=True, metavar="ACTION")
    actions.add_parser("ls", parents=[store], help="list the runs it holds")
    actions.add_parser("verify", parents=[store], help="check every file; set aside what is damaged or foreign")
    prune = actions.add_parser(
        "prune",
        parents=[store, modules],
        help="remove runs that no known claim uses, what was set aside, what kills left",
    )
    prune.add_argument("--dry-run", action="store_true", help="only say what would go")
    return top


def _add_authoring(commands: argparse._SubParsersAction[Parser], **parents: Parser) -> None:
    """Add the commands of those who look for claims, or write them."""
    listing = commands.add_parser(
        "list", parents=[parents["which"], parents["modules"]], help="show the claims that can be checked"
    )
    listing.set_defaults(run="listing.run_list")
    listing.add_argument("--paper", metavar="KEY", help="those of one source, such as varma2023")
    listing.add_argument(
        "--theory", metavar="TEXT", help="those of theories that are called so, or whose name has this"
    )
    listing.add_argument("--kind", metavar="KIND", help="stated, extension, rival or ours")
    listing.add_argument("--tier", metavar="TIER", help="those that can be checked at a tier")
    listing.add_argument(
        "--stale", action="store_true", help="those of which published results are of other runs or criteria than now"
    )
    listing.add_argument("--json", action="store_true", help="print all that is known of them, as JSON")

    calibrate = commands.add_parser(
        "calibrate",
        parents=[parents["modules"], parents["store"], parents["tier"]],
        help="train the calibration seeds of a claim, and print what belongs into its criteria",
    )
    calibrate.set_defaults(run="calibrate.run_calibrate")
    calibrate.add_argument("ids", nargs="+", metavar="ID", help="claims, or globs such as 'my2027.*'")
    calibrate.add_argument("--workers", type=int, metavar="N", help="processes (one for each core)")
    calibrate.add_argument("--device", default="cpu", help="cpu or cuda (%(default)s)")

    new = commands.add_parser("new", help="write what a new paper begins with")
    new.set_defaults(run="new.run_new")
    things = new.add_subparsers(dest="thing", required=True, metavar="THING")
    paper = things.add_parser("paper", help="a folder with one claim, which is undecided until it is filled in")
    paper.add_argument("key", metavar="KEY", help="author and year, such as doe2027; the ids of its claims begin so")
    paper.add_argument("title", metavar="TITLE")
    paper.add_argument("--arxiv", default="", metavar="ID", help="such as 2309.02390")
    paper.add_argument("--authors", default="TODO", metavar="NAMES", help="family names, separated by commas")
    paper.add_argument(
        "--folder", type=Path, metavar="DIR", help="where; without it among the built-in papers of a source checkout"
    )


class ListInstruments(argparse.Action):
    """Print the instruments of ``grokscape measure`` and stop, as ``--help`` does."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        sys.stdout.write(_instruments())
        parser.exit()


def _instruments() -> str:
    from grokscape.reports.model_page.instruments import all_instruments

    return "".join(f"  {instrument.help_line}\n" for instrument in all_instruments())


def _add_measure(commands: argparse._SubParsersAction[Parser]) -> None:
    measure = commands.add_parser(
        "measure",
        help="measure the landscape and the efficiency of a model of your own",
        epilog=MEASURE_EPILOG + _instruments(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    measure.set_defaults(run="measure.run_measure")
    measure.add_argument("target", metavar="TARGET", help="path.py:factory or package.module:factory")
    measure.add_argument("--what", metavar="LIST", help="instruments or groups, separated by commas (all that fit)")
    measure.add_argument(
        "--list", action=ListInstruments, nargs=0, help="show the instruments and their groups, and stop"
    )
    measure.add_argument("--report", type=Path, default=DEFAULT_MEASURED, metavar="FILE", help="the page (%(default)s)")
    measure.add_argument("--json", type=Path, metavar="FILE", help="write every number, too")
    measure.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all that is drawn at random (%(default)s)"
    )
    measure.add_argument("--quick", action="store_true", help="fewer points, samples and steps: for a first look")
    measure.add_argument(
        "--debug", action="store_true", help="show where an error came from (or set GROKSCAPE_DEBUG=1)"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    for stream in (sys.stdout, sys.stderr):  # a terminal that lacks a character shows its code, and breaks nothing
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = parser().parse_args(arguments)
    # Heavy imports only now: --help must answer at once.
    module, _, function = options.run.rpartition(".")
    run = getattr(importlib.import_module(f"grokscape.reports.commands.{module}"), function)
    console = SafeConsole(highlight=False, soft_wrap=not sys.stdout.isatty())
    try:
        return int(run(options, console))
    except (InvalidInput, StoreError) as error:
        return _refuse(str(error), options)
    except OSError as error:
        return _refuse(f"{error}; check that the folder exists and can be written", options)
    except Exception as error:  # nothing known raises anything else; whatever does is shown in a line all the same
        reason = error_text(error)
        return _refuse(f"something broke that should not ({reason}); set GROKSCAPE_DEBUG=1 to see where", options)
    except KeyboardInterrupt:
        print(
            "\ngrokscape: stopped. Finished runs are in the store, and long ones left a snapshot; "
            "the same command goes on from there.",
            file=sys.stderr,
        )
        return 130


def _refuse(sentence: str, options: argparse.Namespace) -> int:
    """Say why nothing came of a command, and where if that was asked for; return the exit status."""
    if os.environ.get("GROKSCAPE_DEBUG") or getattr(options, "debug", False):
        traceback.print_exc()
    print(printable(f"grokscape: error: {sentence}"), file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
