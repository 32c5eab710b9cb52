"""The Spanish edition: nothing is untranslated, no part of a message is lost, and catalogues follow their pages."""

import re

import nbformat
import pytest

from seisbook.book import chapters, editions, messages, translation
from seisbook.errors import DataError
from seisbook.findings import answers
from seisbook.paths import ROOT

PAGE = """(here)=
# A heading

A paragraph in
two lines, with {doc}`01_data` and $x = 1$.

- one item
- 2

| what | value |
|---|---|
| the *mean* | {glue:text}`mean` |

```{admonition} The title
:class: tip

The body.
```

```{figure} map.png
:name: fig-map
:alt: A map.

The caption.
```

```
code that stays
```

    more code

$$ a = b $$ (eq-a)
"""
FOUND = ["A heading", "A paragraph in two lines, with {doc}`01_data` and $x = 1$.", "one item", "what", "value"]
FOUND += ["the *mean*", "The title", "The body.", "A map.", "The caption."]


def test_nothing_is_untranslated_or_fuzzy_and_nothing_is_lost():
    """If this fails: run `seisbook book translate`, and fill in what it lists."""
    missing = translation.missing("es", translation.source_messages("es"))
    assert missing == [], f"{len(missing)} messages: run `seisbook book translate` and fill them in"


def test_the_edition_has_the_pages_that_it_promises():
    promised = {"index", "01_data", "02_model", "07_your_network", "workshop", "glossary", "references"}
    assert {page.removeprefix("book/") for page in translation.pages("es")} == promised


def test_messages_of_a_page():
    found = []
    assert messages.translated(PAGE, lambda message: found.append(message) or message)
    assert found == FOUND


def test_only_messages_are_replaced():
    changed = messages.translated(PAGE, lambda message: f"<{message}>")
    for message in FOUND:
        assert f"<{message}>" in changed
    for line in ("(here)=", "- 2", "|---|---|", ":name: fig-map", "code that stays", "    more code"):
        assert f"\n{line}\n" in f"\n{changed}"
    assert "$$ a = b $$ (eq-a)" in changed
    assert "| <the *mean*> | {glue:text}`mean` |" in changed


@pytest.mark.parametrize("page", translation.pages("es"))
def test_a_page_in_its_own_words_is_the_page(page):
    path = translation.source_file(ROOT, page)
    same = translation.translated_file(path, lambda message: message)
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        same, text = ("\n".join(cell.source for cell in one) for one in (same.cells, cells))
    else:
        text = path.read_text(encoding="utf-8")
    assert same.split() == text.split()


def test_an_unknown_directive_is_named():
    with pytest.raises(DataError, match=r"directive \{riddle\}"):
        messages.translated("```{riddle}\nWhat is it?\n```", str)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("See {doc}`01_data`.", "Vea {doc}`02_model`."),
        ("It is {glue:text}`mean` km.", "Es de km."),
        ("With $x = 1$.", "Con $x = 2$."),
        ("Run `make book`.", "Ejecute make book."),
        ("Half lies within {ours} km.", "La mitad a {suyo} km."),
        ('<a href="a.html">slides</a>', '<a href="b.html">diapositivas</a>'),
    ],
)
def test_a_lost_part_is_noticed(message, said):
    assert messages.kept(message) != messages.kept(said)


def test_words_and_terms_may_change():
    one, other = (
        "See {ref}`the line <expert-line>` of an {term}`onset`.",
        "Vea {ref}`esa <expert-line>` {term}`llegada`.",
    )
    assert messages.kept(one) == messages.kept(other)


@pytest.fixture
def catalogues(tmp_path, monkeypatch):
    """An empty folder for catalogues; the function writes one."""
    folder = tmp_path / "locale" / "es" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    monkeypatch.setattr(translation, "LOCALE", tmp_path / "locale")
    monkeypatch.setattr(translation, "ROOT", tmp_path)

    def write(name, **said):
        entries = "".join(f'\nmsgid "{key}"\nmsgstr "{value}"\n' for key, value in said.items())
        (folder / f"{name}.po").write_text(translation.HEADER.format(language="es") + entries, encoding="utf-8")

    return write


def test_numbers_return_into_phrases(catalogues):
    said = {"{1} of {2}": "de {2}, {1}", "worst at {1}": "peor en {1}", "and": "y"}
    catalogues("phrases", **said, **{"in Colombia": "en Colombia", "at Ridgecrest": "en Ridgecrest"})
    say = translation.Translator("es").phrase
    assert say("3 of 10 in Colombia") == "de 10, 3 en Colombia"
    assert say("3 of 10 in Colombia and 0.9 [0.8, 1.0] at Ridgecrest") == (
        "de 10, 3 en Colombia y 0.9 [0.8, 1.0] en Ridgecrest"
    )
    assert say("something new, worst at 0.5") == "something new, peor en 0.5"
    assert say("something new") == "something new"


def test_a_changed_message_becomes_fuzzy_and_is_shown_in_english(catalogues):
    catalogues("page", **{"The old sentence of a page.": "La frase de una página.", "It stays.": "Se queda."})
    sources = {"page": {"The new sentence of a page.": "", "It stays.": "", "It is new, and unlike all others.": ""}}
    translation.update("es", sources)
    say = translation.Translator("es").page("page")
    assert say("It stays.") == "Se queda."
    assert say("The new sentence of a page.") == "The new sentence of a page."
    assert [line.split(": ", 2)[1:] for line in translation.missing("es", sources)] == [
        ["fuzzy", "The new sentence of a page."],
        ["untranslated", "It is new, and unlike all others."],
    ]


def test_a_broken_catalogue_is_named(catalogues, tmp_path):
    catalogues("page")
    (tmp_path / "locale/es/LC_MESSAGES/page.po").write_text("nothing of the kind", encoding="utf-8")
    with pytest.raises(DataError, match=r"page\.po: not a gettext catalogue"):
        translation.catalogue("es", "page")


def test_quoted_words_and_tables_are_translated(catalogues):
    catalogues("phrases", ahead="por delante", depth="profundidad")
    glued = {translation.GLUED: "'ahead'"}
    table = {"text/html": "<table><tr><th>depth</th><td>1.5</td><td>a &lt; b</td></tr></table>"}
    outputs = [nbformat.v4.new_output("display_data", data=data) for data in (glued, table)]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(outputs=outputs)])
    quoted, shown = translation.in_outputs(notebook, translation.Translator("es").phrase).cells[0].outputs
    assert quoted.data[translation.GLUED] == "'por delante'"
    assert shown.data["text/html"] == "<table><tr><th>profundidad</th><td>1.5</td><td>a &lt; b</td></tr></table>"


def test_every_verdict_has_a_sentence_in_spanish():
    said = {entry.id: entry.string for entry in translation.catalogue("es", translation.PHRASES) if entry.id}
    asked = []
    answers.said([], lambda phrase: asked.append(phrase) or phrase)
    leads = ("Yes, by every measurement", "Mostly, yes", "Mostly, no", "Most measurements cannot decide", "In part")
    for phrase in (*leads, *answers.VERDICTS, *answers.QUESTIONS, *asked):
        assert said[phrase], phrase


def test_the_toc_of_an_edition_has_its_pages_alone(tmp_path):
    text = editions._toc(ROOT / "_toc.yml", translation.pages("es"), str)
    listed = re.findall(r"book/\w+", text)
    assert listed == [page for page in chapters.pages() if page in translation.pages("es")]
