"""Which studies can be run on the bulletin of a user's own network, and why others cannot.

The network's file names its bulletin, see `seisbook.catalogues.networks.bulletin_of`. The folds are those of this
bulletin, by the rule of `seisbook.measures.splits`.
"""

from seisbook.catalogues import bulletins, networks
from seisbook.errors import UserError

POSSIBLE = (
    *("ablations", "augmentation", "imbalance-robust", "robust", "smoothing", "smoothing-robust"),
    *("variance", "variance-robust"),
)
"""Studies that need events with their folds, and a twin, and nothing that only a shipped network has."""
INSTEAD = {
    "transfer": "it compares the two shipped networks; chapter 7 compares the starts on your files",
    "transfer-robust": "it compares the two shipped networks; chapter 7 compares the starts on your files",
    "associators": "it compares with records of shipped networks; `seisbook locate --beside pyocto` asks PyOcto",
    "robustness": "it tests published models; the study robust breaks the same things on your events",
    "robustness-peers": "it tests published models; the study robust breaks the same things on your events",
    "peers-robust-stem": "it compares with published models; the study smoothing-robust trains on your events",
    "imbalance": "it needs a published model of another network; take imbalance-robust",
    "real": "it needs recorded seismograms: take `seisbook data build --source waveform` and `seisbook evaluate`",
}
"""Why a study is not possible, and what is."""
FEWEST = 80  # events: a fifth is held back, and the others make two batches
FEWEST_MAGNITUDES = {"imbalance-robust": 80}  # events with a magnitude


def refuse_unfit(study, network, source) -> None:
    """Refuse a study that cannot be run on the bulletin of an own network; shipped networks and twins pass.

    Parameters
    ----------
    study : str
    network : str
        Name of a shipped network, or path of a YAML file.
    source : str

    Raises
    ------
    UserError
        If the study, the network's file or its bulletin lacks something. The message says what, and what to do.
    """
    if source != "bulletin" or not str(network).endswith((".yaml", ".yml")):
        return
    if study not in POSSIBLE:
        why = INSTEAD.get(study, "it needs texts, models or records that only shipped networks have")
        raise UserError(f"study {study} cannot be run on a bulletin of your own: {why}")
    place = networks.load(network)
    files = networks.bulletin_of(place)
    if not files:
        raise UserError(f"{network}: bulletin: there is none: add a line such as `bulletin: events.xml`")
    if not place.zones:
        raise UserError(
            f"{network}: zones: there are none, and the twin needs them: copy those of `seisbook network new`"
        )
    _refuse_few(study, bulletins.read_bulletin(place), files[0])


def _refuse_few(study, catalogue, path):
    events = catalogue.events[catalogue.events.index.isin(catalogue.readings.source_id)]
    counts = {"events with readings": len(events), "magnitudes": int(events.source_magnitude.notna().sum())}
    needed = {"events with readings": FEWEST, "magnitudes": FEWEST_MAGNITUDES.get(study, 0)}
    for name, count in counts.items():
        if count < needed[name]:
            raise UserError(
                f"{path}: {count} {name} are too few for the study {study} ({needed[name]} are needed): give a longer "
                "bulletin, or --source simulated"
            )
