"""Links to the glossary at the first use of a term, in both languages, and their previews in a browser."""

import re
import shutil

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import sync_playwright
from sphinx.application import Sphinx

from seisbook.book import terms, translation
from seisbook.paths import BOOK
from tests import chromium

ENGLISH = """# Onsets and the azimuthal gap

The `onset` of $onset$ and [an onset](https://example.org) come first. Onsets are read by analysts.
Another onset, and the origin
time. The {term}`epicentre` is linked by hand, so this epicentre is not. An oil field has a floor.

| onset |
|---|
| hypocentre |

```{figure} logo.svg
:name: fig-one

A hypocentre.
```

## Coda

The coda follows the **hypocentre**; b-values and attenuation laws come later. ESM is a database.
"""
SPANISH = """# La brecha azimutal

Las brechas azimutales y los hipocentros. El gemelo simulado es exacto, y su representación también.
"""


def _build(source, text, glossary):
    (source / "book").mkdir(parents=True)
    (source / "index.md").write_text("# Book\n\n```{toctree}\nbook/01_page\nbook/glossary\nbook/other\n```\n")
    (source / "book" / "01_page.md").write_text(text, encoding="utf-8")
    (source / "book" / "other.md").write_text("# Other\n\nAn onset on a page that is no chapter.\n")
    (source / "book" / "glossary.md").write_text(glossary, encoding="utf-8")
    shutil.copy(BOOK / "_static" / "logo.svg", source / "book")
    settings = {"extensions": ["myst_parser", "seisbook.book.terms"], "project": "test", "html_theme": "basic"}
    settings |= {"myst_enable_extensions": ["dollarmath"], "html_static_path": [str(BOOK / "_static")]}
    settings |= {"html_css_files": ["seisbook.css"], "mathjax_path": "none.js"}
    Sphinx(source, None, source / "html", source / "trees", "html", settings, status=None, warning=None).build()
    return source / "html" / "book"


@pytest.fixture(scope="module")
def english(tmp_path_factory):
    return _build(tmp_path_factory.mktemp("en"), ENGLISH, (BOOK / "glossary.md").read_text(encoding="utf-8"))


def _links(page):
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    links = soup.select('a[href*="glossary.html#term-"]')
    return {link["href"].split("#")[1]: " ".join(link.text.split()) for link in links}, links, soup


def test_the_first_use_in_prose_is_linked_once(english):
    found, links, _ = _links(english / "01_page.html")
    assert found == {
        "term-onset": "Onsets",
        "term-analyst": "analysts",
        "term-origin-time": "origin time",
        "term-epicentre": "epicentre",
        "term-coda": "coda",
        "term-hypocentre": "hypocentre",
        "term-b-value": "b-values",
        "term-attenuation-law": "attenuation laws",
        "term-ESM-RRSM": "ESM",
    }
    assert len(links) == len(found)
    assert not [link for link in links if link.find_parent(["h1", "h2", "table", "figcaption", "code"])]


def test_other_pages_are_left_as_they_are(english):
    assert _links(english / "other.html")[0] == {}
    assert "glossary-preview" not in (english / "glossary.html").read_text(encoding="utf-8")


def test_each_link_has_its_definition_and_no_link_in_it(english):
    found, _, soup = _links(english / "01_page.html")
    previews = {one["id"]: one for one in soup.select(".glossary-preview")}
    assert set(previews) == {f"preview-{anchor}" for anchor in found}
    assert all(len(one.text) > 30 and not one.find("a") for one in previews.values())
    assert "No station measures it." in previews["preview-term-origin-time"].text
    assert previews["preview-term-b-value"].select(".math")


def test_spanish_terms_are_linked_to_the_spanish_glossary(tmp_path):
    path = translation.source_file(BOOK.parent, "book/glossary")
    glossary = translation.translated_file(path, translation.Translator("es").page("glossary"))
    found, _, soup = _links(_build(tmp_path, SPANISH, glossary) / "01_page.html")
    assert sorted(found.values()) == ["brechas azimutales", "gemelo simulado", "hipocentros", "representación"]
    assert "El mayor ángulo" in soup.select_one(".glossary-preview").text


@pytest.mark.parametrize(
    ("term", "text", "match"),
    [
        ("study recipe", "Study recipes", "Study recipes"),
        ("S minus P", "the s minus p", None),
        ("fold", "ten-fold", None),
        ("fold", "manifold", None),
        ("velocity", "velocities", "velocities"),
        ("ESM, RRSM", "the RRSM", "RRSM"),
    ],
)
def test_whole_words_and_plurals_are_found(term, text, match):
    found = terms.pattern(term).search(text)
    assert (found and found[0]) == match


def test_every_name_with_several_meanings_is_a_term():
    path = translation.source_file(BOOK.parent, "book/glossary")
    spanish = translation.translated_file(path, translation.Translator("es").page("glossary"))
    known = re.findall(r"^(\S.*)\n  \S", path.read_text(encoding="utf-8") + spanish, re.M)
    assert set(known) >= terms.SEVERAL_MEANINGS


@chromium.needed
def test_a_preview_opens_and_closes_by_mouse_keyboard_and_finger(english):
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium.CHROMIUM)
        page = browser.new_context(viewport={"width": 390, "height": 800}, has_touch=True).new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((english / "01_page.html").as_uri())
        link, preview = page.locator('a[href$="#term-onset"]'), page.locator("#preview-term-onset")
        assert link.get_attribute("aria-describedby") == "preview-term-onset"
        link.hover()
        assert preview.is_visible()
        preview.hover()
        page.wait_for_timeout(400)
        assert preview.is_visible(), "it closes under the mouse"
        page.keyboard.press("Escape")
        assert not preview.is_visible()
        page.mouse.move(0, 0)
        link.focus()
        box = preview.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
        page.keyboard.press("Escape")
        assert not preview.is_visible()
        link.evaluate("link => link.blur()")
        link.tap()
        assert preview.is_visible()
        assert page.url.endswith("01_page.html")
        link.tap()
        page.wait_for_url("**/glossary.html#term-onset")
        assert all(url.startswith("file:") for url in asked)
        browser.close()
