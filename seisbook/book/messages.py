"""The messages of a page or chapter: pieces of its text that a translator translates one by one.

A message is a heading, a paragraph, a cell of a table, the title of a box, the caption or the alternative text of a
figure. Code, displayed mathematics, labels and options are no messages, and a translation leaves them as they are.
"""

import re
from collections import Counter
from collections.abc import Callable
from copy import deepcopy

from markdown_it import MarkdownIt
from mdit_py_plugins.colon_fence import colon_fence_plugin
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.myst_blocks import myst_block_plugin

from seisbook.errors import DataError

DIRECTIVE = re.compile(r"\{([\w:-]+)\}\s*(.*)")
OPTION = re.compile(r":([\w-]+):(.*)")
BOXES = ("admonition", "dropdown", "exercise", "figure", "glossary", "note", "solution", "tip", "warning")
BOXES += ("prf:theorem", "prf:proposition", "prf:proof", "prf:definition", "important", "caution")
UNTOUCHED = ("selftest", "include", "bibliography", "math", "code-block")
NAMED = ("admonition", "dropdown", "exercise", "prf:theorem", "prf:proposition", "prf:definition")
ROLE = re.compile(r"(?<!`)\{([\w:]+)\}`(?:[^`<]*<([^`>]+)>|([^`]+))`")
KEPT = (
    re.compile(r"(?<!`)``?[^`]+``?(?!`)"),
    re.compile(r"\$[^$]+\$"),
    re.compile(r"</?\w[^>]*>"),
    re.compile(r"\]\([^)]+\)"),
    re.compile(r"\{\w+\}"),
)
"""Parts of a message besides roles that a translation must have too: code, mathematics, tags, links, fields."""
WORD = re.compile(r"[A-Za-z]{2}")
CELL = re.compile(r"(?<!\\)\|")


def translated(text: str, say: Callable[[str], str]) -> str:
    """Text in MyST with each message replaced by what a function makes of it; to collect them, let it return them.

    Parameters
    ----------
    text : str
    say : callable
        Gets a message in one line and returns its translation.

    Raises
    ------
    DataError
        If the text has a directive about which this module does not know what of it is a message.
    """
    lines = text.split("\n")
    new = dict(enumerate(lines))
    tokens = _parser().parse(text)
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == "table_open":
            _table(lines, new, token.map, say)
        elif token.type in ("fence", "colon_fence"):
            _directive(lines, new, token, say)
        elif token.type == "inline" and before.type not in ("th_open", "td_open"):
            _replace(new, lines, token.map, token.content, say)
    return "\n".join(new[i] for i in sorted(new))


def _parser():
    parser = MarkdownIt("commonmark").enable("table").use(colon_fence_plugin).use(deflist_plugin)
    return parser.use(dollarmath_plugin).use(myst_block_plugin)


def _replace(new, lines, where, content, say):
    """Replace the lines of a paragraph by one line, which keeps what stands before the first word."""
    begin, end = where
    before = lines[begin][: lines[begin].find(content.split("\n")[0])]
    new[begin] = before + spoken(content, say)
    for i in range(begin + 1, end):
        new.pop(i)


def spoken(message: str, say: Callable[[str], str]) -> str:
    """A message, in one line, as a function says it; what has no words is not asked for."""
    message = " ".join(message.split())
    return say(message) if has_words(message) else message


def has_words(message: str) -> bool:
    """Whether words are left of a message without its roles, code, mathematics and tags."""
    for kept in (ROLE, *KEPT):
        message = kept.sub(" ", message)
    return bool(WORD.search(message))


def _table(lines, new, where, say):
    for i in range(*where):
        cells = CELL.split(lines[i].strip().strip("|"))
        if not all(re.fullmatch(r"\s*:?-+:?\s*", cell) for cell in cells):
            new[i] = f"| {' | '.join(spoken(cell, say) for cell in cells)} |"


def _directive(lines, new, token, say):
    """Translate the title, the alternative text and the body of a directive; plain code stays."""
    found = DIRECTIVE.match(token.info.strip())
    if not found or found[1] in UNTOUCHED:
        return
    name, title = found.groups()
    if name not in BOXES:
        raise DataError(f"directive {{{name}}}: say in {__name__} whether its text is to be translated")
    begin, end = token.map
    if name in NAMED:
        new[begin] = f"{token.markup}{{{name}}} {spoken(title, say)}"
    closed = lines[end - 1].startswith(token.markup)
    body = "\n".join(lines[begin + 1 : end - closed])
    for i in range(begin + 1, end - closed):
        new.pop(i)
    if body:
        new[begin] += "\n" + (_entries(body, say) if name == "glossary" else _options(body, say))


def _options(body, say):
    """Options at the head of a directive's body, then its text."""
    head, lines = [], body.split("\n")
    while lines and (option := OPTION.match(lines[0])):
        line = lines.pop(0)
        head.append(f":alt: {spoken(option[2], say)}" if option[1] == "alt" else line)
    return "\n".join([*head, translated("\n".join(lines), say)])


def _entries(body, say):
    """Entries of a glossary: a line with the term, then its definition, indented."""
    return "\n".join(line[: len(line) - len(line.lstrip())] + spoken(line, say) for line in body.split("\n"))


def in_notebook(notebook, say: Callable[[str], str]):
    """A notebook with the messages of its text cells and of its figures' captions replaced."""
    notebook = deepcopy(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = translated(cell.source, say)
        for kind, key in (("figure", "caption"), ("image", "alt")):
            if text := cell.metadata.get("mystnb", {}).get(kind, {}).get(key):
                cell.metadata.mystnb[kind][key] = spoken(text, say)
    return notebook


def kept(message: str) -> Counter:
    """What a translation must not lose: targets of roles, code, mathematics, tags, links and fields, with counts.

    A term of the glossary has another name in each language; that it is there is checked when the pages are built.
    """
    roles = ROLE.findall(message)
    found = Counter(f"{{{role}}}`{'' if role == 'term' else shown or plain}`" for role, shown, plain in roles)
    message = ROLE.sub(" ", message)
    for pattern in KEPT:
        found.update(pattern.findall(message))
        message = pattern.sub(" ", message)
    return found
