"""`seisbook data fetch`: registered files by hash, and the seismograms of a bulletin's events from a data centre."""

import argparse
from pathlib import Path

from seisbook.commands.arguments import positive
from seisbook.errors import UserError

EXAMPLES = """\
examples:
  # the bulletins and records that the book is tested on
  seisbook data fetch

  # real seismograms of the first hundred events of Ridgecrest, then a dataset of them
  seisbook data fetch ridgecrest --waveforms --events 100
  seisbook data build --network ridgecrest --source waveform --out real-ridgecrest

  # of your own network and catalogue; stop it at any time, and the same command goes on
  seisbook data fetch my_network.yaml --waveforms --catalogue events.xml --server EARTHSCOPE --out records
  seisbook data build --network my_network.yaml --source waveform --catalogue events.xml \\
      --waveforms records --inventory records/responses.xml --out mine
"""


def add_options(parser) -> None:
    """Give the command's parser its options."""
    parser.epilog, parser.formatter_class = EXAMPLES, argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="networks and regions (default: all networks)")
    parser.add_argument("--network", help="the same for one network")
    own = parser.add_argument_group("seismograms from a data centre")
    own.add_argument("--waveforms", action="store_true", help="of the events of one network's bulletin")
    own.add_argument("--server", help="address, or a name that ObsPy knows, of an FDSN server (default: the network's)")
    own.add_argument("--events", type=positive, help="the first so many (default: all)")
    own.add_argument("--catalogue", type=Path, nargs="+", help="your own catalogue file(s); needs --out")
    own.add_argument("--out", type=Path, help="folder for the records of your own catalogue")
    parser.set_defaults(command=run)


def run(arguments) -> int:
    """Carry out the command; 1 if the records of some events could not be fetched."""
    names = [*arguments.names, *([arguments.network] if arguments.network else [])]
    if arguments.waveforms:
        return _waveforms(names, arguments)
    if arguments.server or arguments.events or arguments.catalogue or arguments.out:
        raise UserError("--server, --events, --catalogue and --out go with --waveforms")
    return _files(names)


def _files(names):
    from seisbook.catalogues import regions, sources, strong_motion

    networks = [name for name in names if not regions.is_region(name)]
    paths = [path for name in (networks if names else [None]) for path in sources.fetch_all(name)]
    if paths:
        print(f"{len(paths)} files, all with the registered hash")
    if len(networks) < len(names):
        count = len(strong_motion.read(strong_motion.fetch()).events)
        print(f"strong motion of {count} events, with the registered content")
    return 0


def _waveforms(names, arguments):
    from seisbook.catalogues import networks
    from seisbook.datasets import build, fetching

    if len(names) != 1:
        raise UserError("--waveforms: name one network, such as `seisbook data fetch ridgecrest --waveforms`")
    if bool(arguments.catalogue) != bool(arguments.out):
        raise UserError("--catalogue and --out go together: the folder is for the records of your own catalogue")
    network = networks.load(names[0])
    catalogue = build.read(network, "bulletin", arguments.events, files=arguments.catalogue)
    outcome = fetching.fetch(network, catalogue, arguments.server, arguments.out)
    print(outcome)
    return 1 if outcome.failed else 0
