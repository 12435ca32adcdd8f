"""Matplotlib figures as SVG that lives inside a page: its fonts, its colours, its light and dark, its ids."""

from __future__ import annotations

import io
import re
import warnings
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.figure import Figure

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_STYLES = (
    *("fill", "fill-opacity", "opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray"),
    *("stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "text-anchor", "font-size", "font-weight"),
)


def plain_text(text: str) -> str:
    """Return a text without what XML cannot hold: control characters and halves of surrogate pairs."""
    return "".join(c if c.isprintable() else " " for c in text)


def clipped(text: str, most: int) -> str:
    """Return a text for a figure, cut where there is no more room for it."""
    text = plain_text(text)
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"


def inline(figure: Figure, *, key: str, words: str, colours: Mapping[str, str]) -> Markup:
    """Return a figure as an ``<svg>`` element to put into HTML.

    Style attributes become presentation attributes, so that a page may forbid inline styles; fonts are left to the
    page; coordinates are rounded to a tenth of a point.

    Parameters
    ----------
    figure : Figure
    key : str
        Prefix of every id in it; unique in the page. The same figure with the same key gives the same bytes.
    words : str
        What the figure shows, for those who do not see it.
    colours : mapping
        Colour as drawn, ``#rrggbb`` -> what the page shall use instead, such as ``var(--ink)``.
    """
    buffer = io.StringIO()
    settings: Any = {"svg.fonttype": "none", "svg.hashsalt": key, "text.parse_math": False}
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        # The page's font draws the text, not the one that matplotlib measures it with.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    root = ET.fromstring(buffer.getvalue())
    _drop(root, "metadata", "style")
    used = _references(root)
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
        _tidy(element, key, used, colours)
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-labelledby": f"{key}-title"}
    title = ET.Element("title", {"id": f"{key}-title"})
    title.text = plain_text(words)
    root.insert(0, title)
    return Markup(ET.tostring(_flat(root), encoding="unicode"))


def _drop(root: ET.Element, *names: str) -> None:
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in {_SVG + name for name in names}:
                parent.remove(child)


def _references(root: ET.Element) -> set[str]:
    text = " ".join(value for element in root.iter() for value in element.attrib.values())
    return set(re.findall(r"#([\w.-]+)", text))


def _tidy(element: ET.Element, key: str, used: set[str], colours: Mapping[str, str]) -> None:
    attributes = dict(element.attrib)
    for declaration in attributes.pop("style", "").split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "font" and (size := re.search(r"([\d.]+)px", value)):
            attributes["font-size"] = f"{size[1]}px"
            attributes |= {"font-weight": "bold"} if re.search(r"\b(bold|[6-9]00)\b", value) else {}
        elif name in _STYLES:
            attributes[name] = value
    result = {}
    for name, value in attributes.items():
        name = "href" if name == _HREF else name
        if name == "id":
            if value not in used:
                continue
            value = f"{key}-{value}"
        elif name in ("href", "clip-path"):
            value = value.replace("#", f"#{key}-")
        elif name in ("fill", "stroke"):
            value = colours.get(value.lower(), value)
        elif name == "transform":
            if value.startswith(("rotate(-0 ", "rotate(0 ")):
                continue
            value = _rounded(value)
        elif name in ("d", "x", "y", "width", "height"):
            value = _rounded(value)
        result[name] = value
    element.attrib = result
    element.tail = None
    if element.tag != "text":
        element.text = None


def _rounded(text: str) -> str:
    """Round the numbers in a path or a coordinate."""
    text = re.sub(r"-?\d+\.\d+", lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), text)
    return " ".join(re.sub(r"\s*([MLCQZz])\s*", r"\1", text).split())


def _flat(root: ET.Element) -> ET.Element:
    """Remove groups that say nothing."""
    for parent in list(root.iter()):
        children: list[ET.Element] = []
        for child in parent:
            if child.tag == "g" and not child.attrib:
                children += _flat(child)
            elif child.tag != "defs" or len(child):
                children.append(child)
        parent[:] = children
    return root
