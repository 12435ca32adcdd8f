"""Files of claims that the tests of commands check, and the command that checks them."""

from __future__ import annotations

from grokscape.reports.cli import main

MODULE = """
from grokscape.predictions import Tier
from tests.predictions.made_up.claims import claim
holds = claim("holds")
fails = claim("fails", value=-2.0)
needy = claim("needy", needs={"no_such_package_anywhere": "install it"})
"""

#: A claim that asks for further runs when it has seen the first.
HALVING = """
from tests.predictions.checking.test_refine import halving
claims = halving()
"""


def check(*arguments: str) -> int:
    """Check claims of ``my_claims.py`` here, with one worker."""
    return main(["check", "--module", "my_claims.py", "--workers", "1", *arguments])
