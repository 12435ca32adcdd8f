"""The page of ``grokscape measure`` in a browser, as a file without a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from grokscape.reports.cli import main
from tests.reports.model_page.measured import TINY

pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install 'grokscape[test]'")
from tests.reports.claims_page.test_browser import CONTRASTS, Browser, pytestmark  # noqa: F401 - the mark skips where there is no browser


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on a model whose name is markup, with a section of every form: figures in panels, tables, a failure."""
    folder = tmp_path_factory.mktemp("measured")
    name = "x<img src=x onerror=window.pwned=1>" + "long" * 20
    (folder / "tiny.py").write_text(
        TINY + f"\n\nclass Bad(nn.Sequential): pass\n\nBad.__name__ = {name!r}\n\n"
        "def bad():\n    made = make()\n    made['model'] = Bad(*made['model'])\n    return made\n"
    )
    out = folder / "out.html"
    command = ["measure", f"{folder / 'tiny.py'}:bad", "--quick", "--report", str(out)]
    assert main([*command, "--what", "norm-profile,hessian,homogeneity,margin,slices,paths,progress"]) == 0
    return out


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_without_errors_requests_or_overflow(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width=width, scheme=scheme)
    browser.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert browser.run("return document.documentElement.scrollWidth") <= width
    beyond = browser.run(
        """
        const inside = (e) => e.closest(".scroll, .command") === null;
        return [...document.querySelectorAll("main *, header *")].filter(inside)
          .filter((e) => e.getBoundingClientRect().right > arguments[0] + 1).map((e) => e.outerHTML.slice(0, 80));
        """,
        width,
    )
    assert beyond == []
    assert browser.errors() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]


def test_markup_in_names_is_not_obeyed(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.run("return typeof window.pwned") == "undefined"
    assert browser.all("img") == []
    assert "onerror=window.pwned" in browser.one(".lede").text


def test_figures_follow_the_theme(browser: Browser, page: Path) -> None:
    browser.open(page, scheme="light")
    colours = """
        const of = (e, what) => getComputedStyle(e)[what];
        const figure = document.querySelector("#line svg");
        const strokes = [...figure.querySelectorAll("[stroke^='var(--series']")].map((e) => of(e, "stroke"));
        return [of(figure.querySelector("text"), "fill"), strokes[0], of(document.body, "backgroundColor")];
    """
    light = browser.run(colours)
    browser.one("#theme").click()
    dark = browser.run(colours)
    assert all(before != after for before, after in zip(light, dark, strict=True))
    assert browser.one("#theme").text == "Light"
    browser.open(page, scheme="dark")
    assert browser.run(colours) == dark


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_the_page(browser: Browser, page: Path, scheme: str) -> None:
    browser.open(page, scheme=scheme)
    contrasts = browser.run(CONTRASTS)
    assert len(contrasts) > 100
    assert [found for found in contrasts if found[0] < 4.5] == []


def test_letters_are_legible_on_a_telephone(browser: Browser, page: Path) -> None:
    browser.open(page, width=390)
    sizes = browser.run(
        """
        return [...document.querySelectorAll("main svg text")].map((text) =>
          [parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a ||
           parseFloat(getComputedStyle(text).fontSize) * Math.abs(text.getScreenCTM().b), text.textContent]);
        """
    )
    assert len(sizes) > 50
    assert [size for size in sizes if size[0] <= 9.5] == []


def test_words_stay_inside_their_figures(browser: Browser, page: Path) -> None:
    browser.open(page, width=390)
    outside = browser.run(
        """
        return [...document.querySelectorAll("main svg")].flatMap((svg) => {
          const box = svg.getBoundingClientRect();
          return [...svg.querySelectorAll("text")].filter((text) => {
            const own = text.getBoundingClientRect();
            return own.left < box.left - 3 || own.right > box.right + 3 || own.top < box.top - 3 ||
              own.bottom > box.bottom + 3;
          }).map((text) => text.textContent);
        });
        """
    )
    assert outside == []


def test_links_of_the_overview_lead_to_their_sections(browser: Browser, page: Path) -> None:
    browser.open(page)
    links = browser.all(".instruments a")
    assert len(links) == len(browser.all("article"))
    for link in links:
        assert browser.one(f"[id='{link.get_attribute('href').split('#')[1]}']").is_displayed()


def test_all_is_there_without_script(browser: Browser, page: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        assert len(browser.shown("article")) == len(browser.all("article")) > 5
        assert not browser.one("#theme").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
