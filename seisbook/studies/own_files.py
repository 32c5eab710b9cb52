"""The files that the chapter about a reader's own network goes through: his own, or those of the simulated atoll.

Everything after these files is the same for both. What the chapter knows of the atoll and of no real network is the
truth, `OwnFiles.reality`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from seisbook.catalogues import networks, quakeml
from seisbook.catalogues.formats import UnknownFormat, format_of
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.networks import Network
from seisbook.datasets import build
from seisbook.datasets.waveforms import event_files
from seisbook.measures import network_report, new_network
from seisbook.studies import new_locations, own_network, own_robust

SHOWN = 8  # located events that the chapter prints


@dataclass(frozen=True)
class OwnFiles:
    """A network's description and its bulletin, perhaps with waveforms.

    Parameters
    ----------
    network : Path
        YAML file.
    catalogue : Path
    source : {"bulletin", "waveform"}
    reality : Network or None
        The network that a simulated bulletin was made with; None of a real one.
    draft : seisbook.measures.new_network.Draft or None
        Of a description that was made from the bulletin.
    waveforms, inventory : Path or None
        Folder of waveform files, and StationXML with the instruments' responses.
    """

    network: Path
    catalogue: Path
    source: str = "bulletin"
    reality: Network | None = None
    draft: new_network.Draft | None = None
    waveforms: Path | None = None
    inventory: Path | None = None

    @property
    def said(self) -> str:
        """What the run is about, in MyST Markdown."""
        if self.reality is not None:
            return _box("warning", "This run shows a simulated network", SIMULATED)
        network = "is your file" if self.draft is None else "was made from the bulletin"
        traces = "recorded" if self.source == "waveform" else "rendered from the readings"
        name = self.catalogue.name.replace("`", "'")
        return _box("note", "This run shows your files", OWN.format(name=name, network=network, traces=traces))

    def dataset(self, out, n_events=None, random_state=0) -> Path:
        """Seismograms and labels of the first events of the bulletin, see `seisbook.datasets.build.build`."""
        return build.build(
            self.network,
            self.source,
            out,
            n_events=n_events,
            random_state=random_state,
            catalogue_files=[self.catalogue],
            waveform_folder=self.waveforms,
            inventory_file=self.inventory,
            progress=False,
        )

    def bulletin(self, n_events=None):
        """The first events of the bulletin, with the readings at known stations, as a catalogue."""
        return build.read(networks.load(self.network), self.source, n_events, 0, [self.catalogue])


SIMULATED = """\
There are no real earthquakes in it. The simulated network differs from the description in what no description knows
beforehand: each station amplifies and delays waves in its own way. The hypocentres are exact, which no real bulletin's
are. So all errors below are smaller than yours will be. You can reuse the procedure, but not the numbers."""
OWN = """\
The bulletin is `{name}`, the description {network}, and the seismograms are {traces}. Nobody knows the truth about your
network. What the text says about the atoll was found in a run with the simulated network."""


def _box(kind, title, text):
    return f":::{{admonition}} {title}\n:class: {kind}\n\n{text}\n:::"


def of_reader(folder, catalogue, network_file="", stations="", waveforms="") -> OwnFiles:
    """A reader's files; without a description of the network, one is made of the bulletin.

    Parameters
    ----------
    folder : path
        For the description and its report.
    catalogue : path
        Bulletin in any format of `seisbook.catalogues.bulletins.read_catalogue`.
    network_file : path, optional
    stations : path, optional
        Station file. If it is StationXML with responses, these are removed from the waveforms.
    waveforms : path, optional
        Folder of waveform files, each name beginning with its event's `source_id`. Else seismograms are rendered.

    Raises
    ------
    UserError, DataError
        If a file cannot be read, or the bulletin has too little to describe a network by.
    """
    path, draft, how = Path(network_file), None, {}
    if not network_file:
        path = Path(folder) / f"{new_network.named(catalogue)}.yaml"
        draft = new_network.draft([Path(catalogue)], stations or None, name=path.stem)
        network_report.write(draft, path)
    if waveforms:
        responses = Path(stations) if stations and _is_station_xml(stations) else None
        how = {"source": "waveform", "waveforms": Path(waveforms), "inventory": responses}
    return OwnFiles(path, Path(catalogue), draft=draft, **how)


def _is_station_xml(path):
    try:
        return format_of(path, "inventory") == "STATIONXML"
    except UnknownFormat:
        return False


def description(files: OwnFiles, folder) -> pd.DataFrame:
    """What a description measured on the bulletin says: beside the truth of the atoll, or beside the reader's own.

    Parameters
    ----------
    files : OwnFiles
    folder : path
        Where `stations.csv` of the atoll lies.
    """
    if files.draft is not None:
        return own_network.described(measured=files.draft.network)
    if files.reality is None:
        return own_network.described(given=networks.load(files.network))
    draft = new_network.draft([files.catalogue], Path(folder) / "stations.csv", name="measured")
    return own_network.described(measured=draft.network, true=files.reality)


# ---------------------------------------------------------------------------------------------------- the robust model


def robust_model(files: OwnFiles, dataset, n_events, profile, folder) -> Path:
    """Train the robust model of the network: on its twin, and on the dataset if it has enough events.

    Parameters
    ----------
    files : OwnFiles
    dataset : path
    n_events : int
        Events of the dataset.
    profile : {"quick", "paper"}
    folder : path
        Where the model is kept.
    """
    enough = n_events >= own_robust.fewest(own_robust.RECIPES[profile].training)
    return own_robust.train(files.network, dataset if enough else None, profile, False, folder=folder)


def unlocated(files: OwnFiles, bulletin, held, folder) -> list[Path]:
    """Files of events that are located as new ones: waveforms, or picks, whose hypocentres are not looked at.

    Parameters
    ----------
    files : OwnFiles
    bulletin : Catalogue
    held : array of str
        Names of the events.
    folder : path
        Where the picks are written.
    """
    if files.waveforms:
        found = event_files(files.waveforms, bulletin)
        traces = [path for name in held for path in found.get(name, ())]
        return [*traces, *([files.inventory] if files.inventory else [])]
    chosen = bulletin.select(np.isin(bulletin.events.index, held))
    return [quakeml.write(chosen, Path(folder) / "new.xml")]


def located(model, inputs, bulletin) -> pd.DataFrame:
    """The first new events as a model locates them, beside their bulletin and with a second opinion on each.

    Parameters
    ----------
    model : path
    inputs : list of path
        Of `unlocated`.
    bulletin : Catalogue
        Each event is compared with that of the nearest origin time.
    """
    with new_locations.opened(model, inputs, ["classical"], progress=False) as new:
        found = [pair for pair, _ in zip(new.events, range(SHOWN), strict=False)]
    table = new_locations.table(found).drop(columns=["event", "ellipse (km)", "scatter (s)"])
    away = [f"{_apart(one, bulletin.events):.1f} km" for one, _ in found]
    table.insert(5, "bulletin is away by", away)
    return table.set_index("origin time")


def _apart(one, events):
    """Distance in km between a location and the bulletin's epicentre of the event with the nearest origin time."""
    nearest = events.iloc[(events.source_origin_time - one.time).abs().argmin()]
    place = nearest.source_latitude_deg, nearest.source_longitude_deg
    return float(np.hypot(*azimuthal_equidistant(*place, (one.latitude, one.longitude))))
