"""Sphinx extension that makes slides from the chapters' pages; `_config.yml` loads it.

A chapter's deck has the contents of its page in the same order, with the same numbers and references: the learning
goals, each figure with its caption, short tables, displayed mathematics, theorems, notes and warnings, the summary, and
the exercises without their solutions. Code and interactive figures stay on the page. The prose becomes the speaker's
notes.
"""

import re
import shutil
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

from docutils import nodes
from docutils.utils import new_document
from sphinx.locale import admonitionlabels

REVEAL = ("LICENSE", "dist/reveal.js", "dist/reveal.css", "plugin/notes/notes.js", "plugin/zoom/zoom.js")
MOST_ROWS = 11  # largest number of rows of a table on a slide, with its head; more cannot be read from the back
OFF_SLIDES = "tag_off-slides"  # class of a cell with this tag: its output cannot be read from the back
JOINED = ("title", "mathematics", "statement")  # kinds of which several in a row share a slide
# Links, which would take a presenter away from the slides, and identifiers, which the page itself already has.
LINKS = re.compile(r'<a class="headerlink".*?</a>|</?a\b[^>]*>| id="[^"]*"')


class Slide(NamedTuple):
    """A slide of a deck.

    Parameters
    ----------
    kind : {"title", "figure", "table", "mathematics", "statement", "summary", "exercise"}
    heading : str
        Heading of the section that the slide comes from.
    shown : list of docutils.nodes.Node
        Contents of the slide below the heading.
    notes : list of str
        Paragraphs of the section up to the next slide and, for the first slide of a section, those before it.
    """

    kind: str
    heading: str
    shown: list
    notes: list


def setup(app) -> dict:
    """Connect the functions of this module to Sphinx's events."""
    app.connect("html-page-context", write, priority=600)
    app.connect("build-finished", copy_reveal)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def slides(chapter: nodes.document) -> list[Slide]:
    """Slides of a chapter, made from its page with resolved references."""
    section = chapter.next_node(nodes.section)
    return _fill([Slide("title", _heading(section), [], [])], section)


def _fill(deck, section):
    """Add the slides of a section and of its subsections to a deck."""
    unsaid = []
    for node in section.children:
        if isinstance(node, nodes.section):
            deck += _fill([], node)
            continue
        shown = _shown(node)
        for kind, part in shown:
            if deck and deck[-1].kind == kind in JOINED:
                deck[-1].shown.append(part)
            else:
                deck.append(Slide(kind, _heading(section), [part], unsaid))
                unsaid = []
        if not shown and not isinstance(node, nodes.table) and "solution" not in node.get("classes", ()):
            notes = deck[-1].notes if deck else unsaid
            notes += [paragraph.astext() for paragraph in node.findall(nodes.paragraph)]
    return deck


def _heading(section):
    return section.next_node(nodes.title).astext()


def _shown(node):
    """The parts of a section's child that belong on slides, each with the kind of its slide."""
    top = isinstance(node.parent.parent, nodes.document)
    if OFF_SLIDES in node["classes"]:
        return []
    if isinstance(node, nodes.container):  # a cell
        return [(_kind(part), part) for part in node.findall(_kind)]
    if isinstance(node, nodes.bullet_list) and "summary" in node.parent["ids"]:
        return [("summary", node)]
    if top and isinstance(node, nodes.Admonition):
        return [("title", node)]
    if top and isinstance(node, nodes.table):  # tables of prerequisites and of symbols
        return []
    return [(_kind(node), node)] if _kind(node) else []


def _kind(node):
    """Kind of the slide that a node gives by itself; empty if it gives none."""
    classes = node.get("classes", ()) if isinstance(node, nodes.Element) else ()
    if isinstance(node, nodes.figure):  # an interactive one stays on the page
        return "" if node.next_node(nodes.raw) else "figure"
    if isinstance(node, nodes.math_block):
        return "mathematics"
    if 0 < _rows(node) <= MOST_ROWS:
        return "table"
    if isinstance(node, nodes.Admonition) and node.tagname != "proof_node" and "solution" not in classes:
        return "exercise" if "exercise" in classes else "statement"
    return ""


def _rows(node):
    """Number of rows of a table in the text or of a data frame; 0 for other nodes."""
    if isinstance(node, nodes.raw):
        return node.astext().count("<tr")
    return len(list(node.findall(nodes.row))) if isinstance(node, nodes.table) else 0


def write(app, pagename, templatename, context, doctree) -> None:
    """Write the slides of a chapter into the folder of the pages, and add a button to its page that opens them."""
    if doctree is None or not app.env.doc2path(pagename).endswith(".ipynb"):
        return
    path = Path("slides", f"{Path(pagename).name}.html")
    deck = slides(doctree)
    content = [slide._replace(shown=[_html(app.builder, part) for part in slide.shown]) for slide in deck]
    parts = {"deck": content, "page": f"../{pagename}.html", "book": app.config.html_title}
    (Path(app.outdir) / path).parent.mkdir(exist_ok=True)
    (Path(app.outdir) / path).write_text(app.builder.templates.render("slides.html", parts), encoding="utf-8")
    button = {"type": "link", "text": "", "icon": "fas fa-display", "label": "slides-button", "tooltip": "Slides"}
    context["header_buttons"].insert(0, button | {"url": context["pathto"](str(path), 1)})


def _html(builder, node):
    """HTML of a part of a page, without code and without links."""
    if isinstance(node, nodes.raw):
        return re.search("<table.*</table>", node.astext(), re.S)[0]
    part = new_document("slide", builder.docsettings)
    part.append(node.deepcopy())
    if node.tagname in admonitionlabels:  # the page's writer has added a title, and the translator would add it again
        part[0].pop(0)
    for code in list(part.findall(nodes.literal_block)):
        code.parent.remove(code)
    for inner in list(part.findall(nodes.section)):  # reveal.js would make a slide of each section
        inner.replace_self(inner.children)
    translator = builder.create_translator(part, builder)
    part.walkabout(translator)
    return LINKS.sub("", "".join(translator.body))


def copy_reveal(app, exception) -> None:
    """Copy reveal.js, the program that shows the slides, into the pages' folder; sphinx-revealjs contains it."""
    if exception or app.builder.format != "html":
        return
    source, folder = files("sphinx_revealjs") / "_static" / "revealjs", Path(app.outdir, "_static", "reveal")
    folder.mkdir(exist_ok=True)
    for name in REVEAL:
        shutil.copy(source / name, folder)
