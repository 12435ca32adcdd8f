"""Catches modules of the user's own that are executed twice, taken for another, or fail without saying why."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from grokscape.landscape.errors import InvalidInput
from grokscape.landscape.user_modules import USER_PREFIX, import_module


def test_module_by_name_and_by_file(tmp_path: Path) -> None:
    assert import_module("grokscape.landscape.fits.crossing") is sys.modules["grokscape.landscape.fits.crossing"]
    file = tmp_path / "test_user_modules_own.py"
    file.write_text("value = []\n")
    module = import_module(str(file))
    assert module.value == []
    assert sys.modules[f"{USER_PREFIX}test_user_modules_own"] is module
    assert import_module(str(file)) is module  # executed once
    other = tmp_path / "elsewhere" / file.name
    other.parent.mkdir()
    other.write_text("value = 2\n")
    assert import_module(str(other)).value == 2  # of the same name, but another file


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import no_such_module_at_all\n", "ModuleNotFoundError"),
        ("def broken(:\n", "SyntaxError"),
        ("raise RuntimeError('on purpose')\n", "RuntimeError: on purpose"),
        (None, "FileNotFoundError"),
    ],
    ids=["import", "syntax", "raises", "absent"],
)
def test_file_that_does_not_import_is_refused_with_the_reason(tmp_path: Path, text: str | None, reason: str) -> None:
    file = tmp_path / "test_user_modules_bad.py"
    if text is not None:
        file.write_text(text)
    for _ in range(2):  # the second time, no half-imported module may pass for it
        with pytest.raises(InvalidInput) as refusal:
            import_module(str(file))
        assert str(file) in str(refusal.value)
        assert reason in str(refusal.value)
        assert "give a file.py or a dotted name" in str(refusal.value)


def test_unknown_module_is_refused() -> None:
    with pytest.raises(InvalidInput, match="'no_such_module_at_all' does not import"):
        import_module("no_such_module_at_all")


def test_refusals_of_the_users_own_module_speak_for_themselves(tmp_path: Path) -> None:
    file = tmp_path / "test_user_modules_refuses.py"
    file.write_text("from grokscape.landscape.tasks import BinaryOperation\nBinaryOperation(p=0)\n")
    with pytest.raises(InvalidInput, match=r"^BinaryOperation\.p is 0"):
        import_module(str(file))
