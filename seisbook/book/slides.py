"""A Sphinx extension that makes slides of the chapters' pages; `_config.yml` loads it.

A chapter's deck holds what its page shows, in the page's order, with the page's numbers and references: what is to be
learnt, each figure with its caption, tables that can be read from the back of a room, displayed mathematics, theorems,
notes and warnings, the summary, and the exercises without their solutions. Code and interactive figures stay on the
page. The prose becomes the speaker's notes.
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
MOST_ROWS = 16  # of a table, with its head
JOINED = ("title", "mathematics", "statement")  # kinds of which several, one after the other, share a slide
# Of a piece of a page: links, with which a presenter would leave the slides, and names that the page itself has.
LINKS = re.compile(r'<a class="headerlink".*?</a>|</?a\b[^>]*>| id="[^"]*"')


class Slide(NamedTuple):
    """A slide of a deck.

    Parameters
    ----------
    kind : {"title", "figure", "table", "mathematics", "statement", "summary", "exercise"}
    heading : str
        Of the section that it is from.
    shown : list of docutils.nodes.Node
        What is seen beside the heading.
    notes : list of str
        What the section says up to the next slide and, if this is its first one, before it.
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
    """Make the slides of a chapter from its page, in which references are resolved."""
    section = chapter.next_node(nodes.section)
    return _fill([Slide("title", _heading(section), [], [])], section)


def _fill(deck, section):
    """Add the slides of a section, and of those in it, to a deck."""
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
    if isinstance(node, nodes.container):  # a cell
        return [(_kind(part), part) for part in node.findall(_kind)]
    if isinstance(node, nodes.bullet_list) and "summary" in node.parent["ids"]:
        return [("summary", node)]
    if top and isinstance(node, nodes.Admonition):
        return [("title", node)]
    if top and isinstance(node, nodes.table):  # of prerequisites, of symbols
        return []
    return [(_kind(node), node)] if _kind(node) else []


def _kind(node):
    """The kind of slide that a node gives by itself; empty if none."""
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
    """Rows of a table, be it the text's or a data frame's; 0 of something else."""
    if isinstance(node, nodes.raw):
        return node.astext().count("<tr")
    return len(list(node.findall(nodes.row))) if isinstance(node, nodes.table) else 0


def write(app, pagename, templatename, context, doctree) -> None:
    """Write the slides of a chapter beside the pages, and give its page a button that opens them."""
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
    """A part of a page, without code and without links."""
    if isinstance(node, nodes.raw):
        return re.search("<table.*</table>", node.astext(), re.S)[0]
    part = new_document("slide", builder.docsettings)
    part.append(node.deepcopy())
    if node.tagname in admonitionlabels:  # the page's writer has given it a title, and this one would again
        part[0].pop(0)
    for code in list(part.findall(nodes.literal_block)):
        code.parent.remove(code)
    for inner in list(part.findall(nodes.section)):  # to reveal.js a section is a slide
        inner.replace_self(inner.children)
    translator = builder.create_translator(part, builder)
    part.walkabout(translator)
    return LINKS.sub("", "".join(translator.body))


def copy_reveal(app, exception) -> None:
    """Put the program that shows slides, reveal.js, beside the pages: sphinx-revealjs brings a copy."""
    if exception or app.builder.format != "html":
        return
    source, folder = files("sphinx_revealjs") / "_static" / "revealjs", Path(app.outdir, "_static", "reveal")
    folder.mkdir(exist_ok=True)
    for name in REVEAL:
        shutil.copy(source / name, folder)
