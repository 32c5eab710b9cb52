"""Executing the chapters with papermill and publishing what they printed; `seisbook.binding` makes a book of it."""

import hashlib
import json
import os
from pathlib import Path

import yaml
from tqdm import tqdm

from seisbook import sources
from seisbook.errors import UserError
from seisbook.paths import BOOK, BUILD, DATA, ROOT

PROFILES = ("quick", "paper")


def pages() -> list[str]:
    """Pages of the table of contents, as paths from the top of the project without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for chapter in toc["chapters"])]


def chapters() -> list[Path]:
    """Notebooks of the book, in the order of the table of contents."""
    notebooks = [ROOT / f"{page}.ipynb" for page in pages()]
    return [path for path in notebooks if path.is_file()]


def find_chapter(number: str) -> Path:
    """Return the chapter whose file name begins with `number` (`01` or `1`), or that has this file name.

    Raises
    ------
    UserError
        If there is none; the message lists the chapters.
    """
    for path in chapters():
        if number in (path.stem, path.name) or path.stem.split("_")[0] == number.zfill(2):
            return path
    raise UserError(f"no chapter '{number}': choose one of {', '.join(path.stem for path in chapters())}")


def check_parameters(chapter: Path, given: dict) -> dict:
    """Parse parameters given as text and check them against the chapter's `parameters` cell.

    Papermill itself only warns about a name that the chapter does not have.

    Parameters
    ----------
    chapter : Path
    given : dict of str
        Names and values as they were typed.

    Returns
    -------
    dict
        Values of the type that the chapter's own default has.

    Raises
    ------
    UserError
        If a name is unknown (the message lists those that exist) or a value has another type than the default.
    """
    import papermill

    known = papermill.inspect_notebook(chapter)
    parsed = {}
    for name, text in given.items():
        if name not in known:
            raise UserError(f"{chapter.name} has no parameter '{name}': choose among {', '.join(known)}")
        default = yaml.safe_load(known[name]["default"])
        try:
            value = yaml.safe_load(text)
        except yaml.YAMLError:
            value = None
        whole = isinstance(default, float) and type(value) is int
        if type(value) is not type(default) and not whole:  # bool is a kind of int, but no number of events
            raise UserError(f"{chapter.name}: parameter {name} is {text!r}: give a value like {default!r}")
        parsed[name] = value
    return parsed


def fingerprint(chapter: Path, parameters: dict) -> str:
    """Hash of all that decides what a chapter prints: its cells, the library, the data and the parameters."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    written = [(cell["source"], cell["metadata"]) for cell in cells]  # captions are metadata
    digest = hashlib.sha256(json.dumps(written, sort_keys=True).encode())
    code = sorted((ROOT / "seisbook").glob("*.*")) + sorted(path for path in DATA.rglob("*") if path.is_file())
    for path in [*code, ROOT / "requirements.lock"]:
        digest.update(path.name.encode() + path.read_bytes())
    networks = {name.split("/")[0] for name in sources.registry()}
    have = {network: sources.is_available(network) for network in networks}
    digest.update(json.dumps([parameters, have], sort_keys=True).encode())
    return digest.hexdigest()


def run(chosen: list[Path], profile: str, parameters: dict, progress=True) -> list[Path]:
    """Execute chapters one after the other into `_build/<profile>`; those that nothing has changed for are kept.

    Parameters
    ----------
    chosen : list of Path
    profile : {"quick", "paper"}
    parameters : dict of str
        As typed; checked against each chapter before the first one runs.

    Returns
    -------
    list of Path
        The executed notebooks.
    """
    if "profile" in parameters:
        raise UserError("give the profile with --profile, not with -p")
    checked = [check_parameters(chapter, {"profile": profile, **parameters}) for chapter in chosen]
    executed = []
    bar = tqdm(list(zip(chosen, checked, strict=True)), unit="chapter", disable=not progress)
    for chapter, values in bar:
        bar.set_description(chapter.stem)
        executed.append(_execute(chapter, BUILD / profile / chapter.name, values, progress))
    return executed


def _execute(chapter, output, parameters, progress):
    import nbformat
    import papermill

    stamp = fingerprint(chapter, parameters)
    if output.is_file() and json.loads(output.read_text(encoding="utf-8"))["metadata"].get("seisbook") == stamp:
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    # not beside the whole ones, where nbval would collect them
    part, failed = (BUILD / kind / chapter.name for kind in ("running", "failed"))
    part.parent.mkdir(exist_ok=True)
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # another one would leave no pictures
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the kernel: on a busy machine, threads wait for each other
    try:
        papermill.execute_notebook(
            chapter, part, parameters, kernel_name="python3", cwd=BOOK, progress_bar=progress, log_output=False
        )
    except papermill.PapermillExecutionError as error:
        failed.parent.mkdir(exist_ok=True)
        os.replace(part, failed)
        raise RuntimeError(
            f"{chapter.name}: cell {error.exec_count} failed ({error.ename}: {error.evalue}); see {failed}"
        ) from None
    notebook = nbformat.read(part, as_version=4)
    notebook.metadata["seisbook"] = stamp
    nbformat.write(notebook, part)
    os.replace(part, output)
    return output


def publish(chapter: Path) -> Path:
    """Put the outputs of a chapter's paper-profile run into the committed notebook.

    Raises
    ------
    UserError
        If there is no such run, or it is not of the chapter as it stands.
    """
    import nbformat

    executed = BUILD / "paper" / chapter.name
    command = f"seisbook book run --chapter {chapter.stem} --profile paper"
    if not executed.is_file():
        raise UserError(f"{chapter.name} has not been executed: run `{command}` first")
    done = nbformat.read(executed, as_version=4)
    cells = [cell for cell in done.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook = nbformat.read(chapter, as_version=4)
    if [cell.source for cell in cells] != [cell.source for cell in notebook.cells]:
        raise UserError(f"{chapter.name} has changed since it was executed: run `{command}` again")
    for cell, made in zip(notebook.cells, cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [output for output in made.outputs if output.output_type != "stream"]
            cell.execution_count = None
    part = chapter.with_name(f".{chapter.stem}.part.ipynb")
    nbformat.write(notebook, part)
    os.replace(part, chapter)
    return chapter
