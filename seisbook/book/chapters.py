"""Executing the chapters with papermill and publishing what they printed; `seisbook.book.binding` makes a book of
it.
"""

import atexit
import hashlib
import json
import os
import re
import sys
from contextlib import ExitStack
from pathlib import Path

import yaml
from tqdm import tqdm

from seisbook import provenance, witness
from seisbook.catalogues import sources
from seisbook.errors import UserError
from seisbook.paths import BOOK, BUILD, DATA, ROOT

PROFILES = ("quick", "paper")
CALLED = "call "  # begins the lines of functions in what a kernel is observed to do
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
    code = sorted(path for path in (ROOT / "seisbook").rglob("*.*") if path.suffix != ".pyc") + sorted(
        path for path in DATA.rglob("*") if path.is_file()
    )
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

    The executed notebook is whole or not there. Its metadata say what
    it was made of: see `fingerprint` and `seisbook.provenance`.

    Raises
    ------
    RuntimeError
        If a cell fails; the message says which, and where the notebook as far as it came is.
    """
    import nbformat
    import papermill

    stamp = fingerprint(chapter, parameters)
    if output.is_file() and origin(output).get("fingerprint") == stamp:
        return output
    output.parent.mkdir(parents=True, exist_ok=True)
    # not beside the whole ones, where nbval would collect them
    part, failed = (BUILD / kind / output.parent.name / output.name for kind in ("running", "failed"))
    part.parent.mkdir(parents=True, exist_ok=True)
    reads = part.with_suffix(".reads")
    reads.write_text("")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # another one would leave no pictures
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # of the kernel: on a busy machine, threads wait for each other
    calls = parameters.get("profile") == "paper"  # what is published names the code that it follows from
    watch = f"from seisbook.book import chapters; chapters.observe({str(reads)!r}, {calls})"
    first = f"--IPKernelApp.exec_lines={watch}"
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
    seen = set(reads.read_text(encoding="utf-8").splitlines())
    inputs = {name: provenance.identity(name) for name in map(_input, sorted(seen)) if name}
    made_of = provenance.provenance(key(chapter), inputs)
    reached = sorted(name.removeprefix(CALLED) for name in seen if name.startswith(CALLED))
    notebook.metadata["seisbook"] = {"fingerprint": stamp, "provenance": made_of, "reached": reached}
    nbformat.write(notebook, part)
    os.replace(part, output)
    return output


def origin(notebook):
    """What an executed or published notebook says that it was made of; empty if it says nothing."""
    origin = json.loads(notebook.read_text(encoding="utf-8"))["metadata"].get("seisbook")
    return origin if isinstance(origin, dict) else {}


def observe(path, calls=False) -> None:
    """Write what this process reads and calls from now on into `path`, a line each.

    It is called in a chapter's kernel before the first cell: what a chapter shows is found out, not declared.

    Parameters
    ----------
    path : path
        Gets the names of files in `data` and, once the process ends, names of functions of the library after `call `.
    calls : bool
        Note functions, too; that takes time.
    """
    top, seen = f"{DATA}{os.sep}", set()

    def hook(event, arguments):
        name = arguments[0] if event == "open" else None
        if isinstance(name, str) and name.startswith(top) and name not in seen:
            seen.add(name)
            _say(path, Path(name).relative_to(DATA).as_posix())

    sys.addaudithook(hook)
    if not calls:
        return
    stack = ExitStack()
    reached = stack.enter_context(witness.traced(provenance.STAGES))
    atexit.register(lambda: (stack.close(), _say(path, *(f"{CALLED}{name}" for name in sorted(reached)))))


def _say(path, *lines):
    with Path(path).open("a", encoding="utf-8") as file:
        print(*lines, sep="\n", file=file)


def _input(read):
    """Name of an input for a file in `data` that was read; empty for what says nothing of the numbers."""
    folder, _, name = read.rpartition("/")
    stem = name.rsplit(".", 1)[0]
    kinds = {"results": "record", "results/runs": "run", "results/studies": "study", "models": "model"}
    if read.startswith(CALLED) or (folder == "results" and stem in ("witness", "datasets")):
        return ""
    return (
        f"{kinds[folder]}:{stem}" if folder in kinds else f"network:{stem}" if folder == "networks" else f"file:{read}"
    )


def key(chapter: Path) -> dict:
    """Key of a published chapter: its code, which decides on its outputs; text and captions do not."""
    cells = json.loads(chapter.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return provenance.key("chapter", name=chapter.stem, code=provenance.digest(code))


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
            errors = [cell_output for cell_output in cell["outputs"] if cell_output.get("name") == "stderr"]
            written = [
                line.rsplit("\r")[-1] for cell_output in errors for line in "".join(cell_output["text"]).split("\n")
            ]
            lines += [f"           {line}" for line in written if line.strip()]
            lines += [
                f"           {cell_output['ename']}: {cell_output['evalue']}"
                for cell_output in cell["outputs"]
                if "ename" in cell_output
            ]
    path = output.with_suffix(".log")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def publish(chapter: Path, progress=True) -> tuple[Path, Path]:
    """Put the outputs of a chapter's paper-profile run into the committed notebook; run it first unless it is current.

    Returns
    -------
    chapter, executed : Path
        The committed notebook, and the executed one.

    Raises
    ------
    UserError
        If the real bulletins, which the published chapters show, are not on this machine.
    """
    import nbformat

    if not all(sources.is_available(name) for name in _networks()):
        raise UserError("published chapters show the real bulletins: `make data`, or set SEISBOOK_DATA_DIR")
    (executed,) = run([chapter], "paper", {}, progress)
    executed_notebook = nbformat.read(executed, as_version=4)
    cells = [cell for cell in executed_notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook = nbformat.read(chapter, as_version=4)
    for cell, executed_cell in zip(notebook.cells, cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [output for output in executed_cell.outputs if output.output_type != "stream"]
            cell.execution_count = None
    made_of = origin(executed)["provenance"]
    notebook.metadata["seisbook"] = {**made_of, "content": outputs_hash(notebook)}
    part = chapter.with_name(f".{chapter.stem}.part.ipynb")
    nbformat.write(notebook, part)
    os.replace(part, chapter)
    return chapter, executed


def outputs_hash(notebook) -> str:
    """Hash of what a notebook's cells print: its content, as a record."""
    outputs = [cell.get("outputs", []) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return provenance.digest(_whole(outputs))


def _whole(value):
    """Outputs with each text in one piece, as nbformat has them in memory; in files they are lists of lines."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    texts = value and all(isinstance(part, str) for part in value)
    return "".join(value) if texts else [_whole(part) for part in value]


def state(chapter: Path) -> provenance.State:
    """Whether the outputs of a committed chapter belong to its code and to the records as they are."""
    kept = origin(chapter)
    if "key" not in kept:
        return provenance.State("stale", "its outputs do not say what they were made of")
    if kept.get("content") != outputs_hash(json.loads(chapter.read_text(encoding="utf-8"))):
        return provenance.State("damaged", "its outputs are not those that were published")
    return provenance.judge(kept, key(chapter))


def restamp(chapter: Path, evidence: dict) -> None:
    """Write the evidence into a published chapter whose outputs stay."""
    import nbformat

    notebook = nbformat.read(chapter, as_version=4)
    notebook.metadata["seisbook"]["evidence"] = evidence
    part = chapter.with_name(f".{chapter.stem}.part.ipynb")
    nbformat.write(notebook, part)
    os.replace(part, chapter)


def printed(notebook: Path) -> dict[str, float]:
    """Numbers in the text that a notebook's cells print, by cell and place; pictures and scripts are left out."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and not _is_injected(cell)]
    by_place = {}
    for place, printed_by_cell in enumerate(outputs):
        texts = ["".join(output.get("data", {}).get("text/plain", "")) for output in printed_by_cell]
        numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", " ".join(texts))
        by_place |= {f"cell {place}, number {i}": float(number) for i, number in enumerate(numbers)}
    return by_place


def _is_injected(cell):
    return "injected-parameters" in cell["metadata"].get("tags", [])
