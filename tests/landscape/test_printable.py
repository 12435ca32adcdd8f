"""Text from strangers must be read, and must not act."""

from __future__ import annotations

import pytest

from grokscape.landscape.printable import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
        ("\x9b2J\x00\x7f\r", r"\x9b2J\x00\x7f\r"),
        ("PASS \u202eLIAF\u202c \u2066x\u2069", r"PASS \u202eLIAF\u202c \u2066x\u2069"),
        ("half \ud800 and \udcff", r"half \ud800 and \udcff"),
        ("a\u2028b\x85c", r"a\u2028b\x85c"),
    ],
)
def test_what_would_act_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize("text", ["", "a\tb\nc", "√2 ≥ 1, Grüße, 你好, שלום, 👩‍🔬", r"\x1b is a backslash"])
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert printable(text) == text
