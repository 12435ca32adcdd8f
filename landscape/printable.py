"""Text that does nothing to a terminal, a log or a page but be read."""

from __future__ import annotations

import re

#: Controls (C0 but tab and line feed, DEL, C1), what overrides or isolates the direction of text, separators of lines
#: and paragraphs, and halves of surrogate pairs, which are no text at all and cannot be encoded.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with every character that would act, rather than be seen, written out as ``\x1b`` or ``\u202e``.

    Whatever strangers can choose (a claim's text, the message of an exception, a path) goes through here on its way to
    a terminal, to pytest's output, or into a verdict: an escape sequence can clear the screen or rename the window, an
    override of direction can make a FAIL read otherwise, half a surrogate pair breaks the encoding.
    """
    return UNSAFE.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def error_text(error: BaseException) -> str:
    """Return what an exception is and says; also of one that cannot say it."""
    try:
        text = str(error)
    except Exception:  # somebody's class
        text = "its message cannot be shown"
    return f"{type(error).__name__}: {text}"


def short(value: object, limit: int = 80) -> str:
    """Return what a value looks like, cut short; also of one that cannot say so itself (numbers of 5000 digits)."""
    try:
        text = repr(value)
    except Exception:  # somebody's class
        text = f"a {type(value).__name__} that cannot be shown"
    return printable(text if len(text) <= limit else f"{text[: limit - 3]}...")
