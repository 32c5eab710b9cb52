"""Binding the chapters into a book: HTML pages, a zip of them for a USB stick, and a PDF."""

import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from base64 import b64decode
from pathlib import Path

import yaml

from seisbook import files
from seisbook.book import chapters, editions, executions, explained, notebooks, printing, translation
from seisbook.errors import UserError
from seisbook.figures import ledger
from seisbook.findings import answers, claims
from seisbook.findings.quotations import signed
from seisbook.paths import BOOK, BUILD, ROOT

HTML, PDF, ZIP = BUILD / "html", BUILD / "seisbook.pdf", BUILD / "seisbook-html.zip"
STAMP = ".stamp"  # file among the pages with the hash of what they were made of
COVER = {"networks.png": ("01_data", "fig-networks")}  # figures of chapters that other pages show too
TEX = "texlive-xetex texlive-latex-extra texlive-fonts-recommended fonts-freefont-otf xindy latexmk make"


def html(outputs="quick", repository="", site="") -> Path:
    """Build the HTML of every edition, with warnings as errors; it is not built again if nothing has changed.

    Parameters
    ----------
    outputs : {"quick", "paper", "committed"}
        Source of the cells' outputs: the last run of a profile on this machine, or the committed chapters.
    repository : str
        Address of the repository, for buttons that open a chapter on Binder, Colab or a JupyterHub.
    site : str
        Address of the published pages; the page for a missing address needs it.

    Returns
    -------
    Path
        Path of `index.html`.

    Raises
    ------
    UserError
        If a chapter has not been executed.
    RuntimeError
        If Jupyter Book warns or fails; its output is printed.
    """
    with files.locked(HTML):
        files.settle(HTML)
        staged = _stage(outputs, repository, site)
        digest = _digest(staged)
        if not _is_built(digest):
            made = _jupyter_book(staged, "html")
            for language in translation.EDITIONS:
                _add_edition(staged, made, language)
            (made / STAMP).write_text(digest, encoding="utf-8")  # pages and stamp take their place in one step
            files.swap_folder(made, HTML)
    return HTML / "index.html"


def _add_edition(staged, made, language):
    """Build the pages of an edition in another language into a folder of the English ones."""
    source = editions.stage(staged, made, BUILD / f"source-{language}", language)
    shutil.move(_jupyter_book(source, "html", BUILD / f"site-{language}"), made / language)


def _is_built(digest):
    stamp = HTML / STAMP
    return stamp.is_file() and stamp.read_bytes() == digest.encode() and (HTML / "index.html").is_file()


def archive(outputs="committed") -> Path:
    """Zip the HTML in one folder; the pages open without a network from any place where it is unpacked."""
    html(outputs)
    return files.write_whole(ZIP, _zip_pages)


def _zip_pages(target):
    """Write the pages into an open file; what is hidden or reached by a link is left out."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(HTML.rglob("*")):
            if is_for_all(path, HTML):
                packed.write(path, Path("seisbook") / path.relative_to(HTML))


def is_for_all(path, folder) -> bool:
    """Whether a path below a folder is a file that is not hidden; a link may lead to anything on this machine."""
    parts = path.relative_to(folder).parts
    steps = [folder.joinpath(*parts[: i + 1]) for i in range(len(parts))]
    return path.is_file() and not any(step.name.startswith(".") or step.is_symlink() for step in steps)


def latex(outputs="committed") -> Path:
    """Write the LaTeX source of the whole book, with warnings as errors.

    Returns
    -------
    Path
        Path of the main file; its pictures are in the same folder.
    """
    folder = BUILD / "latex"
    with files.locked(HTML):  # what is staged for the pages lies in the same place
        staged = _stage(outputs)
        printing.prepare(staged / "book")
        files.swap_folder(_jupyter_book(staged, "latex"), folder)
    return folder / "seisbook.tex"


def pdf(outputs="committed") -> Path:
    """Typeset the whole book.

    Raises
    ------
    UserError
        If there is no LaTeX on this machine; the message says what to install.
    RuntimeError
        If LaTeX fails; the message names its log.
    """
    missing = [program for program in ("latexmk", "xelatex", "xindy", "make") if shutil.which(program) is None]
    if missing:
        raise UserError(f"the PDF needs {' and '.join(missing)}; on Debian and Ubuntu: apt install {TEX}")
    source = latex(outputs)
    command = [
        "make",
        "all-pdf",
        "LATEXMKOPTS=-interaction=nonstopmode -halt-on-error -silent",
    ]  # Sphinx wrote the Makefile
    result = subprocess.run(command, cwd=source.parent, text=True, capture_output=True)
    if result.returncode:
        raise RuntimeError(f"LaTeX could not typeset the book: see {source.with_suffix('.log')}")
    return files.write_whole(PDF, source.with_suffix(".pdf").read_bytes())


def _jupyter_book(staged, builder, output=None):
    """Run Jupyter Book from a clean state, because a second build hides the warnings of the first."""
    output = output or BUILD / "site"
    shutil.rmtree(output / "_build" / builder, ignore_errors=True)  # of a run that was killed
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", "--all", "-W", "-n", "--keep-going", "-q"]
    command += ["--builder", builder, str(staged), "--path-output", str(output)]
    result = subprocess.run(command, text=True, capture_output=True)
    if result.returncode:
        print(result.stdout, result.stderr, sep="\n", file=sys.stderr)
        raise RuntimeError(f"the {builder} build failed or warned: see the messages above")
    return output / "_build" / builder


def _stage(outputs, repository="", site=""):
    """Copy the book's sources with the executed chapters, and add the pages and figures that are made from records."""
    staged = BUILD / "source"
    shutil.rmtree(staged, ignore_errors=True)
    shutil.copytree(BOOK, staged / "book", ignore=shutil.ignore_patterns(".*"))
    shutil.copy2(ROOT / "_toc.yml", staged)
    shutil.copytree(translation.LOCALE, staged / "locale")  # so that the pages are built again if it changes
    (staged / "_config.yml").write_text(_config(repository, site), encoding="utf-8")
    if outputs != "committed":
        for chapter in chapters.chapters():
            shutil.copy2(_executed(chapter, outputs), staged / "book")
    for chapter in chapters.chapters():
        _set_minus_signs(staged / "book" / chapter.name)
    covers = {name: _drawn(staged / "book" / f"{chapter}.ipynb", figure) for name, (chapter, figure) in COVER.items()}
    for name, drawn in covers.items():
        (staged / "book" / name).write_bytes(b64decode(drawn["image/png"]))
    editions.part_pictures(staged)
    all_claims = claims.claims()
    for name, text in (
        ("answers", answers.answers),
        ("ledger", explained.ledger),
        ("measurements", claims.measurements),
    ):
        (staged / "book" / f"{name}.md").write_text(text(all_claims), encoding="utf-8")
    executed = [staged / "book" / chapter.name for chapter in chapters.chapters()]
    (staged / "book" / "executed.md").write_text(executions.table(executed), encoding="utf-8")
    forest = ledger.forest(all_claims)
    forest.savefig(staged / "book" / "ledger.png")
    editions.write_landing(all_claims, forest, covers, staged)
    return staged


def _set_minus_signs(chapter):
    """Let no hyphen stand for a minus in what a chapter's tables and quoted results say."""
    notebook = notebooks.read(chapter)
    for data in (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", ())):
        if translation.GLUED in data:
            data[translation.GLUED] = signed(data[translation.GLUED])
        if "<table" in data.get("text/html", ""):
            data["text/html"] = translation.CELL.sub(
                lambda cell: cell[1] + signed(cell[2]) + cell[3], data["text/html"]
            )
    notebooks.write(notebook, chapter)


def _executed(chapter, profile):
    executed = BUILD / profile / chapter.name
    if not executed.is_file():
        raise UserError(f"{chapter.name} has not been executed: run `seisbook book run --profile {profile}` first")
    return executed


def _drawn(chapter, figure):
    """Data of the output with the figure of this name, from a chapter."""
    for cell in notebooks.read(chapter).cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == figure:
            return next(output.data for output in cell.outputs if "image/png" in output.data)
    raise UserError(f"{chapter.name} has no figure '{figure}'")


def _config(repository, site):
    """Text of `_config.yml` with the given addresses; without a repository the launch buttons are left out."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    config["repository"]["url"] = repository or config["repository"]["url"]
    config["html"]["baseurl"] = site or config["html"]["baseurl"]
    for address in (config["repository"]["url"], config["html"]["baseurl"]):
        if address and not re.fullmatch(r"https?://[\w./~:-]+", address):
            raise UserError(f"'{address}' is no web address: give one like https://github.com/someone/seisbook")
    if not config["repository"]["url"]:
        del config["launch_buttons"]
    return yaml.safe_dump(config, sort_keys=False)


def _digest(folder):
    digest = hashlib.sha256()
    for module in ("editions", "messages", "pages", "pictures", "self_tests", "slides", "terms", "translation"):
        digest.update(Path(__file__).with_name(f"{module}.py").read_bytes())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()
