"""A Sphinx extension with what the book's HTML pages need beyond their theme; `_config.yml` loads it.

Pages get a description, open from a file system without an error on the console, and weigh half as much.
"""

import html
import re
import textwrap
from pathlib import Path

from docutils import nodes
from PIL import Image

# The theme loads the same icons twice: as a font, by its style sheet, and as a script of 1.5 MB.
ICONS = re.compile(r'\s*<!-- So that users can [^>]*-->\s*<script src="[^"]*fontawesome\.js[^"]*"></script>')
# A browser forbids a page from a file system to read other pages, where the search takes its excerpts from.
NO_EXCERPTS = 'if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;'
HEAVY = 100_000  # bytes of a figure that is worth making lighter


def setup(app) -> dict:
    """Connect the functions of this module to Sphinx's events."""
    app.add_js_file(None, body=NO_EXCERPTS, priority=300)
    app.connect("html-page-context", describe)
    app.connect("html-page-context", drop_thebe, priority=900)
    app.connect("html-page-context", mend_citations)
    app.connect("build-finished", lighten)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def describe(app, pagename, templatename, context, doctree) -> None:
    """Give a page its first paragraph as description, as search engines and messengers show it."""
    paragraph = doctree and next(iter(doctree.findall(nodes.paragraph)), None)
    if paragraph:
        text = textwrap.shorten(paragraph.astext(), 200, placeholder=" ...")
        context["metatags"] += f'\n<meta name="description" content="{html.escape(text)}" />'


def drop_thebe(app, pagename, templatename, context, doctree) -> None:
    """Leave out Thebe, which Jupyter Book always loads: it needs a network, and fails when it is declared twice."""
    context["script_files"] = [script for script in context["script_files"] if not _is_thebe(script)]


def _is_thebe(script):
    return "thebe" in (script.filename or "").lower() or "THEBE" in script.attributes.get("body", "")


def mend_citations(app, pagename, templatename, context, doctree) -> None:
    """Say nothing of a list where a list's children would be needed: screen readers stumble over the bibliography's."""
    if "body" in context:
        context["body"] = context["body"].replace('role="list" class="citation-list"', 'class="citation-list"')


def lighten(app, exception) -> None:
    """Take the icons' second copy and the source maps out of the built pages, and make heavy figures lighter."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    for path in folder.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        if (lighter := ICONS.sub("", text)) != text:
            path.write_text(lighter, encoding="utf-8")
    for path in [*folder.rglob("*.map"), *folder.rglob("fontawesome.js"), *folder.rglob("fa-*.ttf")]:
        path.unlink()
    for path in (folder / "_images").glob("*.png"):
        if path.stat().st_size > HEAVY:
            few_colours(path)


def few_colours(path) -> None:
    """Store a picture in the 256 colours that suit it best; most figures have hardly more."""
    with Image.open(path) as picture:
        few = picture.convert("RGB").quantize(256, Image.Quantize.MEDIANCUT, kmeans=3, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
