"""Checks of the built HTML as it lies on the disk; `test_browser.py` opens the same pages in a browser."""

from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from seisbook.book import chapters, translation
from seisbook.book.binding import HTML

SPANISH = [f"es/{page}" for page in translation.pages("es")]
PAGES = [*chapters.pages(), *SPANISH, *(f"slides/{chapter.stem}" for chapter in chapters.chapters())]

pytestmark = pytest.mark.html


class Page(HTMLParser):
    """The parts of a page that could need a network, and its images."""

    def __init__(self, path):
        super().__init__()
        self.loaded, self.images, self.headings, self.links, self.article = [], [], 0, [], False
        self.title, self.description = "", ""
        self.in_title = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag in ("script", "img", "iframe", "source") and attrs.get("src"):
            self.loaded.append(attrs["src"])
        if tag == "link" and "stylesheet" in attrs.get("rel", ""):
            self.loaded.append(attrs["href"])
        if tag == "img":
            self.images.append(attrs)
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])
        if tag == "meta" and attrs.get("name") == "description":
            self.description = attrs["content"]
        self.in_title = tag == "title"
        self.article |= tag == "article"
        self.headings += tag == "h1" and self.article  # the theme repeats it outside, for print

    def handle_data(self, data):
        if self.in_title:
            self.title += data

    def handle_endtag(self, tag):
        self.in_title = False
        self.article &= tag != "article"


@pytest.fixture(params=PAGES)
def html_page(request):
    path = HTML / f"{request.param}.html"
    assert path.is_file(), f"{request.param} is not in the HTML"
    return path


def test_nothing_is_fetched_from_elsewhere(html_page):
    for address in Page(html_page).loaded:
        parts = urlsplit(address)
        assert parts.scheme in ("", "data"), f"{html_page.name} loads {address}"
        assert not parts.netloc, f"{html_page.name} loads {address}"
        if not parts.scheme:
            assert (html_page.parent / unquote(parts.path)).is_file(), f"{html_page.name} lacks {address}"


def test_figures_are_pictures(html_page):
    assert "&lt;Figure size" not in html_page.read_text(encoding="utf-8"), f"{html_page.name}: a figure without picture"


def test_images_have_alternative_text(html_page):
    for image in Page(html_page).images:
        if "logo" not in image.get("class", ""):
            assert image.get("alt"), f"{html_page.name}: {image.get('src')} has no alternative text"


def test_local_links_lead_somewhere(html_page):
    for link in Page(html_page).links:
        parts = urlsplit(link)
        if not parts.scheme and not parts.netloc and parts.path:
            assert (html_page.parent / unquote(parts.path)).exists(), f"{html_page.name}: {link} leads nowhere"


def test_one_main_heading_a_page(html_page):
    assert Page(html_page).headings == 1


def test_mathematics_is_local():
    used = [path for path in (HTML / "book").glob("*.html") if "mathjax" in path.read_text()]
    assert used
    assert (HTML / "_static/mathjax/tex-chtml.js").is_file()
    assert list((HTML / "_static/mathjax/output/chtml/fonts/woff-v2").glob("*.woff"))


def test_index_redirects_to_the_landing_page():
    assert (HTML / "index.html").is_file()
    assert "book/index.html" in (HTML / "index.html").read_text()


def test_pages_have_titles_and_descriptions_of_their_own():
    pages = {page: Page(HTML / f"{page}.html") for page in [*chapters.pages(), *SPANISH]}
    assert len({page.title for page in pages.values()}) == len(pages)
    assert len({page.description for page in pages.values()}) == len(pages)
    for name, page in pages.items():
        assert page.title.endswith("SeisBook"), f"{name} is titled '{page.title}'"
        assert 50 <= len(page.description) <= 200, f"{name} is described as '{page.description}'"


def test_landing_page_shows_the_map_and_the_verdicts():
    page = (HTML / "book" / "index.html").read_text(encoding="utf-8")
    assert "_images/networks.png" in page
    for verdict in ("supported", "not supported", "inconclusive"):
        assert f"<strong>{verdict}</strong>" in page


@pytest.mark.parametrize("name", SPANISH)
def test_spanish_pages_say_their_language_and_lead_to_the_english_ones(name):
    text = (HTML / f"{name}.html").read_text(encoding="utf-8")
    assert '<html lang="es"' in text
    assert f'<link rel="alternate" hreflang="en" href="../../{name.removeprefix("es/")}.html" />' in text
    english = (HTML / f"{name.removeprefix('es/')}.html").read_text(encoding="utf-8")
    assert '<html lang="en"' in english
    assert f'<link rel="alternate" hreflang="es" href="../{name}.html" />' in english


def test_what_is_not_translated_is_said_to_be_english():
    page = (HTML / "es" / "book" / "index.html").read_text(encoding="utf-8")
    assert 'href="../../book/04_robustness.html" hreflang="en"' in page
    assert "[en inglés]" in page


def test_spanish_landing_page_has_no_english_verdict():
    page = (HTML / "es" / "book" / "index.html").read_text(encoding="utf-8")
    assert "<strong>a favor</strong>" in page
    for word in ("supported", "inconclusive", "measurements", "worst at"):
        assert word not in page


def test_index_of_terms_leads_to_the_glossary():
    assert "book/glossary.html#term-azimuthal-gap" in (HTML / "genindex.html").read_text(encoding="utf-8")


def test_page_for_missing_pages_links_to_the_start():
    links = Page(HTML / "404.html").links
    assert "book/index.html" in links
    assert "search.html" in links


def test_a_build_that_knows_no_repository_has_no_launch_buttons(html_page):
    page = html_page.read_text(encoding="utf-8")
    assert "mybinder.org" not in page
    assert "colab.research.google.com" not in page
