"""The command line of SeisBook, `seisbook COMMAND`: parsing and printing; each command's work is in the library."""

import argparse
import gc
import json
import logging
import math
import sys
from pathlib import Path

from seisbook import __version__, endings
from seisbook.commands import export, fetch, locate, train
from seisbook.commands.arguments import named, positive, seed
from seisbook.errors import UserError, one_line

DATA_EXAMPLES = """\
examples:
  # the real Colombian bulletin of February 2018, with a rendered seismogram for every reading
  seisbook data build --network colombia --source bulletin --out colombia-2018-02

  # its simulated twin, 500 events, no real data needed
  seisbook data build --network colombia --source simulated --events 500 --out twin

  # your own network and catalogue: QuakeML, SCML, NORDIC, HypoDD, hypoinverse, HYPO71, GaMMA, PyOcto, ...
  seisbook data build --network my_network.yaml --source bulletin --catalogue events.xml --out mine

  # measured ground motion of a region: peak and spectral values at all stations, no seismograms
  seisbook data build --network greece --out greece
"""
STUDY_EXAMPLES = """\
examples:
  # all trials that are missing, in two worker processes; stop it at any time, and the same command goes on
  seisbook study run NAME --network colombia --source bulletin --profile paper --jobs 2

  # on a Dask cluster whose workers have this version of SeisBook (`dask worker tcp://10.0.0.1:8786 --nthreads 1`)
  seisbook study run NAME --network colombia --source bulletin --profile paper --dask tcp://10.0.0.1:8786

  # on a GPU, in batched passes
  seisbook study run NAME --network colombia --source bulletin --profile paper --device cuda
"""


SHAKE_EXAMPLES = """\
examples:
  # a folder of ShakeMap's, with event.xml and lists of stations: a picture, and a grid for other programs
  seisbook shake 20210303_0000071/current --model greece --out map.png grid.xml

  # a list alone: the origin is estimated from the amplitudes, unless --epicentre and --magnitude give it
  seisbook shake stationlist.json --model italy --measure pga --out map.png contours.geojson map.tif
"""


def main(argv=None) -> int:
    """Run the command line; return the exit code, see `seisbook.endings.carry_out`."""
    words = sys.argv[1:] if argv is None else argv
    return endings.carry_out(lambda: _run(words), traceback="--traceback" in words)


def _run(words):
    endings.prepare_output()
    arguments = _parser().parse_args(words)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    logging.getLogger("seisbook.catalogues.sources").setLevel(logging.INFO)  # nothing goes to the network unsaid
    return arguments.command(arguments)


class _Parser(argparse.ArgumentParser):
    """A parser whose message is one printable line, whatever it repeats of what was typed."""

    def error(self, message):
        super().error(one_line(message))


def _parser():
    parser = _Parser(
        prog="seisbook",
        description="Data, chapters and records of the SeisBook.",
        epilog="`seisbook data build --help` teaches by example.",
    )
    parser.add_argument("--version", action="version", version=f"seisbook {__version__}")
    parser.add_argument("--traceback", action="store_true", help="show where an error arose, for developers")
    groups = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _data_parser(groups.add_parser("data", help="build, inspect and download data"))
    _network_parser(groups.add_parser("network", help="describe your own network from its bulletin"))
    _book_parser(groups.add_parser("book", help="execute chapters and build the HTML"))
    _workshop_parser(groups.add_parser("workshop", help="write the editions of the chapters that a workshop needs"))
    doctor = groups.add_parser("doctor", help="say in plain words whether this machine is ready")
    doctor.set_defaults(command=_doctor)
    train.add_options(groups.add_parser("train", help="train and test models on the folds of a real bulletin"))
    _evaluate_parser(groups.add_parser("evaluate", help="test a trained model"))
    locate.add_options(groups.add_parser("locate", help="locate and size new events"))
    export.add_options(groups.add_parser("export", help="write a trained model as an ONNX file"))
    _shake_parser(groups.add_parser("shake", help="draw the ground motion of an earthquake, with its uncertainty"))
    _study_parser(groups.add_parser("study", help="run hundreds of short trainings, resumable, here or on a cluster"))
    results = groups.add_parser("results", help="print the errors of all models, over all folds")
    results.add_argument("--json", action="store_true", help="as JSON")
    results.add_argument("--profile", choices=("quick", "paper"), default="paper", help="default: paper")
    what = results.add_mutually_exclusive_group()
    what.add_argument("--record", nargs="*", metavar="NAME", help="write the records that the chapters show, or these")
    what.add_argument("--check", action="store_true", help="say which results are current; 1 if any is not")
    what.add_argument(
        "--verify", nargs="*", metavar="KIND", help="run trials of the unverified results, or of these kinds, again"
    )
    what.add_argument("--renew", action="store_true", help="recompute what is stale: hours; may be stopped and resumed")
    results.set_defaults(command=_results)
    claims = groups.add_parser("claims", help="print the verdict on each claim that has been tested")
    claims.add_argument("id", nargs="*", metavar="ID", help="such as C1; default: all")
    how = claims.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="as JSON")
    how.add_argument(
        "--explain", action="store_true", help="with rule, figure, record, trials, and commands to redo it"
    )
    claims.set_defaults(command=_claims)
    ask = groups.add_parser("ask", help="find events by what their seismograms say, asked in words")
    ask.add_argument("question", nargs="+", help="in English or Spanish; several are taken together")
    ask.add_argument("--network", required=True, help="colombia or ridgecrest")
    ask.add_argument("--source", choices=("bulletin", "simulated"), help="default: bulletin if its files are here")
    ask.add_argument("--events", type=positive, default=10, help="events to print (default: 10)")
    ask.set_defaults(command=_ask)
    return parser


def _data_parser(parser):
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    build = commands.add_parser(
        "build",
        help="make a dataset of seismograms and labels, or of ground motion",
        description="Make a SeisBench dataset (waveforms.hdf5, metadata.csv) of one network from one source, or a "
        "dataset of ground motion (fields.npz) of one region.",
        epilog=DATA_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.add_argument("--network", required=True, help="a shipped network or region, or the path of a YAML file")
    build.add_argument(
        "--source",
        choices=("bulletin", "simulated", "waveform", "measured"),
        help="bulletin: real readings, rendered traces; simulated: all known, all rendered; waveform: real traces, "
        "your own or those of `seisbook data fetch`; "
        "measured: ground motion of a region (default for a region)",
    )
    build.add_argument(
        "--catalogue", type=Path, nargs="+", help="your own catalogue file(s), for bulletin and waveform"
    )
    build.add_argument(
        "--waveforms",
        type=Path,
        help="folder of your own waveform files, in any common format; each name begins with its event's source_id",
    )
    build.add_argument("--inventory", type=Path, help="StationXML with the instruments' responses, which are removed")
    build.add_argument("--events", type=positive, help="number of events (default: all; 1000 if simulated)")
    build.add_argument("--seed", type=seed, default=0, help="same seed, same bytes (default: 0)")
    build.add_argument("--jobs", type=positive, default=1, help="worker processes (default: 1)")
    build.add_argument("--out", required=True, type=Path, help="folder to make")
    build.set_defaults(command=_data_build)
    info = commands.add_parser("info", help="say what a dataset holds")
    info.add_argument("dataset", type=Path, help="its folder")
    info.set_defaults(command=_data_info)
    fetch.add_options(commands.add_parser("fetch", help="download the real data, and seismograms from a data centre"))
    record = commands.add_parser("record", help="recompute the record of the real catalogues in data/results")
    record.set_defaults(command=_data_record)


def _network_parser(parser):
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    new = commands.add_parser("new", help="write a YAML file and a report from a bulletin with readings")
    new.add_argument("--bulletin", type=Path, nargs="+", required=True, help="catalogue file(s) in any known format")
    new.add_argument("--stations", type=Path, help="station file; others are solved from distances and azimuths")
    new.add_argument("--velocity", type=Path, help="velocity model (default: fitted to the readings)")
    new.add_argument("--out", type=Path, required=True, metavar="FILE", help="YAML file to write")
    new.set_defaults(command=_network_new)


def _book_parser(parser):
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="execute chapters with papermill")
    run.add_argument("--chapter", action="append", help="number or name, may be repeated (default: all)")
    run.add_argument("--profile", choices=("quick", "paper"), default="quick", help="default: quick")
    run.add_argument(
        "-p", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a parameter of the chapter"
    )
    run.add_argument("--jobs", type=positive, default=1, help="chapters at the same time (default: 1)")
    run.set_defaults(command=_book_run)
    publish = commands.add_parser("publish", help="put the outputs of the paper profile into the committed notebooks")
    publish.add_argument("--chapter", action="append", help="number or name, may be repeated (default: all)")
    publish.set_defaults(command=_book_publish)
    build = commands.add_parser("build", help="bind the chapters into HTML, a zip of it, or a PDF, warnings as errors")
    build.add_argument("--to", choices=("html", "zip", "pdf"), default="html", help="default: html")
    build.add_argument(
        "--outputs",
        choices=("quick", "paper", "committed"),
        help="of the last run of a profile, or as committed (default: quick for html, committed for zip and pdf)",
    )
    build.add_argument("--repository", default="", metavar="URL", help="html: for buttons that open chapters elsewhere")
    build.add_argument("--site", default="", metavar="URL", help="html: where the pages will stand")
    build.set_defaults(command=_book_build)
    translate = commands.add_parser(
        "translate", help="bring the catalogues of an edition up to date with the pages, and list what is missing"
    )
    translate.add_argument("--language", choices=("es",), default="es", help="default: es, Spanish")
    translate.set_defaults(command=_book_translate)


def _workshop_parser(parser):
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    learners = commands.add_parser(
        "learners", help="notebooks without solutions and outputs, in _build/workshop/learner"
    )
    learners.set_defaults(command=_workshop_learners)
    teachers = commands.add_parser("teachers", help="notebooks with solutions, which are executed and checked")
    teachers.add_argument("--chapter", action="append", help="number or name, may be repeated (default: all)")
    teachers.add_argument("--jobs", type=positive, default=1, help="chapters at the same time (default: 1)")
    teachers.set_defaults(command=_workshop_teachers)
    project = commands.add_parser("project", help="draw a final project: learners' files, and the teacher's truth")
    project.set_defaults(command=_workshop_project)
    score = commands.add_parser("score", help="errors and points of an answer to the final project")
    score.add_argument("answer", type=named, metavar="FILE", help="CSV with a row for each test event")
    score.add_argument("--truth", type=named, metavar="FILE", help="the teacher's (default: of the last project here)")
    score.set_defaults(command=_workshop_score)
    pack = commands.add_parser(
        "zip", help="HTML, learners' notebooks, project and packages in one file; `make workshop`"
    )
    pack.set_defaults(command=_workshop_zip)


def _evaluate_parser(parser):
    parser.description = "Test a trained model on the test events of its fold, or on a dataset of yours."
    parser.add_argument("checkpoint", type=named, help="such as data/models/colombia-dynamic-random-0")
    parser.add_argument("--dataset", type=Path, help="folder of `seisbook data build`, or any SeisBench dataset")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(command=_evaluate)


def _shake_parser(parser):
    parser.description = "Draw a map of an earthquake's ground motion from lists of stations: median and uncertainty."
    parser.epilog, parser.formatter_class = SHAKE_EXAMPLES, argparse.RawDescriptionHelpFormatter
    files = "folder of ShakeMap's, or its files: event.xml, *_dat.xml, stationlist.json"
    parser.add_argument("event", type=named, nargs="+", metavar="EVENT", help=files)
    parser.add_argument("--model", required=True, help="greece, italy, a region's YAML file, or a checkpoint's path")
    ends = "ends with .png, .geojson, .tif or .xml"
    parser.add_argument("--out", required=True, type=named, nargs="+", metavar="FILE", help=ends)
    measures = "pga", "pgv", "psa03", "psa10", "psa30"
    parser.add_argument("--measure", choices=measures, default="pgv", help="what is drawn (default: pgv)")
    parser.add_argument("--epicentre", type=float, nargs=2, metavar=("LATITUDE", "LONGITUDE"), help="degrees")
    parser.add_argument("--depth", type=float, metavar="KM", help="of the hypocentre")
    parser.add_argument("--magnitude", type=float, help="of the earthquake")
    parser.add_argument("--reach", type=float, metavar="KM", help="from the epicentre to the map's edges")
    parser.set_defaults(command=_shake)


def _study_parser(parser):
    from seisbook.studies.runner import STUDIES

    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="do the trials that are missing",
        description="Do the trials of a study that are missing, and keep a record of each as soon as it is done.",
        epilog=STUDY_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = run.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=positive, default=1, help="worker processes, one thread each (default: 1)")
    where.add_argument("--dask", metavar="ADDRESS", help="of a Dask scheduler, whose workers do the trials")
    where.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="cuda: groups of trials in one pass")
    run.set_defaults(command=_study_run)
    status = commands.add_parser("status", help="say how many trials are done, missing and out of date")
    status.set_defaults(command=_study_status)
    merge = commands.add_parser("merge", help="put all current records into the file in data/results/studies")
    merge.set_defaults(command=_study_merge)
    for command in (run, status, merge):
        known = ", ".join(STUDIES) or "none yet"
        command.add_argument("name", metavar="NAME", choices=tuple(STUDIES), help=f"of the study ({known})")
        command.add_argument("--network", required=True, help="a shipped network, or your own YAML file")
        command.add_argument(
            "--source",
            choices=("bulletin", "simulated", "measured", "waveform"),
            default="bulletin",
            help="default: bulletin",
        )
        command.add_argument("--profile", choices=("quick", "paper"), default="paper", help="default: paper")


def _data_build(arguments):
    from seisbook.catalogues import regions

    if regions.is_region(arguments.network):
        return _fields_build(arguments)
    from seisbook.datasets import build, fetched, fetched_events, recordings

    if arguments.source in (None, "measured"):
        raise UserError(f"{arguments.network}: a network: give --source bulletin, simulated or waveform")
    own_files = arguments.catalogue or arguments.waveforms or arguments.inventory
    what = arguments.network, arguments.out, arguments.events, arguments.seed
    if recordings.are_known(arguments.network, arguments.source, own_files):
        return _describe(recordings.build(*what))
    if fetched.are_wanted(arguments.network, arguments.source, own_files):
        return _describe(fetched_events.build(*what))
    out = build.build(
        arguments.network,
        arguments.source,
        arguments.out,
        n_events=arguments.events,
        random_state=arguments.seed,
        n_jobs=arguments.jobs,
        catalogue_files=arguments.catalogue,
        waveform_folder=arguments.waveforms,
        inventory_file=arguments.inventory,
    )
    return _describe(out)


def _fields_build(arguments):
    from seisbook.datasets import fields

    if arguments.source in ("bulletin", "waveform"):
        raise UserError(f"{arguments.network}: a region: give --source measured or simulated")
    if arguments.catalogue or arguments.waveforms or arguments.inventory:
        raise UserError(f"{arguments.network}: a region: --catalogue, --waveforms and --inventory go with networks")
    source, size = arguments.source or "measured", arguments.events
    return _describe(fields.build(arguments.network, source, arguments.out, size, arguments.seed))


def _data_info(arguments):
    return _describe(arguments.dataset)


def _describe(dataset):
    from seisbook.datasets import fields

    if fields.is_fields(dataset):
        print(fields.describe(dataset))
        return
    from seisbook.datasets.build import describe

    print(describe(dataset))


def _data_record(arguments):
    from seisbook.book import verification

    print(verification.record_data())


def _network_new(arguments):
    from seisbook.measures import network_report, new_network

    if arguments.out.suffix not in (".yaml", ".yml"):
        raise UserError(f"{arguments.out}: a network's file ends in .yaml: give such a name with --out")
    name = new_network.named(arguments.out)
    draft = new_network.draft(arguments.bulletin, arguments.stations, arguments.velocity, name)
    report = network_report.write(draft, arguments.out)
    print(f"{network_report.as_text(draft)}\nwritten: {arguments.out}, and this report: {report}")


def _evaluate(arguments):
    from seisbook.datasets import measured
    from seisbook.measures import evaluation
    from seisbook.studies import runs

    errors = runs.evaluate(arguments.checkpoint, arguments.dataset)
    summary = evaluation.summarise_errors(errors)
    amplitudes = runs.amplitudes(arguments.checkpoint, errors.index, arguments.dataset)
    if arguments.json:
        print(json.dumps({**summary, "amplitudes": amplitudes}, indent=1))
    else:
        print(f"{evaluation.describe(summary)}\namplitudes       {measured.describe(amplitudes)}")


def _shake(arguments):
    from seisbook.figures import shaking as drawing
    from seisbook.measures import shaking
    from seisbook.studies import field_runs

    drawing.check_names(arguments.out)
    origin = arguments.epicentre, arguments.depth, arguments.magnitude
    found = shaking.draw(field_runs.find(arguments.model), arguments.event, *origin, arguments.reach)
    paths = drawing.write(found, arguments.out, arguments.measure)
    print(shaking.describe(found, arguments.measure), *(f"written     {path}" for path in paths), sep="\n")


def _study_run(arguments):
    from seisbook.studies import own_bulletins, runner

    own_bulletins.refuse_unfit(arguments.name, arguments.network, arguments.source)
    how = {"n_jobs": arguments.jobs, "dask": arguments.dask, "device": arguments.device}
    status = runner.run(*_study(arguments), **how)
    for trial, message in status.failures:
        print(f"seisbook: {json.dumps(trial)}: {message}", file=sys.stderr)
    print(status)
    return 1 if status.missing else 0


def _study_status(arguments):
    from seisbook.studies import runner

    print(runner.status(*_study(arguments)))


def _study_merge(arguments):
    from seisbook.studies import runner

    print(runner.merge(*_study(arguments)))


def _study(arguments):
    from seisbook.studies import runner

    runner.check_source(arguments.name, arguments.network, arguments.source)
    return runner.find(arguments.name), arguments.network, arguments.source, arguments.profile


def _results(arguments):
    if arguments.record is not None:
        return _record(arguments.record)
    if arguments.check or arguments.renew or arguments.verify is not None:
        return _upkeep(arguments)
    from seisbook.findings import results

    entries = results.results(arguments.profile)
    print(results.as_json(entries) if arguments.json else results.table(entries))


def _record(names):
    from seisbook.findings import summaries

    for name in names or summaries.SUMMARIES:
        print(summaries.record(name))


def _upkeep(arguments):
    from tqdm import tqdm

    from seisbook.book import upkeep

    if arguments.renew:
        return upkeep.renew()
    if arguments.verify is not None:
        text, refuted = upkeep.verify(arguments.verify)
        print(text)
        return 1 if refuted else 0
    gc.disable()  # a few seconds, a million small objects and hardly a circle among them: a fifth of the time
    try:
        found = list(tqdm(upkeep.steps(), desc="records", unit="step", leave=False, disable=None))
    finally:
        gc.enable()
    print(upkeep.report(found))
    return 1 if any(state.name != "current" for step in found for state in step.files.values()) else 0


def _claims(arguments):
    from dataclasses import asdict

    from seisbook.findings import claims, results

    found = claims.claims(*arguments.id)
    if arguments.explain:
        from seisbook.book import explained

        print(explained.explain(found))
        return
    if not arguments.json:
        print(claims.table(found).to_string())
        return
    finite = [{k: None if v in (math.inf, -math.inf) or v != v else v for k, v in asdict(one).items()} for one in found]
    print(results.as_json(finite))  # JSON has no infinity and no NaN


def _ask(arguments):
    from seisbook.findings import asking

    index = asking.find_index(arguments.network, arguments.source)
    for warning in asking.warnings(index, *arguments.question):
        print(f"warning: {warning}", file=sys.stderr)
    print(asking.answer(index, *arguments.question, n=arguments.events))
    print(asking.precision(index, *arguments.question, n=arguments.events))


def _book_run(arguments):
    from seisbook.book import chapters

    for path in chapters.run(_chosen(arguments), arguments.profile, dict(arguments.p), n_jobs=arguments.jobs):
        print(path)


def _book_publish(arguments):
    from seisbook.book import verification

    for chapter in _chosen(arguments):
        print(verification.publish(chapter))


def _chosen(arguments):
    from seisbook.book import chapters

    return [chapters.find_chapter(number) for number in arguments.chapter] if arguments.chapter else chapters.chapters()


def _workshop_learners(arguments):
    from seisbook.book import workshop

    print(*workshop.learners(), sep="\n")


def _workshop_teachers(arguments):
    from seisbook.book import workshop

    print(*workshop.teachers(_chosen(arguments), n_jobs=arguments.jobs), sep="\n")


def _workshop_project(arguments):
    from seisbook.book import project

    print(*project.make(), sep="\n")


def _workshop_score(arguments):
    from seisbook.book import project

    print(project.score(arguments.answer, arguments.truth))


def _workshop_zip(arguments):
    from seisbook.book import workshop

    path = workshop.pack()
    print(f"{path} ({path.stat().st_size / 1e6:.0f} MB)")


def _doctor(arguments):
    from seisbook.book import doctor

    found = doctor.examine()
    print(doctor.report(found))
    return 1 if any(finding.needed and not finding.well for finding in found) else 0


def _book_build(arguments):
    from seisbook.book import binding

    if arguments.to == "html":
        print(binding.html(arguments.outputs or "quick", arguments.repository, arguments.site))
    else:
        make = {"zip": binding.archive, "pdf": binding.pdf}[arguments.to]
        print(make(arguments.outputs or "committed"))


def _book_translate(arguments):
    from seisbook.book import translation

    sources = translation.source_messages(arguments.language)
    translation.update(arguments.language, sources)
    missing = translation.missing(arguments.language, sources)
    print("\n".join([*missing, f"{len(missing)} messages to translate in locale/{arguments.language}"]))


if __name__ == "__main__":
    sys.exit(main())
