"""The report in a browser, as a file without a server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

webdriver = pytest.importorskip("selenium.webdriver", reason="needs selenium: pip install 'grokscape[test]'")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.ui import Select  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")
pytestmark = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver on the path")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Browser:
    """Chromium, and what it logged since it was last asked."""

    def __init__(self, profile: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(DRIVER))

    def open(self, page: Path, *, width: int = 1280, scheme: str = "light") -> None:
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        self.driver.get("about:blank")
        self.errors(), self.requests()  # forget what came before
        self.driver.get(page.as_uri())

    def errors(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        return [e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"]

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def all(self, selector: str) -> list[Any]:
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def one(self, selector: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def shown(self, selector: str) -> list[str]:
        return [element.text for element in self.all(selector) if element.is_displayed()]

    def press(self, *keys: str) -> None:
        self.driver.switch_to.active_element.send_keys(*keys)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    started = Browser(tmp_path_factory.mktemp("profile"))
    yield started
    started.driver.quit()


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, honest_page: str) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(honest_page, encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_opens_without_errors_requests_or_overflow(browser: Browser, page: Path, width: int, scheme: str) -> None:
    browser.open(page, width=width, scheme=scheme)
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.run("return document.querySelectorAll('details').forEach(d => d.open = true)") is None
    assert browser.run("return document.documentElement.scrollWidth") <= width
    assert browser.errors() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [page.as_uri()]


#: Of every visible text: its contrast with what is behind it (WCAG 2), its element, its colour, its words.
CONTRASTS = """
const luminance = (colour) => {
  const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((c) => c / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = (element) => {
  const colour = getComputedStyle(element).backgroundColor;
  return colour === "rgba(0, 0, 0, 0)" && element.parentElement ? ground(element.parentElement) : colour;
};
return [...document.querySelectorAll("main *, header *")].filter((e) =>
  [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()) && e.checkVisibility()
).map((e) => {
  const style = getComputedStyle(e);
  const text = e instanceof SVGElement ? style.fill : style.color;
  const [a, b] = [luminance(text), luminance(ground(e))].sort((x, y) => y - x);
  return [(a + 0.05) / (b + 0.05), e.tagName + "." + e.getAttribute("class"), text, e.textContent];
});
"""


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
          parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a || 99);
        """
    )
    assert sizes
    assert min(sizes) > 10


def test_filters(browser: Browser, page: Path) -> None:
    browser.open(page)
    assert browser.one("#shown").text == "9 claims"
    Select(browser.one("#status")).select_by_visible_text("holds")
    assert browser.one("#shown").text == "4 of 9 claims"
    assert len(browser.shown(".overview tbody tr")) == len(browser.shown("article")) == 4
    browser.one("#search").send_keys("FALLS")
    assert browser.one("#shown").text == "1 of 9 claims"
    assert browser.shown(".overview tbody a") == ["someone2024.falls"]
    browser.one("#search").send_keys(" nonsense")
    assert browser.one("#nothing").is_displayed()
    browser.one("button[type=reset]").click()
    browser.run("return new Promise((done) => setTimeout(done, 50))")
    assert browser.one("#shown").text == "9 claims"
    assert len(browser.shown("article")) == 9


def test_filters_by_whose_claim_it_is(browser: Browser, page: Path) -> None:
    browser.open(page)
    Select(browser.one("#kind")).select_by_visible_text("rival reading")
    assert browser.shown(".overview tbody a") == ["someone2024.varies"]
    Select(browser.one("#kind")).select_by_visible_text("stated")
    assert browser.one("#shown").text == "8 of 9 claims"


def test_a_link_shows_a_claim_that_is_filtered_out(browser: Browser, page: Path) -> None:
    browser.open(page)
    Select(browser.one("#status")).select_by_visible_text("fails")
    browser.run("location.hash = 'someone2024.holds'; return new Promise((done) => setTimeout(done, 50))")
    assert browser.one("[id='someone2024.holds']").is_displayed()


def test_a_link_that_is_no_valid_escape_leaves_the_page_alive(browser: Browser, page: Path) -> None:
    browser.driver.get("about:blank")
    browser.errors()  # forget what came before
    browser.driver.get(f"{page.as_uri()}#%E0%A4%A")
    assert browser.errors() == []
    browser.one("#search").send_keys("FALLS")
    assert browser.one("#shown").text != "9 claims"


def test_order(browser: Browser, page: Path) -> None:
    browser.open(page)
    names = browser.shown(".overview tbody a")
    button = browser.one("button.sort")
    button.click()
    assert browser.shown(".overview tbody a") == sorted(names)
    button.click()
    assert browser.shown(".overview tbody a") == sorted(names, reverse=True)
    assert browser.one("th:first-child").get_attribute("aria-sort") == "descending"
    browser.one("th[data-key] button").click()
    assert browser.shown(".overview .badge")[-1].endswith("error")


def test_keyboard_reaches_everything_and_shows_where_it_is(browser: Browser, page: Path) -> None:
    browser.open(page)
    reached = []
    for _ in range(11):
        browser.press(Keys.TAB)
        reached.append(browser.run("return document.activeElement.id || document.activeElement.className"))
        assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid", reached
    assert reached[:2] + reached[3:8] == ["skip", "theme", "search", "paper", "theory", "status", "kind"]
    assert "section-1" in browser.run("return document.querySelector('.papers a').href")
    assert reached[9:] == ["sort"] * 2


def test_theme_can_be_changed(browser: Browser, page: Path) -> None:
    browser.open(page, scheme="dark")
    ground = "return getComputedStyle(document.body).backgroundColor"
    before = browser.run(ground)
    browser.one("#theme").click()
    assert browser.run(ground) != before
    assert browser.one("#theme").text == "Dark"


def test_command_can_be_copied(browser: Browser, page: Path) -> None:
    browser.open(page)
    button = browser.one("button.copy")
    browser.run("arguments[0].click(); return new Promise((done) => setTimeout(done, 200))", button)
    assert button.text in ("Copied", "Selected")


def test_markup_in_a_claim_is_not_obeyed(browser: Browser, tmp_path: Path, hostile_page: str) -> None:
    path = tmp_path / "hostile.html"
    path.write_text(hostile_page, encoding="utf-8")
    browser.open(path, width=390)
    assert browser.run("return typeof window.pwned") == "undefined"
    assert browser.run("return document.querySelectorAll('img, main script').length") == 0
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    assert browser.errors() == []
    assert [url for url in browser.requests() if not url.startswith("data:")] == [path.as_uri()]


def test_foreign_scripts_never_run(browser: Browser, tmp_path: Path, honest_page: str) -> None:
    """Even if markup slipped through, the policy of the page would stop it."""
    path = tmp_path / "tampered.html"
    tampered = honest_page.replace(
        "</main>", "<script>window.pwned=1</script><img src=x onerror=window.pwned=1></main>"
    )
    path.write_text(tampered, encoding="utf-8")
    browser.open(path)
    assert browser.run("return typeof window.pwned") == "undefined"


def test_all_is_there_without_script(browser: Browser, page: Path) -> None:
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(page)
        assert len(browser.shown("article")) == 9
        assert not browser.one(".filters").is_displayed()
        assert not browser.one("#theme").is_displayed()
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_print_opens_what_is_folded(browser: Browser, page: Path) -> None:
    browser.open(page, scheme="dark")
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert browser.run("return document.querySelectorAll('details:not([open])').length") == 0
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert not browser.one(".filters").is_displayed()
    assert browser.run("return getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert browser.run("return document.querySelectorAll('details:not([open])').length") > 0
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
