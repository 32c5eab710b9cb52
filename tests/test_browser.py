"""The built pages in a real browser, from the file system, as from a USB stick: a network would not help them."""

import gzip
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import sync_playwright

from seisbook.binding import HTML

# all but the top's index, which leads on to the landing page
PAGES = [path.relative_to(HTML) for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
PAGES = [path for path in PAGES if path != Path("index.html")]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
HEAVIEST_MB = 2.0  # a page with everything that it loads, as a web server sends it: text compressed
PACKED = {".png", ".woff", ".woff2"}
KNOWN = "Got invalid theme mode: . Resetting to auto."  # the theme's, on a reader's first visit

pytestmark = [
    pytest.mark.html,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium; on Debian and Ubuntu: apt install chromium"),
]


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


class Visit:
    """A page that has been opened, with what it asked for and what it complained about."""

    def __init__(self, browser, address):
        self.requests, self.failed, self.complaints = set(), [], []
        self.page = browser.new_page(viewport=DESKTOP, color_scheme="light")
        self.page.on("request", lambda request: self.requests.add(request.url))
        self.page.on("requestfailed", lambda request: self.failed.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self.listen)
        self.page.goto(address)
        self.page.wait_for_load_state("load")
        self.page.evaluate("window.MathJax && MathJax.startup && MathJax.startup.promise")
        self.page.add_style_tag(content="* { transition: none !important; }")  # or colours are judged on their way
        self.page.evaluate("for (const image of document.images) image.loading = 'eager'")
        self.page.wait_for_function("[...document.images].every(image => image.complete)")

    def listen(self, message):
        if message.type in ("error", "warning") and message.text != KNOWN:
            self.complaints.append(message.text)

    def files(self):
        addresses = {url.split("#")[0].split("?")[0] for url in self.requests if url.startswith("file:")}
        return [Path(unquote(urlsplit(address).path)) for address in addresses]


@pytest.fixture(scope="module", params=PAGES, ids=str)
def visit(request, browser):
    visit = Visit(browser, (HTML / request.param).as_uri())
    yield visit
    visit.page.close()


def test_there_are_pages():
    assert Path("404.html") in PAGES


def test_nothing_fails_and_nothing_leaves_the_page(visit):
    assert [url for url in visit.requests if urlsplit(url).scheme not in ("file", "data", "blob")] == []
    assert visit.failed == []
    assert visit.complaints == []


def test_mathematics_is_typeset(visit):
    sources, typeset, errors = visit.page.evaluate(
        "['.math', 'mjx-container', 'mjx-merror'].map(what => document.querySelectorAll(what).length)"
    )
    assert typeset >= sources
    assert errors == 0, visit.page.evaluate("document.querySelector('mjx-merror').parentNode.parentNode.innerHTML")


def test_pictures_are_shown(visit):
    assert visit.page.evaluate("[...document.images].filter(i => !i.naturalWidth).map(i => i.src)") == []


def test_weight(visit):
    sent = {
        path.name: path.stat().st_size if path.suffix in PACKED else len(gzip.compress(path.read_bytes(), 6))
        for path in visit.files()
    }
    heaviest = sorted(sent.items(), key=lambda item: -item[1])[:5]
    assert sum(sent.values()) < HEAVIEST_MB * 1e6, f"{sum(sent.values()) / 1e6:.2f} MB, most of it {heaviest}"


def test_solutions_open(visit):
    folded = visit.page.locator(".admonition.toggle.dropdown")
    for i in range(folded.count()):
        content = folded.nth(i).locator(":scope > :not(.admonition-title)").first
        assert not content.is_visible()
        folded.nth(i).locator(".toggle-button").first.click()
        assert content.is_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_readable(visit, theme):
    """Nothing serious or critical by axe-core's rules; in dark mode, by that on contrast."""
    visit.page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
    options = {"resultTypes": ["violations"], "preload": False}
    if theme == "dark":
        options["runOnly"] = ["color-contrast"]
    found = Axe().run(visit.page, options=options).response["violations"]
    serious = {
        rule["id"]: [node["html"][:150] for node in rule["nodes"][:3]]
        for rule in found
        if rule["impact"] in ("serious", "critical")
    }
    assert serious == {}


def test_phone_needs_no_sideways_scrolling(visit):
    visit.page.set_viewport_size(PHONE)
    width = visit.page.evaluate("document.documentElement.scrollWidth")
    visit.page.set_viewport_size(DESKTOP)
    assert width <= PHONE["width"]


def test_there_are_solutions_to_open():
    assert sum("toggle" in (HTML / page).read_text(encoding="utf-8") for page in PAGES) >= 3


def test_search_finds_the_azimuthal_gap(browser):
    page = Visit(browser, (HTML / "search.html").as_uri() + "?q=azimuthal+gap")
    page.page.wait_for_selector("ul.search li")
    found = page.page.locator("ul.search li a").evaluate_all("links => links.map(link => link.href)")
    assert any("book/01_data.html" in link for link in found)
    assert any("book/glossary.html" in link for link in found)
    assert page.failed == []
    assert page.complaints == []


def test_reader_can_choose_the_dark_mode(browser):
    page = Visit(browser, (HTML / "404.html").as_uri()).page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    for _ in range(3):  # auto, light, dark
        page.locator("button.theme-switch-button:visible").first.click()
        if page.evaluate("document.documentElement.dataset.mode") == "dark":
            break
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.wait_for_function(f"{ground} !== '{light}'")
