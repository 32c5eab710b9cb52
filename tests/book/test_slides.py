"""Slides: which parts of a page they show, and that each chapter's deck has all of them and nothing else."""

import html
import re

import nbformat
import pytest
from docutils import nodes
from sphinx_exercise.nodes import exercise_enumerable_node, solution_node
from sphinx_proof.nodes import proof_node, theorem_node

from seisbook.book import chapters, workshop
from seisbook.book.binding import HTML
from seisbook.book.slides import MOST_ROWS, OFF_SLIDES, slides
from seisbook.paths import BOOK

FRAME = "<table>{}</table>"


def text(words):
    return nodes.paragraph("", words)


def frame(rows):
    return nodes.raw("", FRAME.format("<tr>" * rows), format="html")


def cell(*outputs):
    return nodes.container("", nodes.literal_block("", "code"), nodes.container("", *outputs), classes=["cell"])


def section(title, *children):
    return nodes.section("", nodes.title("", title), *children, ids=[nodes.make_id(title)])


def chapter(*sections):
    learn = nodes.admonition("", nodes.title("", "You will learn"), nodes.bullet_list())
    page = nodes.document(None, None)
    page += section("Title", text("Opening."), learn, nodes.table("", nodes.row()), *sections)
    return page


def made(*children):
    """Kinds of the slides of a section with these children."""
    return [slide.kind for slide in slides(chapter(section("Section", *children)))[1:]]


def test_a_deck_begins_with_the_title_and_what_is_to_be_learnt():
    (only,) = slides(chapter())
    assert (only.kind, only.heading, only.notes) == ("title", "Title", ["Opening."])
    assert [part.next_node(nodes.title).astext() for part in only.shown] == ["You will learn"]


def test_figures_and_short_tables_of_cells_are_shown():
    assert made(cell(nodes.figure()), cell(frame(MOST_ROWS)), nodes.table("", nodes.row())) == [
        "figure",
        "table",
        "table",
    ]


def test_code_long_tables_and_interactive_figures_are_not_shown():
    explorer = nodes.raw("", "<div><script></script></div>", format="html")
    long = nodes.table("", *[nodes.row() for _ in range(MOST_ROWS + 1)])
    assert made(cell(), cell(frame(MOST_ROWS + 1)), cell(explorer), nodes.literal_block("", "code"), long) == []


def test_a_cell_that_says_so_stays_off_the_slides():
    kept = cell(frame(3))
    assert made(kept) == ["table"]
    kept = cell(frame(3))
    kept["classes"].append(OFF_SLIDES)
    assert made(kept) == []


def test_formulas_and_theorems_share_a_slide_with_their_like():
    theorem = theorem_node("", nodes.title("", "(Name)"), classes=["proof", "theorem"])
    proof = proof_node("", nodes.admonition("", text("Proof. Easy.")))
    assert made(nodes.math_block(), text("and"), nodes.math_block(), theorem, proof, nodes.note()) == [
        "mathematics",
        "statement",
    ]


def test_exercises_are_shown_and_solutions_are_not_even_spoken():
    exercise = exercise_enumerable_node("", text("Do it."), classes=["exercise"])
    solution = solution_node("", text("So."), classes=["solution", "dropdown"])
    found = slides(chapter(section("Exercises", exercise, solution, exercise.deepcopy())))[1:]
    assert [(slide.kind, slide.notes) for slide in found] == [("exercise", []), ("exercise", [])]


def test_only_the_summary_shows_its_list():
    points = nodes.bullet_list("", nodes.list_item("", text("Point.")))
    found = slides(chapter(section("Before", points), section("Summary", points.deepcopy(), text("Next."))))[1:]
    assert [(slide.kind, slide.notes) for slide in found] == [("summary", ["Next."])]


def test_the_speaker_has_the_text_before_the_first_slide_and_after_each():
    inner = section("Inner", text("four"), cell(nodes.figure()))
    outer = section("Outer", text("one"), cell(nodes.figure()), text("two"), cell(nodes.figure()), text("three"), inner)
    found = [(slide.heading, slide.notes) for slide in slides(chapter(outer))[1:]]
    assert found == [("Outer", ["one", "two"]), ("Outer", ["three"]), ("Inner", ["four"])]


class Deck:
    """A built deck, its chapter, and its slides as pairs of kind and content."""

    def __init__(self, path):
        self.chapter = path
        self.cells = nbformat.read(path, as_version=4).cells
        self.chapter_page = (HTML / "book" / f"{path.stem}.html").read_text(encoding="utf-8")
        self.page = (HTML / "slides" / f"{path.stem}.html").read_text(encoding="utf-8")
        self.slides = re.findall(r'<section class="(\w+)">(.*?)</section>', self.page, re.S)

    def of(self, kind):
        return [content for found, content in self.slides if found == kind]


@pytest.fixture(params=chapters.chapters(), ids=lambda path: path.stem)
def deck(request):
    return Deck(request.param)


def words(markup):
    """The words of a piece of HTML or Markdown, whatever their quotation marks and emphasis."""
    return " ".join(re.findall(r"\w+", html.unescape(re.sub(r"<[^>]+>", "", markup))))


def _is_interactive(cell):
    return any("<script" in output.get("data", {}).get("text/html", "") for output in cell.outputs)


def _is_off_slides(cell):
    return OFF_SLIDES.removeprefix("tag_") in cell.metadata.get("tags", [])


@pytest.mark.html
def test_every_figure_is_on_one_slide_with_its_caption(deck):
    drawn = [cell for cell in deck.cells if "figure" in cell.metadata.get("mystnb", {}) and not _is_interactive(cell)]
    readable = [cell.metadata["mystnb"] for cell in drawn if not _is_off_slides(cell)]
    shown = [words(content) for content in deck.of("figure")]
    assert len(shown) == len(readable) > 0
    assert "<img " in deck.page
    for figure in readable:
        alt = f'alt="{figure["image"]["alt"]}"'  # where data are missing, the page has words in a picture's place
        assert html.unescape(deck.page).count(alt) == html.unescape(deck.chapter_page).count(alt) <= 1
        assert sum(words(figure["figure"]["caption"]) in content for content in shown) == 1


@pytest.mark.html
def test_what_cannot_be_read_from_the_back_is_on_no_slide(deck):
    everything = words(deck.page)
    figures = [cell.metadata.get("mystnb", {}).get("figure") for cell in deck.cells if _is_off_slides(cell)]
    assert [figure for figure in figures if figure and words(figure["caption"]) in everything] == []


@pytest.mark.html
def test_every_exercise_is_on_a_slide_and_no_solution(deck):
    shown, everything = deck.of("exercise"), words(deck.page)
    for exercise, content in zip(workshop.exercises(deck.chapter), shown, strict=True):
        assert words(exercise.title) in words(content)
        assert f"· {exercise.minutes} minutes" in content
        hidden = [exercise.check, exercise.solution, exercise.explanation]
        lines = {words(line) for part in hidden for line in part.splitlines()}
        assert [line for line in lines if len(line.split()) > 5 and line in everything] == []


@pytest.mark.html
def test_what_else_a_deck_has(deck):
    assert [deck.slides[0][0], len(deck.of("title")), len(deck.of("summary"))] == ["title", 1, 1]
    assert "You will learn" in deck.of("title")[0]
    statements = re.findall(r"```\{(prf:(?!proof)\w+|note|warning)\}", "\n".join(cell.source for cell in deck.cells))
    assert len(re.findall('class="[^"]*admonition[ "]', "".join(deck.of("statement")))) >= len(statements)
    assert '<aside class="notes' in deck.page


@pytest.mark.html
def test_nothing_of_the_markup_is_left(deck):
    assert not re.search(r"\{[\w:]+\}`|\$\$|```|IPython\.core|<pre|&lt;Figure", deck.page)
    assert "glue:" not in deck.page


@pytest.mark.html
def test_deck_says_what_it_is_and_leads_back(deck):
    heading = re.search(r"^# (.+)$", deck.cells[0].source, re.M)[1]
    title = html.unescape(re.search("<title>(.*)</title>", deck.page)[1])
    assert title == f"Slides: {heading} — SeisBook"
    assert '<html lang="en">' in deck.page
    assert f'<a href="../book/{deck.chapter.stem}.html">' in deck.page
    assert f'href="../slides/{deck.chapter.stem}.html"' in deck.chapter_page


def test_the_workshop_page_leads_to_all_decks():
    page = (BOOK / "workshop.md").read_text(encoding="utf-8")
    assert re.findall(r'href="\.\./slides/(\w+)\.html"', page) == [path.stem for path in chapters.chapters()]
