"""The built pages in a real browser, from the file system, as from a USB stick: a network would not help them."""

import gzip
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe

from seisbook.book import chapters
from seisbook.book.binding import HTML
from tests import chromium

# all but the index of each edition, which leads on to its landing page
PAGES = [path.relative_to(HTML) for path in sorted(HTML.rglob("*.html")) if "_static" not in path.parts]
PAGES = [path for path in PAGES if path.name != "index.html" or path.parent.name == "book"]
DECKS = [path for path in PAGES if path.parts[0] == "slides"]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
HEAVIEST_MB = 2.0  # a page with everything that it loads, as a web server sends it: text compressed
PACKED = {".png", ".woff", ".woff2"}
PROJECTOR = {"width": 1280, "height": 720}
KNOWN = "Got invalid theme mode: . Resetting to auto."  # the theme's, on a reader's first visit

pytestmark = [
    pytest.mark.html,
    chromium.needed,
]


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
        self.page.wait_for_function("!window.Reveal || Reveal.isReady()")  # slides
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
    assert serious(visit.page, runOnly=["color-contrast"] if theme == "dark" else None) == {}


def serious(page, **options):
    """What axe-core finds serious or critical on a page, by its rules."""
    options = {"resultTypes": ["violations"], "preload": False} | {key: one for key, one in options.items() if one}
    return {
        rule["id"]: [node["html"][:150] for node in rule["nodes"][:3]]
        for rule in Axe().run(page, options=options).response["violations"]
        if rule["impact"] in ("serious", "critical")
    }


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


def test_search_finds_the_azimuthal_gap_in_spanish(browser):
    page = Visit(browser, (HTML / "es" / "search.html").as_uri() + "?q=brecha+azimutal")
    page.page.wait_for_selector("ul.search li")
    found = page.page.locator("ul.search li a").evaluate_all("links => links.map(link => link.href)")
    assert any("es/book/glossary.html" in link for link in found)
    assert page.failed == []
    assert page.complaints == []


def test_button_changes_the_language_and_back(browser):
    page = Visit(browser, (HTML / "book" / "01_data.html").as_uri()).page
    for language, path in (("es", "/es/book/01_data.html"), ("en", "/html/book/01_data.html")):
        page.locator(".btn-language-button:visible").first.click()
        page.wait_for_url(f"**{path}")
        assert page.evaluate("document.documentElement.lang") == language


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


@pytest.fixture(scope="module", params=DECKS, ids=str)
def deck(request, browser):
    visit = Visit(browser, (HTML / request.param).as_uri())
    visit.page.set_viewport_size(PROJECTOR)
    yield visit.page
    visit.page.close()


def test_every_chapter_has_slides():
    assert [path.stem for path in DECKS] == sorted(chapter.stem for chapter in chapters.chapters())


def test_all_that_is_on_a_slide_can_be_seen_and_read(deck):
    """Nothing is beyond the edges, no type under a fiftieth of the height, no picture small or without a name."""
    for i in range(deck.evaluate("Reveal.getTotalSlides()")):
        deck.evaluate("i => Reveal.slide(i)", i)
        found = deck.evaluate(
            """() => {
                const slide = Reveal.getCurrentSlide().querySelector(".slide"), edge = slide.getBoundingClientRect();
                const parts = [...slide.querySelectorAll("*:not(mjx-container *):not(mjx-assistive-mml)")];
                const boxes = parts.map(part => [part, part.getBoundingClientRect()]).filter(([, box]) => box.width);
                const outside = box => Math.max(
                    edge.left - box.left, edge.top - box.top, box.right - edge.right, box.bottom - edge.bottom) > 1;
                const beyond = boxes.filter(([, box]) => outside(box)).map(([part]) => part.outerHTML.slice(0, 100));
                const type = Math.min(...boxes.map(([part]) => parseFloat(getComputedStyle(part).fontSize)));
                const pictures = [...slide.querySelectorAll("img")].map(
                    image => [image.clientHeight, image.clientWidth, image.alt.length]);
                return {size: [edge.width, edge.height], beyond, type, pictures};
            }"""
        )
        assert found["size"] == [PROJECTOR["width"], PROJECTOR["height"]]
        assert found["beyond"] == [], f"slide {i + 1}"
        assert found["type"] > PROJECTOR["height"] / 50, f"slide {i + 1}"
        for height, width, name in found["pictures"]:
            assert height > 0.5 * PROJECTOR["height"]
            assert width > 0.3 * PROJECTOR["width"]
            assert name > 20


def test_each_kind_of_slide_is_accessible(deck):
    kinds = deck.evaluate("Reveal.getSlides().map(slide => slide.classList[0])")
    for kind in sorted(set(kinds)):
        deck.evaluate("i => Reveal.slide(i)", kinds.index(kind))
        assert serious(deck) == {}, kind


def test_keys_turn_slides_and_open_the_speakers_window(deck):
    deck.evaluate("Reveal.slide(0)")
    with deck.context.expect_page() as opened:
        deck.keyboard.press("s")
    notes = opened.value.locator(".speaker-controls-notes .value p").first
    notes.wait_for()
    assert notes.text_content() == deck.locator("aside.notes p").first.text_content()
    opened.value.close()
    deck.keyboard.press("ArrowRight")
    assert deck.evaluate("Reveal.getIndices().h") == 1


def test_slides_print_one_a_page(deck, browser, tmp_path):
    page = Visit(browser, deck.url.split("#")[0] + "?print-pdf").page
    page.wait_for_selector(".pdf-page")
    assert page.locator(".pdf-page").count() == deck.evaluate("Reveal.getTotalSlides()")
    page.close()
