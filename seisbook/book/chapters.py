"""Executing the chapters with papermill and publishing what they printed; `seisbook.book.binding` makes a book of
it.
"""

import hashlib
import json
import os
import sys
from pathlib import Path

import yaml
from tqdm import tqdm

from seisbook.catalogues import sources
from seisbook.errors import UserError
from seisbook.paths import BOOK, BUILD, DATA, ROOT

PROFILES = ("quick", "paper")
KERNEL_SECONDS = 300  # for a kernel to start: a cold disk full of packages is slower than papermill expects


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
    have = {network: sources.is_available(network) for network in _networks()}
    digest.update(json.dumps([parameters, have], sort_keys=True).encode())
    return digest.hexdigest()


def _networks():
    """Networks that have real data."""
    return sorted({name.split("/")[0] for name in sources.registry()})


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
    bar = tqdm(list(zip(chosen, checked, strict=True)), unit="chapter", disable=None if progress else True)
    for chapter, values in bar:
        bar.set_description(chapter.stem)
        executed.append(execute(chapter, BUILD / profile / chapter.name, values, progress))
    return executed


def execute(chapter: Path, output: Path, parameters: dict, progress=True) -> Path:
    """Execute one notebook with papermill, unless `output` is what it would give; beside it goes a log of its cells.

    The executed notebook is whole or not there. Its metadata say what it was made of: see `fingerprint`, `read_files`.

    Raises
    ------
    RuntimeError
        If a cell fails; the message says which, and where the notebook as far as it came is.
    """
    import nbformat
    import papermill

    stamp = fingerprint(chapter, parameters)
    if output.is_file() and _origin(output).get("fingerprint") == stamp:
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    # not beside the whole ones, where nbval would collect them
    part, failed = (BUILD / kind / output.parent.name / output.name for kind in ("running", "failed"))
    part.parent.mkdir(parents=True, exist_ok=True)
    reads = part.with_suffix(".reads")
    reads.write_text("")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # another one would leave no pictures
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the kernel: on a busy machine, threads wait for each other
    first = f"--IPKernelApp.exec_lines=from seisbook import book; book.note_reads({str(reads)!r})"
    try:
        papermill.execute_notebook(
            chapter,
            part,
            parameters,
            kernel_name="python3",
            cwd=BOOK,
            progress_bar={"disable": None} if progress else False,
            log_output=False,
            start_timeout=KERNEL_SECONDS,
            extra_arguments=[first],
        )
    except papermill.PapermillExecutionError as error:
        failed.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, failed)
        log = _write_log(failed, output)
        raise RuntimeError(
            f"{chapter.name}: cell {error.exec_count} failed ({error.ename}: {error.evalue}); see {failed} and {log}"
        ) from None
    _write_log(part, output)
    notebook = nbformat.read(part, as_version=4)
    read = sorted(set(reads.read_text(encoding="utf-8").splitlines()))
    notebook.metadata["seisbook"] = {
        "fingerprint": stamp,
        "code": code_hash(chapter),
        "read": {name: file_hash(name) for name in read},
    }
    nbformat.write(notebook, part)
    os.replace(part, output)
    return output


def _origin(notebook):
    """What an executed or published notebook says that it was made of; empty if it says nothing."""
    origin = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("seisbook")
    return origin if isinstance(origin, dict) else {}


def note_reads(path):
    """Write the name of each file in `data` that this process opens from now on into `path`, a line each.

    It is called in a chapter's kernel before the first cell: what a chapter shows is found out, not declared.
    """
    top, seen = f"{DATA}{os.sep}", set()

    def hook(event, arguments):
        name = arguments[0] if event == "open" else None
        if isinstance(name, str) and name.startswith(top) and name not in seen:
            seen.add(name)
            with Path(path).open("a", encoding="utf-8") as file:
                print(Path(name).relative_to(DATA).as_posix(), file=file)

    sys.addaudithook(hook)


def code_hash(chapter: Path) -> str:
    """Hash of a notebook's code, which decides on its outputs; text and captions do not."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return hashlib.sha256(json.dumps(code).encode()).hexdigest()[:16]


def file_hash(name: str) -> str:
    """Hash of a file in `data`; empty if there is none."""
    path = DATA / name
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16] if path.is_file() else ""


def _write_log(notebook, output):
    """Seconds and first line of each code cell, and what it wrote to its error stream, as `output` with `.log`."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    run = content["metadata"]["papermill"]
    lines = [f"{output.name}  {run['start_time']}  {run['duration'] or 0:.1f} s  {run['parameters']}"]
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            seconds, status = (cell["metadata"]["papermill"][key] for key in ("duration", "status"))
            first = ("".join(cell["source"]).splitlines() or [""])[0]
            lines.append(f"{seconds or 0:7.1f} s  {status:9}  {first}")
            errors = [one for one in cell["outputs"] if one.get("name") == "stderr"]
            written = [line.rsplit("\r")[-1] for one in errors for line in "".join(one["text"]).split("\n")]
            lines += [f"           {line}" for line in written if line.strip()]
            lines += [f"           {one['ename']}: {one['evalue']}" for one in cell["outputs"] if "ename" in one]
    path = output.with_suffix(".log")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def publish(chapter: Path, progress=True) -> Path:
    """Put the outputs of a chapter's paper-profile run into the committed notebook; run it first unless it is current.

    Raises
    ------
    UserError
        If the real bulletins, which the published chapters show, are not on this machine.
    """
    import nbformat

    if not all(sources.is_available(name) for name in _networks()):
        raise UserError("published chapters show the real bulletins: `make data`, or set SEISBOOK_DATA_DIR")
    (executed,) = run([chapter], "paper", {}, progress)
    done = nbformat.read(executed, as_version=4)
    cells = [cell for cell in done.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook = nbformat.read(chapter, as_version=4)
    for cell, made in zip(notebook.cells, cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [output for output in made.outputs if output.output_type != "stream"]
            cell.execution_count = None
    origin = _origin(executed)
    notebook.metadata["seisbook"] = {key: origin[key] for key in ("code", "read")}
    part = chapter.with_name(f".{chapter.stem}.part.ipynb")
    nbformat.write(notebook, part)
    os.replace(part, chapter)
    return chapter


def outdated(chapter: Path) -> str:
    """Why the outputs of a committed chapter do not belong to its code and to the records as they are; empty if so."""
    origin = _origin(chapter)
    if not origin:
        return "its outputs do not say what they were made of"
    if origin["code"] != code_hash(chapter):
        return "its code has changed since its outputs were made"
    changed = [name for name, digest in origin["read"].items() if file_hash(name) != digest]
    return f"its outputs were made from another data/{changed[0]}" if changed else ""
