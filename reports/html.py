"""What both pages of HTML share: templates, style and script, figures with their data, and links."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import re
from dataclasses import dataclass
from urllib.parse import quote

import jinja2
from markupsafe import Markup

from grokscape.landscape.printable import printable

_ARXIV = re.compile(r"(\d{4}\.\d{4,5}|[a-z-]+(\.[A-Z]{2})?/\d{7})(v\d+)?")


@dataclass(frozen=True)
class Figure:
    """A figure of a page: its drawings, and what is drawn as a file to keep.

    Attributes
    ----------
    title : str
    drawings : tuple of Markup
        ``<svg>`` elements, side by side where there is room.
    note : str
        What stands below it.
    csv, file_name : str
        The data drawn, and the name under which a reader keeps them.
    figure : str
        The figure of a paper that it redraws, if it is one of those.
    """

    title: str
    drawings: tuple[Markup, ...]
    note: str
    csv: str
    file_name: str
    figure: str = ""

    @property
    def anchor(self) -> str:
        return self.file_name.removesuffix(".csv")

    @property
    def href(self) -> str:
        return "data:text/csv;charset=utf-8," + quote(self.csv, safe=",.-+/:()", errors="replace")


def environment() -> jinja2.Environment:
    """Return what fills in the templates; every text is escaped, and `printable`."""
    return jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def shell(*more_css: str) -> dict[str, str]:
    """Return what the base template needs: style and script, and the hashes by which the page allows them.

    Parameters
    ----------
    *more_css : str
        Names of further style sheets.
    """
    css, script = "".join(map(_resource, ("page.css", *more_css))), _resource("page.js")
    return {"css": Markup(css), "script": Markup(script), "css_hash": _hash(css), "script_hash": _hash(script)}


def arxiv_link(identifier: str) -> str | None:
    """Return the address of a paper, None for what is no arXiv identifier."""
    return f"https://arxiv.org/abs/{identifier}" if _ARXIV.fullmatch(identifier) else None


def _resource(name: str) -> str:
    return (importlib.resources.files("grokscape.reports") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
