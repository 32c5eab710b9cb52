"""Sphinx extension that adds to the theme what the book's HTML pages need; `_config.yml` loads it.

Pages get a description and a switch of the language. They open from a file system without an error on the console.
Their size is halved.
"""

import html
import re
import textwrap
from pathlib import Path

from docutils import nodes

from seisbook.book import translation
from seisbook.book.pictures import few_colours

# The theme loads the same icons twice: as a font, by its style sheet, and as a script of 1.5 MB.
ICONS = re.compile(r'\s*<!-- So that users can [^>]*-->\s*<script src="[^"]*fontawesome\.js[^"]*"></script>')
# Browsers do not let a page from a file system read other pages, from which the search takes its excerpts.
NO_EXCERPTS = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
# The theme opens every button that is a link in a new window.
NEW_WINDOW = re.compile(r' target="_blank"(\s+class="btn btn-sm btn-language-button")')
HEAVY = 100_000  # larger figures, in bytes, are compressed


def setup(app) -> dict:
    """Connect the functions of this module to Sphinx's events."""
    app.add_js_file(None, body=NO_EXCERPTS, priority=300)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", mend_citations)
    app.connect("html-page-context", add_switch, priority=700)
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def describe(app, pagename, templatename, context, doctree) -> None:
    """Set the description of a page, which search engines and messengers show, to its first paragraph."""
    paragraph = doctree and next(iter(doctree.findall(nodes.paragraph)), None)
    if paragraph:
        text = textwrap.shorten(paragraph.astext(), 200, placeholder=" ...")
        context["metatags"] += f'\n<meta name="description" content="{html.escape(text)}" />'


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Remove Thebe, which Jupyter Book always loads: it needs a network, and fails if it is loaded twice."""
    context["script_files"] = [script for script in context["script_files"] if not _is_thebe(script)]


def _is_thebe(script):
    return "thebe" in (script.filename or "").lower() or "THEBE" in script.attributes.get("body", "")


def mend_citations(app, pagename, templatename, context, doctree) -> None:
    """Remove the role `list` of the bibliography: its children are not list items, which confuses screen readers."""
    if "body" in context:
        context["body"] = context["body"].replace('role="list" class="citation-list"', 'class="citation-list"')


def add_switch(app, pagename, templatename, context, doctree) -> None:
    """Add a button for each other language to a page, which leads to the same page or, without one, to the first."""
    language = app.config.language
    others = translation.EDITIONS if language == "en" else ("en",)
    for other in others:
        same = language != "en" or pagename in (*translation.pages(other), "genindex", "search")
        page = f"{pagename if same else app.config.root_doc}.html"
        url = context["pathto"](f"../{page}" if other == "en" else f"{other}/{page}", 1)
        name = translation.LANGUAGES[other]
        button = {"type": "link", "text": name, "icon": "fas fa-language", "label": "language-button", "tooltip": name}
        context["header_buttons"].insert(0, button | {"url": url})
        if same:
            link = f'\n<link rel="alternate" hreflang="{other}" href="{html.escape(url)}" />'
            context["metatags"] = context.get("metatags", "") + link


def lighten(app, exception) -> None:
    """Remove the second copy of the icons and the source maps from the built pages, and compress large figures."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if (lighter := NEW_WINDOW.sub(r"\1", ICONS.sub("", text))) != text:
            path.write_text(lighter, encoding="utf-8")
    for path in [*folder.rglob("*.map"), *folder.rglob("fontawesome.js"), *folder.rglob("fa-*.ttf")]:
        path.unlink()
    for path in (folder / "_images").glob("*.png"):
        if path.stat().st_size > HEAVY:
            few_colours(path, path)
