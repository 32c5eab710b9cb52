"""Executing the chapters with papermill and publishing their outputs; `seisbook.book.binding` binds the book."""

import atexit
import hashlib
import json
import logging
import os
import re
import sys
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from pathlib import Path

import yaml
from joblib import Parallel, delayed, parallel_config
from tqdm import tqdm

from seisbook import files, provenance, witness
from seisbook.book import executions, notebooks
from seisbook.book.parameters import FILES, parse
from seisbook.catalogues import networks, sources
from seisbook.errors import DataError, UserError
from seisbook.paths import BOOK, BUILD, DATA, LOCALE, ROOT

log = logging.getLogger(__name__)
CALLED = "call "  # prefix of the lines with called functions in the log of an observed kernel
QUIET = "--IPKernelApp.log_level=50"  # a kernel that is stopped in a cell prints tracebacks of its own
KERNEL_SECONDS = 300  # time limit for a kernel to start: papermill's own limit is too short for a cold disk


def pages() -> list[str]:
    """Pages of the table of contents, as paths relative to the root of the project, without suffix."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(chapter["file"] for part in toc["parts"] for chapter in part["chapters"])]


def chapters() -> list[Path]:
    """Notebooks of the book, in the order of the table of contents."""
    notebooks = [ROOT / f"{page}.ipynb" for page in pages()]
    return [path for path in notebooks if path.is_file()]


def find_chapter(number: str) -> Path:
    """Return the chapter with this number (`01` or `1`) at the start of its file name, or with this file name.

    Raises
    ------
    UserError
        If there is no such chapter; the message lists the chapters.
    """
    for path in chapters():
        if number in (path.stem, path.name) or path.stem.split("_")[0] == number.zfill(2):
            return path
    raise UserError(f"no chapter '{number}': choose one of {', '.join(path.stem for path in chapters())}")


def fingerprint(chapter: Path, parameters: dict) -> str:
    """Hash of everything that a chapter's outputs depend on: its cells, the library, the data and the parameters."""
    cells = notebooks.content(chapter)["cells"]
    written = [(cell["source"], cell["metadata"]) for cell in cells]  # the metadata hold the captions
    digest = hashlib.sha256(json.dumps(written, sort_keys=True).encode())
    code = sorted(path for path in (ROOT / "seisbook").rglob("*.*") if path.suffix != ".pyc") + sorted(
        path for path in DATA.rglob("*") if path.is_file() and not files.is_leftover(path.name)
    )
    if _catalogues(chapter.stem):  # then its figures are drawn in other languages, too
        code += _catalogues("phrases")
    for path in [*code, ROOT / "requirements.lock"]:
        digest.update(path.name.encode() + path.read_bytes())
    have = {network: sources.is_available(network) for network in _networks()}
    own = [_changed(Path(parameters[name])) for name in FILES if parameters.get(name)]
    digest.update(json.dumps([parameters, have, *own], sort_keys=True).encode())
    return digest.hexdigest()


def _catalogues(name):
    """Catalogues of translations of a page, or of the phrases that code prints; see `seisbook.book.translation`."""
    return sorted(LOCALE.glob(f"*/LC_MESSAGES/{name}.po"))


def _changed(path):
    """When a reader's file was changed, or the files in his folder."""
    paths = sorted(path.rglob("*")) if path.is_dir() else [path]
    return [[str(one), one.stat().st_mtime_ns] for one in paths]


def _networks():
    """Networks that have real data."""
    return [name for name in networks.available() if sources.network_files(name)]


def run(chosen: list[Path], profile: str, parameters: dict, progress=True, n_jobs=1) -> list[Path]:
    """Execute chapters into `_build/<profile>`; unchanged chapters are not executed again.

    Parameters
    ----------
    chosen : list of Path
    profile : {"quick", "paper"}
    parameters : dict of str
        Values as the user typed them; they are checked against each chapter before the first chapter runs.
    progress : bool
    n_jobs : int
        Chapters that are executed at the same time.

    Returns
    -------
    list of Path
        The executed notebooks.
    """
    if "profile" in parameters:
        raise UserError("give the profile with --profile, not with -p")
    given = {"profile": profile, **parameters}
    asked = [(chapter, BUILD / profile / chapter.name, parse(chapter, given)) for chapter in chosen]
    return execute_all(asked, progress, n_jobs)


def execute_all(asked: list[tuple], progress=True, n_jobs=1) -> list[Path]:
    """Execute notebooks, several at a time, and return their paths in the order in which they were asked for.

    Parameters
    ----------
    asked : list of tuple
        First arguments of `execute` for each notebook.
    progress : bool
        Whether to show bars: one of the notebooks and, if one is executed at a time, one of its cells.
    n_jobs : int
        Worker processes. The first failure stops all of them; what is complete by then is kept.

    Raises
    ------
    RuntimeError
        If a cell fails, see `execute`, or if a worker process dies.
    """
    calls = (delayed(execute)(*one, progress and n_jobs == 1) for one in asked)
    with parallel_config("loky", n_jobs=n_jobs):
        made = Parallel(return_as="generator")(calls)
        try:
            return list(tqdm(made, total=len(asked), unit="chapter", disable=None if progress else True))
        except BrokenProcessPool:
            raise RuntimeError(
                "a worker process died (out of memory?): complete chapters are kept; run again with fewer --jobs"
            ) from None


def execute(chapter: Path, output: Path, parameters: dict, progress=True) -> Path:
    """Execute one notebook with papermill and write a log of its cells, unless `output` is up to date.

    An executed notebook is complete or does not exist. Its metadata hold its `fingerprint` and its provenance, see
    `seisbook.provenance`. The log is in the same folder.

    Raises
    ------
    RuntimeError
        If a cell fails. The message names the cell, and the path of the notebook with the outputs up to this cell.
    """
    stamp = fingerprint(chapter, parameters)
    with files.locked(output):  # another run may be executing it
        if not _is_executed(output, stamp):
            _execute(chapter, output, parameters, stamp, progress)
    return output


def _is_executed(output, stamp):
    """Whether a notebook was executed as the chapter is now; a damaged one is executed again."""
    try:
        return output.is_file() and origin(output).get("fingerprint") == stamp
    except DataError as error:
        log.warning("%s", error)
        return False


def _execute(chapter, output, parameters, stamp, progress):
    import papermill

    # incomplete notebooks are in other folders, because nbval would collect them
    build, profile = output.parent.parent, output.parent.name
    part, failed = (build / kind / profile / output.name for kind in ("running", "failed"))
    part.parent.mkdir(parents=True, exist_ok=True)
    reads = part.with_suffix(".reads")
    reads.write_text("")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # another backend would store no figures
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the kernel: on a busy machine, threads wait for each other
    calls = parameters.get("profile") == "paper"  # a published chapter names the code that its results follow from
    watch = f"from seisbook.book import chapters; chapters.observe({str(reads)!r}, {calls})"
    if _catalogues(chapter.stem):
        watch += f"; from seisbook.book import editions; editions.draw_figures({chapter.stem!r})"
    first = f"--IPKernelApp.exec_lines={watch}"
    try:
        papermill.execute_notebook(
            chapter,
            part,
            parameters,
            kernel_name="python3",
            cwd=BOOK,
            progress_bar={"disable": None, "desc": chapter.stem} if progress else False,
            log_output=False,
            start_timeout=KERNEL_SECONDS,
            extra_arguments=[first, QUIET],
        )
    except papermill.PapermillExecutionError as error:
        failed.parent.mkdir(parents=True, exist_ok=True)
        os.replace(part, failed)
        log = _write_log(failed, output)
        raise RuntimeError(
            f"{chapter.name}: cell {error.exec_count} failed ({error.ename}: {error.evalue}); see {failed} and {log}"
        ) from None
    _write_log(part, output)
    notebook = notebooks.read(part)
    seen = set(reads.read_text(encoding="utf-8").splitlines())
    inputs = {name: provenance.identity(name) for name in map(_input, sorted(seen)) if name}
    made_of = provenance.provenance(key(chapter), inputs)
    reached = sorted(name.removeprefix(CALLED) for name in seen if name.startswith(CALLED))
    about = {"provenance": made_of, "reached": reached, "run": executions.of_run(notebook.metadata["papermill"])}
    notebook.metadata["seisbook"] = {"fingerprint": stamp, **about}
    notebooks.write(notebook, output)
    part.unlink()


def origin(notebook):
    """Provenance in the metadata of an executed or published notebook; empty if there is none."""
    origin = notebooks.content(notebook)["metadata"].get("seisbook")
    return origin if isinstance(origin, dict) else {}


def observe(path, calls=False) -> None:
    """Write the files that this process reads, and the functions that it calls, from now on into `path`, one a line.

    It is called in a chapter's kernel before the first cell. The inputs of a chapter are thus observed, not declared.

    Parameters
    ----------
    path : path
        File for the names of files in `data` and, when the process ends, the names of the library's functions, each
        after `call `.
    calls : bool
        Whether to write the functions too; this slows the process down.
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
    """Name of the input that a file in `data` belongs to; empty if the results do not depend on the file."""
    folder, _, name = read.rpartition("/")
    stem = name.rsplit(".", 1)[0]
    kinds = {"results": "record", "results/runs": "run", "results/studies": "study", "models": "model"}
    if read.startswith(CALLED) or (folder == "results" and stem in ("witness", "datasets")):
        return ""
    return (
        f"{kinds[folder]}:{stem}" if folder in kinds else f"network:{stem}" if folder == "networks" else f"file:{read}"
    )


def key(chapter: Path) -> dict:
    """Provenance key of a published chapter: its code; text and captions do not change the outputs."""
    cells = notebooks.content(chapter)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return provenance.key("chapter", name=chapter.stem, code=provenance.digest(code))


def _write_log(notebook, output):
    """Write the log of a notebook: duration, first line and error stream of each code cell; its path ends in `.log`."""
    content = notebooks.content(notebook)
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
    return files.write_whole(path, "\n".join(lines) + "\n")


def publish(chapter: Path, progress=True) -> tuple[Path, Path]:
    """Copy the outputs of a chapter's run with the paper profile into the committed notebook; run it if it is outdated.

    Returns
    -------
    chapter, executed : Path
        Paths of the committed and of the executed notebook.

    Raises
    ------
    UserError
        If the real bulletins are not on this machine; the published chapters show them.
    """
    if not all(sources.is_available(name) for name in _networks()):
        raise UserError("published chapters show the real bulletins: `make data`, or set SEISBOOK_DATA_DIR")
    (executed,) = run([chapter], "paper", {}, progress)
    executed_notebook = notebooks.read(executed)
    cells = [cell for cell in executed_notebook.cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    notebook = notebooks.read(chapter)
    for cell, executed_cell in zip(notebook.cells, cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [output for output in executed_cell.outputs if output.output_type != "stream"]
            cell.execution_count = None
    about = origin(executed)
    notebook.metadata["seisbook"] = {**about["provenance"], "run": about["run"], "content": outputs_hash(notebook)}
    return notebooks.write(notebook, chapter), executed


def outputs_hash(notebook) -> str:
    """Hash of the outputs of a notebook's code cells, its content in the sense of a record."""
    outputs = [cell.get("outputs", []) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return provenance.digest(_whole(outputs))


def _whole(value):
    """Outputs with each text as one string, as nbformat has them in memory; in files, texts are lists of lines."""
    if isinstance(value, dict):
        return {name: _whole(part) for name, part in value.items()}
    if not isinstance(value, list):
        return value
    texts = value and all(isinstance(part, str) for part in value)
    return "".join(value) if texts else [_whole(part) for part in value]


def state(chapter: Path) -> provenance.State:
    """State of a committed chapter: whether its outputs follow from its current code and from the current records."""
    kept = origin(chapter)
    if "key" not in kept:
        return provenance.State("stale", "its outputs do not say what they were made of")
    if kept.get("content") != outputs_hash(notebooks.content(chapter)):
        return provenance.State("damaged", "its outputs are not those that were published")
    return provenance.judge(kept, key(chapter))


def restamp(chapter: Path, evidence: dict) -> None:
    """Write the evidence into a published chapter without changing its outputs."""
    notebook = notebooks.read(chapter)
    notebook.metadata["seisbook"]["evidence"] = evidence
    notebooks.write(notebook, chapter)


def printed(notebook: Path) -> dict[str, float]:
    """Numbers in the text outputs of a notebook, by cell and position; pictures and scripts are left out."""
    cells = notebooks.content(notebook)["cells"]
    outputs = [cell["outputs"] for cell in cells if cell["cell_type"] == "code" and not _is_injected(cell)]
    by_place = {}
    for place, printed_by_cell in enumerate(outputs):
        texts = ["".join(output.get("data", {}).get("text/plain", "")) for output in printed_by_cell]
        numbers = re.findall(r"(?<![\w.])-?\d+(?:\.\d+)?", " ".join(texts))
        by_place |= {f"cell {place}, number {i}": float(number) for i, number in enumerate(numbers)}
    return by_place


def _is_injected(cell):
    return "injected-parameters" in cell["metadata"].get("tags", [])
