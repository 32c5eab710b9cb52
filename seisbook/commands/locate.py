"""The command `seisbook locate`: new events by a robust model, with second opinions and a map."""

import json
import sys
from pathlib import Path

from seisbook.commands.arguments import named
from seisbook.errors import UserError


def add_options(parser) -> None:
    """Give a parser the options of the command."""
    parser.description = "Locate and size new events by a robust model; labels in a dataset are not looked at."
    said = "a dataset; catalogues with picks, which are rendered; or files and folders of waveforms and StationXML"
    parser.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help=said)
    parser.add_argument("--model", required=True, type=named, help="such as data/models/colombia-robust-random-0")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each event, with its arrivals")
    parser.add_argument(
        "--lines",
        type=named,
        metavar="FILE",
        help="write these lines to a file, and no table; given again after a stop, the command goes on with the rest",
    )
    parser.add_argument("--quakeml", type=Path, metavar="FILE", help="write QuakeML with uncertainties and arrivals")
    parser.add_argument("--check", action="store_true", help="ask the classical locator about the model's own onsets")
    parser.add_argument("--beside", choices=("pyocto",), help="locate your own picks by PyOcto, too")
    parser.add_argument(
        "--map",
        type=named,
        metavar="FILE.png",
        help="draw ellipse and stations; a file for each event if there are more",
    )
    parser.set_defaults(command=_locate)


def _locate(arguments):
    from seisbook.catalogues import located_quakeml
    from seisbook.figures import located
    from seisbook.studies import location_lines, new_locations

    if arguments.map:
        located.check_name(arguments.map)
    if arguments.lines and (arguments.json or arguments.quakeml or arguments.map):
        raise UserError("--lines goes without --json, --quakeml and --map, which keep all events in memory")
    methods = [*(["classical"] if arguments.check else []), *([arguments.beside] if arguments.beside else [])]
    if arguments.lines:
        count = location_lines.write(arguments.model, arguments.inputs, arguments.lines, methods)
        print(f"{arguments.lines}: {count} events located", file=sys.stderr)
        return
    found, drawn = [], []
    with new_locations.opened(arguments.model, arguments.inputs, methods) as new:
        for one, said in new.events:
            if arguments.json:
                print(json.dumps(new_locations.record(one, said)))
            if arguments.map:
                drawn.append((one.source_id, located.event_map(one, *new.drawing(one), new.network, said)))
            if arguments.quakeml or not arguments.json:
                found.append((one, said))
    if arguments.quakeml:
        written = located_quakeml.write([one for one, _ in found], arguments.quakeml, new_locations.PERCENT)
        print(written, file=sys.stderr)
    if arguments.map:
        print(*located.write(drawn, arguments.map), sep="\n", file=sys.stderr)
    if not arguments.json:
        print(new_locations.table(found).to_string(index=False))
