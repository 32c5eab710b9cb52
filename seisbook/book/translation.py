"""The book in other languages: catalogues of translated messages, and the sources of an edition made with them.

A catalogue is a gettext file, one for each page, `locale/es/LC_MESSAGES/02_model.po`, which every editor for
translators opens. `seisbook book translate` brings the catalogues up to date after a page has changed: it keeps what
still fits, marks what may have changed as fuzzy, and lists what is missing. An edition has the pages that have a
catalogue. A message without a translation stays English there.
"""

import ast
import io
import re
from collections.abc import Callable
from html import escape, unescape
from pathlib import Path

import yaml
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.pofile import PoFileError, read_po, write_po

from seisbook import files
from seisbook.book import chapters, explained, messages, notebooks, pictures, self_tests
from seisbook.errors import DataError
from seisbook.figures import ledger
from seisbook.findings import answers, claims
from seisbook.paths import LOCALE, ROOT

LANGUAGES = {"en": "English", "es": "Español"}
EDITIONS = tuple(language for language in LANGUAGES if language != "en")
PHRASES = "phrases"  # catalogue of what is printed by code: verdicts, tables, quoted words, captions of the contents
NUMBER = re.compile(r"(?<![\w{])[-−+]?\d[\d,.]*(?<![,.])%?")
AND = "and"
PLACED = re.compile(rf"(.+?) ({'|'.join(answers.PLACES.values())})(?: {AND} (.+))?")
NAMED = re.compile(r"[A-Z]\w+(?: \w+)?, ")  # a text about a network, whose name comes first
FIELD = re.compile(r"\{(\d+)\}")
HEADER = r"""msgid ""
msgstr ""
"Project-Id-Version: SeisBook\n"
"Language: {language}\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
GLUED = "application/papermill.record/text/plain"
CELL = re.compile(r"(<t[hd]\b[^>]*>)([^<]*)(</t[hd]>)")
INTERFACE = {
    "togglebutton_hint": "Click to show",
    "togglebutton_hint_hide": "Click to hide",
    "nb_code_prompt_show": "Show code",
    "nb_code_prompt_hide": "Hide code",
}
"""Words on the pages' buttons, by Sphinx's setting; in English they are the extensions' own."""


def catalogue(language: str, name: str) -> Catalog:
    """Catalogue of a page, or of the phrases that code prints.

    Raises
    ------
    DataError
        If the file cannot be read.
    """
    path = _path(language, name)
    try:
        return read_po(io.BytesIO(path.read_bytes()), locale=language, abort_invalid=True)
    except (OSError, ValueError, PoFileError) as error:
        raise DataError(f"{path}: not a gettext catalogue ({' '.join(str(error).split())})") from None


def _path(language, name):
    return LOCALE / language / "LC_MESSAGES" / f"{name}.po"


def pages(language: str) -> list[str]:
    """Pages of an edition, as `seisbook.book.chapters.pages` has them."""
    return [page for page in chapters.pages() if _path(language, Path(page).name).is_file()]


class Translator:
    """Translations into one language.

    Parameters
    ----------
    language : str
    """

    def __init__(self, language):
        self.language = language
        self._said = {}

    def page(self, name: str) -> Callable[[str], str]:
        """A function that translates the messages of a page; what is missing or may have changed stays as it is."""
        if name not in self._said:
            entries = catalogue(self.language, name)
            self._said[name] = {entry.id: entry.string for entry in entries if entry.string and not entry.fuzzy}
        return lambda message: self._said[name].get(message, message)

    def phrase(self, text: str) -> str:
        """A phrase that code has printed, whole or by its parts, with its numbers put back."""
        template, numbers = pattern(text)
        if (said := self.page(PHRASES)(template)) != template:
            return FIELD.sub(lambda field: numbers[int(field[1]) - 1], said)
        return placed(text, self.phrase) or split(text, self.phrase) or text


def pattern(text: str) -> tuple[str, list[str]]:
    """A phrase with fields in place of its numbers, `{1}`, `{2}`, ..., and the numbers."""
    numbers = NUMBER.findall(text)
    count = iter(range(1, len(numbers) + 1))
    return NUMBER.sub(lambda _: f"{{{next(count)}}}", text), numbers


def placed(text: str, say: Callable[[str], str]) -> str:
    """What is said of a network, or of several, such as "3 of 5 in Colombia and 4 of 5 at Ridgecrest"; else empty."""
    if not (found := PLACED.fullmatch(text)):
        return ""
    first, place, rest = found.groups()
    return f"{messages.spoken(first, say)} {say(place)}" + (f" {say(AND)} {say(rest)}" if rest else "")


def split(text: str, say: Callable[[str], str]) -> str:
    """A list of phrases, each as a function says it; empty if there is one phrase only."""
    for separator in (": ", ", "):
        first, found, rest = text.partition(separator)
        if found:
            return f"{messages.spoken(first, say)}{separator}{messages.spoken(rest, say)}"
    return ""


def in_outputs(notebook, say: Callable[[str], str]):
    """Replace the phrases in a notebook's outputs: text, words that the prose quotes, and cells of tables."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "text/markdown" in data:
                data["text/markdown"] = messages.translated(data["text/markdown"], say)
            if GLUED in data:
                data[GLUED] = repr(messages.spoken(ast.literal_eval(data[GLUED]), say))
            if "text/html" in data and "image/png" not in data:
                data["text/html"] = CELL.sub(lambda cell: _cell(cell, say), data["text/html"])
    return notebook


def _cell(cell, say):
    opened, text, closed = cell.groups()
    return opened + escape(messages.spoken(unescape(text), say), quote=False) + closed


def source_messages(language: str) -> dict[str, dict[str, str]]:
    """Messages of each catalogue of an edition as the sources have them now, in their order."""
    found = {Path(page).name: {} for page in pages(language)} | {PHRASES: _phrases(language)}
    for name in found.keys() - {PHRASES}:

        def keep(message, to=found[name]):
            return to.setdefault(message, message)

        translated_file(source_file(ROOT, f"book/{name}"), keep)
        if (path := questions(ROOT, name)).is_file():
            translated_questions(path, keep)
    return found


def source_file(folder: Path, page: str) -> Path:
    """File of a page in a folder of sources: a notebook or text."""
    return next(path for path in (folder / f"{page}.ipynb", folder / f"{page}.md") if path.is_file())


def translated_file(path: Path, say: Callable[[str], str]):
    """Content of a page's file with its messages replaced: a notebook, or text."""
    if path.suffix == ".ipynb":
        return messages.in_notebook(notebooks.read(path), say)
    return messages.translated(path.read_text(encoding="utf-8"), say)


def questions(folder: Path, name: str) -> Path:
    """File with the self-test of a chapter in a folder of sources, see `seisbook.book.self_tests`."""
    return folder / "book" / self_tests.FOLDER.name / f"{name.partition('_')[0]}.yaml"


def translated_questions(path: Path, say: Callable[[str], str]) -> str:
    """A file of questions with every text in it replaced."""

    def said(value):
        if isinstance(value, dict):
            return {key: said(one) for key, one in value.items()}
        if isinstance(value, list):
            return [said(one) for one in value]
        return messages.spoken(value, say) if isinstance(value, str) else value

    return yaml.safe_dump(said(_yaml(path)), sort_keys=False, allow_unicode=True)


def _phrases(language):
    """What code prints on the pages of an edition; lists of phrases are taken apart."""
    found = {}

    def whole(text):
        found.setdefault(pattern(text)[0], "")
        return text

    def printed(text):
        return placed(text, printed) or whole(text)

    def parts(text):
        return whole(text) if pattern(text)[0] in found else split(text, parts) or whole(text)

    config, toc = (_yaml(ROOT / name) for name in ("_config.yml", "_toc.yml"))
    texts = [
        config["html"]["extra_footer"],
        "in English",
        AND,
        *INTERFACE.values(),
        *self_tests.WORDS.values(),
        *claims.VERDICTS,
        claims.NOT_RUN,
    ]
    texts += [part["caption"] for part in toc["parts"]]
    texts += [*claims.STATEMENTS.values(), *claims.TESTED_BY.values(), *answers.QUESTIONS, *answers.PLACES.values()]
    with Path(answers.__file__).open("rb") as code:
        found_in_code = [message for _, _, message, _ in extract_python(code, ["say"], [], {})]
    for text in [*texts, *filter(None, found_in_code)]:
        whole(text)
    tested = claims.claims()
    for text in (explained.ledger(tested), claims.measurements(tested)):
        messages.translated(text, parts)
    drawn = pictures.texts(ledger.forest(tested))
    for path in chapters.chapters():
        if f"book/{path.stem}" in pages(language):
            notebook = notebooks.read(path)
            in_outputs(notebook, printed)
            drawn += pictures.in_notebook(notebook)
    for text in drawn:
        placed(text, printed) or (parts if NAMED.match(text) else whole)(text)
    return found


def _yaml(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def update(language: str, sources: dict[str, dict[str, str]]) -> None:
    """Write the catalogues anew: translations that fit are kept, others are marked as fuzzy.

    Parameters
    ----------
    language : str
    sources : dict
        Messages of each catalogue, from `source_messages`.
    """
    for name, found in sources.items():
        entries, new = catalogue(language, name), Catalog(locale=language)
        kept = [entry.id for entry in entries if entry.id] if name == PHRASES else []
        for message in dict.fromkeys([*found, *kept]):
            new.add(message)
        entries.update(new)
        text = io.BytesIO()
        write_po(text, entries, width=120, omit_header=True, ignore_obsolete=True)  # Babel's header has the hour
        files.write_whole(_path(language, name), HEADER.format(language=language).encode() + text.getvalue())


def missing(language: str, sources: dict[str, dict[str, str]]) -> list[str]:
    """What keeps an edition from being whole, one line for each message: untranslated, fuzzy, or with a part lost."""
    lines = []
    for name, found in sources.items():
        entries = {entry.id: entry for entry in catalogue(language, name)}
        for message in found:
            if why := _wrong(message, entries.get(message)):
                lines.append(f"{_path(language, name).relative_to(ROOT)}: {why}: {message}")
    return lines


def _wrong(message, entry):
    """Why a message counts as untranslated; empty if it does not."""
    if entry is None or not entry.string:
        return "untranslated"
    if entry.fuzzy:
        return "fuzzy"
    lost = messages.kept(message) - messages.kept(entry.string)
    more = messages.kept(entry.string) - messages.kept(message)
    return " and ".join(f"{word} {' '.join(parts)}" for word, parts in (("lost", lost), ("added", more)) if parts)
