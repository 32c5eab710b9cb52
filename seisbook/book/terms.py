"""Glossary terms in the chapters: each is a link at its first use, with its definition at hover, at focus and at a tap.

As a Sphinx extension, which `_config.yml` loads, this module looks for the terms of the glossary in the prose of a
chapter. Headings, code, formulas, tables, captions, links and self-tests are left as they are. The definitions stand
hidden at the end of the page, and `book/_static/terms.js` shows them. Both editions use it, each with its own glossary.
"""

import re
from itertools import groupby
from typing import NamedTuple

from docutils import nodes
from sphinx import addnodes

GLOSSARY = "book/glossary"
CHAPTER = re.compile(r"book/\d\d_")
NO_PROSE = (
    nodes.title,
    nodes.rubric,
    nodes.caption,
    nodes.legend,
    nodes.table,
    nodes.reference,
    nodes.literal,
    nodes.FixedTextElement,  # code
    nodes.math,
    nodes.raw,
    nodes.footnote,
    nodes.citation,
    addnodes.pending_xref,
    addnodes.glossary,
)
NO_PROSE_CLASSES = {"cell", "cell_output", "selftest"}
SEVERAL_MEANINGS = {
    *("channel", "field", "floor", "phase", "pick", "seed", "stem", "transfer"),
    *("canal", "campo", "fase", "semilla", "transferencia", "tronco"),  # codespell:ignore
}
"""Terms that the chapters use as ordinary words, too. They are linked only where an author writes `{term}`."""


class Term(NamedTuple):
    """A term of the glossary: the anchor of its definition, and the definition's nodes."""

    anchor: str
    definition: nodes.definition


def setup(app) -> dict:
    """Connect the functions of this module to Sphinx's events, and load the script."""
    app.add_js_file("terms.js", loading_method="defer")
    app.connect("doctree-resolved", link_first_uses)
    app.connect("html-page-context", add_previews)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def glossary(env) -> dict[str, Term]:
    """Terms of the book's glossary by their text; empty if the book has none."""
    if GLOSSARY not in env.found_docs:
        return {}
    found = {}
    for item in env.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        for term in item.findall(nodes.term):
            if term["ids"]:
                found[term.astext()] = Term(term["ids"][0], item[-1])
    return found


def pattern(term: str) -> re.Pattern:
    """Expression that finds a term in a text: whole words, a capital at the beginning, and regular plurals.

    Parameters
    ----------
    term : str
        Names of the same thing are separated by commas, or the second one is in brackets.
    """
    return re.compile("|".join(_inflected(name) for name in re.split(r", | \(|\)", term) if name))


def _inflected(name):
    """Expression for one name of a term."""
    words = []
    for word in name.split():
        stem, plural = (word[:-1], "(?:y|ies)") if re.search("[^aeiou]y$", word) else (word, "(?:e?s)?")
        words.append(re.escape(stem) + plural)
    whole = r"\s+".join(words)
    if name[0].islower():
        whole = f"[{name[0]}{name[0].upper()}]{whole[1:]}"
    return rf"(?<![\w-]){whole}(?![\w-])"


# ---------------------------------------------------------------------------------------------------------------- links


def link_first_uses(app, doctree, docname) -> None:
    """Turn the first use of each term in the prose of a chapter into a link to the glossary."""
    if app.builder.format != "html" or not CHAPTER.match(docname):
        return
    terms = glossary(app.env)
    page = app.builder.get_relative_uri(docname, GLOSSARY)
    linked = _anchors(doctree)
    open_terms = {
        pattern(name): term.anchor
        for name, term in sorted(terms.items(), key=lambda one: -len(one[0]))
        if term.anchor not in linked and name not in SEVERAL_MEANINGS
    }
    for element in filter(_is_prose, list(doctree.findall(nodes.TextElement))):
        for text in _joined(element):
            _link(text, open_terms, page)


def _joined(element):
    """Texts among the children of an element; lines that follow each other become one text, as a term may break."""
    for is_text, group in groupby(list(element.children), lambda child: isinstance(child, nodes.Text)):
        texts = list(group)
        if is_text and len(texts) > 1:
            first = element.index(texts[0])
            element[first : first + len(texts)] = [nodes.Text("".join(texts))]
    return [child for child in element.children if isinstance(child, nodes.Text)]


def _is_prose(node):
    """Whether an element of the text is read as a sentence of the chapter."""
    while node is not None:
        if isinstance(node, NO_PROSE) or NO_PROSE_CLASSES.intersection(node.get("classes", ())):
            return False
        node = node.parent
    return True


def _link(text, open_terms, page):
    """Replace the terms in a text by links, and remove them from the open ones."""
    parts, rest = [], str(text)
    while found := _first(rest, open_terms):
        match, expression = found
        uri = f"{page}#{open_terms.pop(expression)}"
        link = nodes.reference("", "", nodes.inline("", match[0]), refuri=uri, internal=True, classes=["glossary-term"])
        parts += [nodes.Text(rest[: match.start()]), link]
        rest = rest[match.end() :]
    if parts:
        text.parent.replace(text, [part for part in [*parts, nodes.Text(rest)] if part.astext()])


def _first(text, open_terms):
    """The first match in a text with its expression; of two at one place, that of the longer term."""
    matches = [(match, one) for one in open_terms if (match := one.search(text))]
    return min(matches, key=lambda found: found[0].start(), default=None)


def _anchors(doctree):
    """Anchors of the glossary to which a page's links lead."""
    uris = [link.get("refuri", "") for link in doctree.findall(nodes.reference)]
    return {uri.partition("#")[2] for uri in uris if "glossary.html#term-" in uri}


# ------------------------------------------------------------------------------------------------------------- previews


def add_previews(app, pagename, templatename, context, doctree) -> None:
    """Add the definitions of the terms to which a page's links lead, hidden, to the end of its body."""
    linked = _anchors(doctree) if doctree else set()
    if not linked or pagename == GLOSSARY:
        return
    previews = [_preview(app, name, term) for name, term in glossary(app.env).items() if term.anchor in linked]
    context["body"] += f'\n<div class="glossary-previews">{"".join(previews)}</div>'


def _preview(app, name, term):
    """HTML of a definition, without links: nobody can reach a link in something that closes when it is left."""
    definition = term.definition.deepcopy()
    for link in [*definition.findall(addnodes.pending_xref), *definition.findall(nodes.reference)]:
        link.replace_self(nodes.inline("", link.astext()))
    inner = "".join(app.builder.render_partial(child)["fragment"] for child in definition.children)
    title = app.builder.render_partial(nodes.strong("", name))["fragment"]
    return f'<div class="glossary-preview" id="preview-{term.anchor}" role="tooltip" hidden>{title}{inner}</div>'
