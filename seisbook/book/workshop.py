"""Two editions of the chapters for workshops: one for learners without solutions, one for teachers with solutions.

In a chapter, an exercise and its solution are text (directives of sphinx-exercise), so that the HTML can fold the
solution away. Lines in them that are indented by four spaces are code. The code of a solution answers the exercise. The
code of an exercise checks the answer and gives a hint (`seisbook.book.exercises`). Both editions are made from this
source:

- the *learners' edition* has the statement, an empty cell and the check; it has no solutions and no outputs;
- the *teachers' edition* has the statement, the solution as a cell, the check and the explanation. It is executed. This
  shows whether each solution runs and passes its own check.
"""

import ast
import contextlib
import re
import subprocess
import sys
import sysconfig
import textwrap
import zipfile
from pathlib import Path
from typing import NamedTuple

import nbformat
from packaging import tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from tqdm import tqdm

from seisbook.book import binding, chapters, lock, notebooks, self_tests
from seisbook.errors import UserError
from seisbook.files import write_whole
from seisbook.paths import BUILD, ROOT

FOLDER = BUILD / "workshop"
WHEELHOUSE = FOLDER / "wheelhouse"
FEW = 10  # missing packages that a message names
DIRECTIVE = re.compile(r"^```\{([\w:]+)\} ?([^\n]*)\n((?::\w+:[^\n]*\n)*)(.*?)^```$\n?", re.M | re.S)
ROLE = re.compile(r"\{([\w:]+)\}`([^`]+)`")
CODE = re.compile(r"((?:^ {4}[^\n]*\n|^\n(?= {4}))+)", re.M)
START = """\
# SeisBook workshop

Everything is here; no network is needed. The packages in `wheelhouse` are for {platform} and Python {python}.
In a terminal, in this folder (on Windows write `.venv\\Scripts` for `.venv/bin`):

    python3 -m venv .venv
    .venv/bin/python -m pip install --no-index --find-links wheelhouse --no-deps --require-hashes -r requirements.lock
    .venv/bin/python -m pip install --no-index --no-deps --no-build-isolation --editable .
    .venv/bin/seisbook doctor
    .venv/bin/jupyter lab learner

The book itself is `html/index.html`; plans for half a day and a full one are on its page *Workshop*.
"""


class Exercise(NamedTuple):
    """An exercise of a chapter.

    Parameters
    ----------
    label, title : str
    minutes : int
    statement : str
        Text of the exercise, without the check.
    check, solution : str
        Code of the check and of the solution; empty if there is none.
    explanation : str
        Text of the solution, without its code.
    """

    label: str
    title: str
    minutes: int
    statement: str
    check: str
    solution: str
    explanation: str


def exercises(chapter: Path) -> list[Exercise]:
    """The exercises of a chapter, in order.

    Raises
    ------
    UserError
        If an exercise has no solution, no label or no number of minutes in its title.
    """
    cells = notebooks.read(chapter).cells
    directives = [
        part for cell in cells if cell.cell_type == "markdown" for part in DIRECTIVE.findall(cell.source + "\n")
    ]
    solutions = {argument: _split(body) for name, argument, _, body in directives if name == "solution"}
    listed = []
    for name, title, options, body in directives:
        if name == "exercise":
            label = re.search(r":label: *(\S+)", options)
            minutes = re.search(r"· (\d+) minutes", title)
            if not (label and minutes and label[1] in solutions):
                raise UserError(f"{chapter.name}: exercise '{title}': give it minutes, a label and a solution")
            statement, check = _split(body)
            explanation, code = solutions[label[1]]
            listed.append(Exercise(label[1], title, int(minutes[1]), statement, check, code, explanation))
    return listed


def _split(body):
    """The text and the code of a directive's body."""
    parts = CODE.split(body)
    return "\n\n".join(part.strip() for part in parts[::2]).strip(), textwrap.dedent("\n".join(parts[1::2])).strip()


def edition(chapter: Path, solutions: bool):
    """A chapter as a notebook for Jupyter alone: plain Markdown, quick profile, no outputs.

    Parameters
    ----------
    chapter : Path
    solutions : bool
        Whether to make the teachers' edition; if not, the learners' edition.

    Returns
    -------
    NotebookNode
    """
    notebook = notebooks.read(chapter)
    known = {exercise.label: exercise for exercise in exercises(chapter)}
    numbers = _glued(notebook)
    cells = []
    for cell in notebook.cells:
        cells += _code(cell) if cell.cell_type == "code" else _text(cell.source, known, numbers, solutions)
    for i, cell in enumerate(cells):
        cell.id = f"cell-{i}"
    notebook.metadata.pop("seisbook", None)
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def _glued(notebook):
    """Numbers that the text of a chapter quotes from its results, by name."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    glued = [output for output in outputs if "scrapbook" in output.get("metadata", {})]
    texts = {
        glued_output.metadata.scrapbook.name: glued_output.data.get("application/papermill.record/text/plain")
        for glued_output in glued
    }
    return {name: str(ast.literal_eval(text)) for name, text in texts.items() if text}


def _code(cell):
    source = re.sub(r'^profile = "paper"', 'profile = "quick"', cell.source, flags=re.M)
    cells = [nbformat.v4.new_code_cell(source, metadata={"tags": cell.metadata.get("tags", [])})]
    figure = cell.metadata.get("mystnb", {}).get("figure", {})
    if figure:
        cells.append(nbformat.v4.new_markdown_cell(f"**{figure['name']}.** {figure['caption']}"))
    return cells


def _text(source, known, numbers, solutions):
    """Cells made from one Markdown cell: exercises become separate cells, other text becomes plain Markdown."""
    cells, end = [], 0
    for match in DIRECTIVE.finditer(source + "\n"):
        if match[1] in ("exercise", "solution"):
            cells.append(nbformat.v4.new_markdown_cell(plain(source[end : match.start()], numbers)))
            end = match.end()
        if match[1] == "exercise":
            exercise = known[re.search(r":label: *(\S+)", match[3])[1]]
            cells += _exercise(exercise, numbers, solutions)
    cells.append(nbformat.v4.new_markdown_cell(plain(source[end:], numbers)))
    return [cell for cell in cells if cell.cell_type == "code" or cell.source]


def _exercise(exercise, numbers, solutions):
    text, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [text(f"### Exercise: {exercise.title}\n\n{plain(exercise.statement, numbers)}")]
    cells.append(code(exercise.solution if solutions else "# Your answer"))
    cells.append(code(exercise.check))
    if solutions:
        cells.append(text(f"**Solution.** {plain(exercise.explanation, numbers)}"))
    return [cell for cell in cells if cell.source]


def plain(source: str, numbers: dict) -> str:
    """Convert MyST to plain Markdown: directives become quotations, roles become text, and labels are left out."""
    source = DIRECTIVE.sub(lambda match: _quotation(match[1], match[2], match[4]), source + "\n")
    source = re.sub(r"^\([\w-]+\)=\n", "", source, flags=re.M)
    return ROLE.sub(lambda match: _role(match[1], match[2], numbers), source).strip()


def _quotation(name, title, body):
    if name == "selftest":
        return self_tests.plain(title)
    title = title or name.rsplit(":")[-1].capitalize()
    return "\n".join(f"> {line}".rstrip() for line in [f"**{title}**", "", *body.strip().splitlines()]) + "\n"


def _role(name, content, numbers):
    content = re.sub(r"(.*?) *<.*>$", r"\1", content)
    if name == "glue:text":
        return numbers.get(content, f"({content})")
    return f"[{content}]" if name.startswith("cite") else f"**{content}**"


def learners(folder=None) -> list[Path]:
    """Write the learners' edition of all chapters."""
    folder = Path(folder or FOLDER / "learner")
    for link in (folder / one.name for one in chapters.chapters()):
        if link.is_symlink():  # what it leads to is no edition
            link.unlink()
    return [notebooks.write(edition(one, solutions=False), folder / one.name) for one in chapters.chapters()]


def teachers(chosen=None, profile="quick", progress=True, n_jobs=1) -> list[Path]:
    """Write and execute the teachers' edition of all or the chosen chapters; unchanged chapters are not executed again.

    Parameters
    ----------
    chosen : list of Path, optional
    profile : {"quick", "paper"}
    progress : bool
    n_jobs : int
        Chapters that are executed at the same time.

    Raises
    ------
    RuntimeError
        If a cell fails, such as a solution that its own check refuses.
    """
    asked = []
    for chapter in chosen or chapters.chapters():
        source = notebooks.write(edition(chapter, solutions=True), FOLDER / "source" / chapter.name)
        asked.append((source, FOLDER / "teacher" / chapter.name, {"profile": profile}))
    return chapters.execute_all(asked, progress, n_jobs)


def pack(progress=True) -> Path:
    """Write one zip with the HTML, the learners' notebooks, the project and the packages that it needs.

    Nothing hidden goes into it, such as the checkpoints in which Jupyter keeps a teacher's answers, and no link is
    followed. Of the learners' notebooks it holds those that are written now; other files in their folder stay here.

    Returns
    -------
    Path
        Path of the zip.

    Raises
    ------
    UserError
        If the HTML or the packages are missing or not complete, or the project is not a git checkout.
    """
    html = BUILD / "html"
    if not all((html / name).is_file() for name in ("index.html", ".stamp")):  # the stamp comes when all is there
        raise UserError(f"{html}: the pages are missing or not complete: run `make book` first")
    _check_wheels()
    files = {Path("learner") / path.name: path for path in learners()}
    for top, folder, inside in (
        ("", ROOT, [ROOT / name for name in _tracked()]),
        ("html", html, html.rglob("*")),
        ("wheelhouse", WHEELHOUSE, WHEELHOUSE.rglob("*")),
    ):
        files |= {Path(top) / path.relative_to(folder): path for path in inside if binding.is_for_all(path, folder)}
    platform, python = sysconfig.get_platform(), f"{sys.version_info.major}.{sys.version_info.minor}"
    path = FOLDER / f"seisbook-workshop-{platform}-python{python}.zip"
    start = START.format(platform=platform, python=python)
    return write_whole(path, lambda target: _zip(target, start, files, progress))


def _zip(target, start, files, progress):
    """Write the files, by their names in the zip, into an open file."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        archive.writestr("seisbook-workshop/START.md", start)
        for name, file in tqdm(files.items(), desc="zip", unit="file", disable=None if progress else True):
            packed = zipfile.ZIP_STORED if file.suffix == ".whl" else None  # a wheel is a zip
            archive.write(file, Path("seisbook-workshop") / name, packed)


def _check_wheels():
    """Raise an error that names the packages of `requirements.lock` that have no wheel for this machine."""
    suitable, wheels = set(tags.sys_tags()), set()
    for path in WHEELHOUSE.glob("*.whl"):
        with contextlib.suppress(InvalidWheelFilename):
            name, version, _, made_for = parse_wheel_filename(path.name)
            wheels |= {(name, version.public)} if made_for & suitable else set()
    missing = [f"{name} {version}" for name, version in lock.pins().items() if (name, version) not in wheels]
    if missing:
        few = ", ".join(missing[:FEW]) + (f" and {len(missing) - FEW} more" if len(missing) > FEW else "")
        raise UserError(f"{WHEELHOUSE}: no wheel for this machine of {few}: run `make workshop`")
    if not (WHEELHOUSE / ".made").is_file():  # the last package may be cut off
        raise UserError(f"{WHEELHOUSE}: collecting the packages did not end: run `make workshop`")


def _tracked():
    try:
        listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, check=True, text=True)
    except (OSError, subprocess.CalledProcessError):
        raise UserError(f"{ROOT}: not a git checkout, whose files would go into the zip: clone the project") from None
    return [name for name in listed.stdout.split("\0") if (ROOT / name).is_file()]
