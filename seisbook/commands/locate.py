"""The command `seisbook locate`: new events by a robust model, with second opinions and a map."""

import json
import sys
from pathlib import Path

from seisbook.commands.arguments import named


def add_options(parser) -> None:
    """Give a parser the options of the command."""
    parser.description = "Locate and size new events by a robust model; labels in a dataset are not looked at."
    said = "a dataset; catalogues with picks, which are rendered; or files and folders of waveforms and StationXML"
    parser.add_argument("inputs", type=Path, nargs="+", metavar="INPUT", help=said)
    parser.add_argument("--model", required=True, type=named, help="such as data/models/colombia-robust-random-0")
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each event, with its arrivals")
    parser.add_argument("--quakeml", type=Path, metavar="FILE", help="write QuakeML with uncertainties and arrivals")
    parser.set_defaults(command=_locate)


def _locate(arguments):
    from seisbook.catalogues import located_quakeml
    from seisbook.measures import location
    from seisbook.studies import new_locations

    found = []
    with new_locations.opened(arguments.model, arguments.inputs) as new:
        for one in new.locations:
            if arguments.json:
                print(json.dumps(location.record(one)))
            if arguments.quakeml or not arguments.json:
                found.append(one)
    if arguments.quakeml:
        print(located_quakeml.write(found, arguments.quakeml, 100 * location.CONFIDENCE), file=sys.stderr)
    if not arguments.json:
        print(location.table(found).to_string(index=False))
