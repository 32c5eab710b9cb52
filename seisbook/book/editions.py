"""The sources of the book's edition in another language, made from the English sources and the catalogues.

An edition has the translated pages alone. References to other pages become links to the English ones, which say so.
When a chapter is executed that an edition has, each of its figures is also drawn with its texts translated. Both
pictures are in the notebook and show the same numbers.
"""

import posixpath
import re
import shutil
from base64 import b64decode
from pathlib import Path

import yaml
from IPython.core.getipython import get_ipython
from matplotlib.figure import Figure
from sphinx.util.inventory import InventoryFile

from seisbook.book import messages, notebooks, pictures, self_tests, translation
from seisbook.findings import answers

ENGLISH = "../.."  # from a page of an edition to the top of the English pages
REFERENCE = re.compile(r"\{(doc|ref|numref)\}`(?:([^`<]*?)\s*<([^`>]+)>|([^`<]+))`")
TITLE = re.compile(r"\{(ref)\}`([^`<]*?)\s*<([^`>]+)>`")
LABEL = re.compile(r"^\(([\w-]+)\)=$|^:(?:label|name): ([\w-]+)$", re.M)
KINDS = (".ipynb", ".md")  # of pages
SPHINX = {"genindex", "search"}  # labels that every edition has
SLIDES = '<a href="../slides/'
ENGLISH_ONLY = ("seisbook.book.slides", "seisbook.book.printing")


def draw_figures(page: str) -> None:
    """Let this kernel draw each figure also in the languages of the editions that have a page.

    It is called in a chapter's kernel before the first cell.

    Parameters
    ----------
    page : str
        Name of the chapter, without suffix.
    """
    languages = [name for name in translation.EDITIONS if f"book/{page}" in translation.pages(name)]
    if languages:
        sayers = {name: translation.Translator(name).phrase for name in languages}
        formatter = get_ipython().display_formatter.mimebundle_formatter
        formatter.for_type(Figure, lambda figure: {pictures.MIME: pictures.output(figure, sayers)})


def part_pictures(folder: Path) -> None:
    """Move what chapters hold of their figures in other languages out of the staged ones, into `LANGUAGE/CHAPTER`.

    There a chapter has the pictures of its edition in place of the English ones.
    """
    parted = set()
    for language in translation.EDITIONS:
        (folder / language).mkdir()
        for path in (folder / f"{page}.ipynb" for page in translation.pages(language)):
            if path.is_file():
                notebooks.write(pictures.swapped(notebooks.read(path), language), folder / language / path.name)
                parted.add(path)
    for path in parted:
        notebooks.write(pictures.swapped(notebooks.read(path), "en"), path)


def write_landing(tested, forest, covers, folder: Path) -> None:
    """Write what code makes for the landing page in every language, into the folder that `part_pictures` has made.

    Parameters
    ----------
    tested : list of Claim
    forest : Figure
        The ledger's figure.
    covers : dict of dict
        Data of the outputs with the figures that the page shares with chapters, by the name of their file.
    folder : Path
    """
    for language in translation.EDITIONS:
        say = translation.Translator(language)
        text = answers.answers(tested, say.page(translation.PHRASES))
        (folder / language / "answers.md").write_text(text, encoding="utf-8")
        with pictures.saying(forest, say.phrase):
            forest.savefig(folder / language / "ledger.png")
        for name, drawn in covers.items():
            (folder / language / name).write_bytes(b64decode(pictures.picture(drawn, language)))


def stage(source: Path, english: Path, target: Path, language: str) -> Path:
    """Write the sources of an edition.

    Parameters
    ----------
    source : Path
        Folder with the staged English sources, see `seisbook.book.binding`.
    english : Path
        Folder with the English pages that were made from them.
    target : Path
        Folder to write; what is in it is removed.
    language : str

    Returns
    -------
    Path
        The folder.
    """
    say = translation.Translator(language)
    pages = translation.pages(language)
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(
        source,
        target,
        ignore=shutil.ignore_patterns(*(f"{Path(page).name}{kind}" for page in _all(source) for kind in KINDS)),
    )
    shutil.copytree(source / language, target / "book", dirs_exist_ok=True)
    for name in ("ledger", "measurements"):
        path = target / "book" / f"{name}.md"
        text = messages.translated(path.read_text(encoding="utf-8"), say.phrase)
        path.write_text(TITLE.sub(lambda title: _title(title, pages, say), text), encoding="utf-8")
    for page in pages:
        _write_page(source, target, page, say)
    _link_to_english(target, english, say.phrase("in English"))
    (target / "_toc.yml").write_text(_toc(source / "_toc.yml", pages, say.phrase), encoding="utf-8")
    (target / "_config.yml").write_text(_config(source / "_config.yml", language, say.phrase), encoding="utf-8")
    return target


def _title(reference, pages, say):
    """A reference with the title of a section, as the section's own page translates it."""
    role, title, label = reference.groups()
    for page in pages:
        title = say.page(Path(page).name)(title)
    return f"{{{role}}}`{title} <{label}>`"


def _all(source):
    """Pages of the English edition."""
    toc = yaml.safe_load((source / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def _write_page(source, target, page, say):
    """Translate a page's file into the folder of the edition."""
    path = target / f"{page}.ipynb"  # a chapter is there already, with the pictures of its edition
    if not path.is_file():
        path = translation.source_file(source, page)
    content = translation.translated_file(path, say.page(path.stem))
    if (asked := translation.questions(source, path.stem)).is_file():
        text = translation.translated_questions(asked, say.page(path.stem))
        translation.questions(target, path.stem).write_text(text, encoding="utf-8")
    if path.suffix == ".ipynb":
        notebooks.write(translation.in_outputs(content, say.phrase), target / "book" / path.name)
    else:
        (target / "book" / path.name).write_text(content, encoding="utf-8")


def _link_to_english(target, english, note):
    """Replace references to what an edition does not have by links to the English pages."""
    with (english / "objects.inv").open("rb") as stream:
        inventory = InventoryFile.load(stream, ENGLISH, posixpath.join)
    paths = [path for path in (target / "book").iterdir() if path.suffix in KINDS]
    own = SPHINX.union(*(_labels(path) for path in paths))

    def link(reference):
        role, shown, label, plain = reference.groups()
        label = label or plain
        if label in own:
            return reference[0]
        kind, name = ("std:doc", f"book/{label}") if role == "doc" else ("std:label", label)
        _, _, address, title = inventory[kind][name]
        title = shown or (title if role == "doc" else label)
        return f'<a href="{address}" hreflang="en">{title}</a> [{note}]'

    for path in paths:
        if path.suffix == ".md":
            text = REFERENCE.sub(link, path.read_text(encoding="utf-8"))
            path.write_text(text.replace(SLIDES, f'<a href="{ENGLISH}/slides/'), encoding="utf-8")
            continue
        notebook = notebooks.read(path)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = REFERENCE.sub(link, cell.source)
        notebooks.write(notebook, path)


def _labels(path):
    """Labels that references can name in a page's file, and the name of the page."""
    labels = {path.stem}
    if path.suffix == ".ipynb":
        cells = notebooks.read(path).cells
        text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        labels |= {cell.metadata.get("mystnb", {}).get("figure", {}).get("name") for cell in cells}
    else:
        text = path.read_text(encoding="utf-8")
    return labels | {name for found in LABEL.findall(text) for name in found if name}


def _toc(path, pages, say):
    """The table of contents without the pages that are not translated, nor the numbers that would close their gaps."""
    toc = yaml.safe_load(path.read_text(encoding="utf-8"))
    for part in toc["parts"]:
        part["caption"] = say(part["caption"])
        part.pop("numbered", None)
        part["chapters"] = [chapter for chapter in part["chapters"] if chapter["file"] in pages]
    toc["parts"] = [part for part in toc["parts"] if part["chapters"]]
    return yaml.safe_dump(toc, sort_keys=False, allow_unicode=True)


def _config(path, language, say):
    """Jupyter Book's configuration of an edition: its language, its words on buttons, no slides, no launch buttons."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config.pop("launch_buttons", None)
    config["html"]["extra_footer"] = say(config["html"]["extra_footer"])
    if config["html"]["baseurl"]:
        config["html"]["baseurl"] = f"{config['html']['baseurl'].rstrip('/')}/{language}/"
    sphinx = config["sphinx"]
    sphinx["extra_extensions"] = [name for name in sphinx["extra_extensions"] if name not in ENGLISH_ONLY]
    sphinx["config"] |= {key: say(words) for key, words in translation.INTERFACE.items()}
    sphinx["config"]["selftest_words"] = {key: say(words) for key, words in self_tests.WORDS.items()}
    sphinx["config"] |= {"language": language, "html_additional_pages": {}}
    return yaml.safe_dump(config, sort_keys=False, allow_unicode=True)
