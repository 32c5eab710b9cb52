"""From a network and a source to a dataset on disk: the one path that all three sources take."""

from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed

import seisbook
from seisbook.catalogues import bulletins, networks, sources
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.formats import read_file
from seisbook.catalogues.networks import Network
from seisbook.catalogues.remarks import event_left_out
from seisbook.datasets import fetched, known_recordings, measured, store, waveforms
from seisbook.datasets.store import EventRecord
from seisbook.errors import DataError, UserError
from seisbook.files import check_space
from seisbook.physics import missing_readings, rendering, simulation
from seisbook.physics.traveltimes import TravelTimes
from seisbook.provenance import code_version, stage

BLOCK = 64  # events a worker is handed at a time: bounds what waits in memory
SIMULATED_EVENTS = 1000
REMARKS = 10  # that a description of a dataset prints
STATION_COLUMNS = {
    "network": "station_network_code",
    "latitude": "station_latitude_deg",
    "longitude": "station_longitude_deg",
    "elevation_m": "station_elevation_m",
    "position_from": "station_position_from",
}


def read(network, source, n_events=None, random_state=0, files=None) -> Catalogue:
    """Return the catalogue of a network from one source.

    Parameters
    ----------
    network : Network
    source : {"bulletin", "simulated", "waveform"}
    n_events : int, optional
        The first so many events; all if not given (of a simulation: 1,000).
    random_state : int
        Of the simulation.
    files : list of path, optional
        The user's own catalogue instead of the shipped bulletin.

    Raises
    ------
    UserError
        If the source cannot give what is asked for.
    """
    if files and source == "simulated":
        raise UserError("a catalogue file goes with --source bulletin or waveform, not with simulated")
    if source == "simulated":
        return simulation.simulate(network, n_events or SIMULATED_EVENTS, random_state, progress=True)
    if files:
        catalogue = _read_files(network, source, files)
    else:
        catalogue = _read_waveform_catalogue(network) if source == "waveform" else bulletins.read_bulletin(network)
    return catalogue.head(n_events) if n_events else catalogue


@stage
def _read_files(network, source, files):
    """One catalogue of the user's own files; the events that are built of it are the input of what comes after."""
    catalogue = bulletins.read_files(files, network)
    catalogue.source = source
    return catalogue


@stage
def _read_waveform_catalogue(network):
    """The catalogue of the recorded seismograms that the book knows, from which `load_events` builds its input."""
    if fetched.are_wanted(network.name, "waveform"):
        return fetched.catalogue(network.name)
    if network.name not in known_recordings.SOURCES:
        raise UserError(f"the book has no waveforms of {network.name}: give yours with --catalogue and --waveforms")
    return known_recordings.SOURCES[network.name].catalogue(sources.folder(network.name))


def read_available(network, source, n_events, random_state=0) -> Catalogue:
    """The network's real catalogue if it is asked for and on this machine, else `n_events` of its simulated twin."""
    if source != "simulated" and sources.is_available(network.name):
        return read(network, source)
    return simulation.simulate(network, n_events, random_state)


def provenance(catalogues) -> str:
    """A note, in MyST Markdown, that says which of the catalogues are real and which are simulated."""
    simulated = any(one.source == "simulated" for one in catalogues)
    title, kind = (
        ("This run shows simulated data", "warning") if simulated else ("This run shows real readings", "note")
    )
    lines = [
        f"- **{one.network}**: {len(one):,} {'simulated' if one.source == 'simulated' else 'real'} events"
        for one in catalogues
    ]
    advice = (
        "Real readings are not on this machine, or were not asked for; the simulated twin stands in for them. "
        "To run on the real bulletins, fetch them once with `seisbook data fetch`."
    )
    rendered_note = "Their seismograms are rendered, unless a caption says recorded."
    return "\n".join(
        [f":::{{admonition}} {title}", f":class: {kind}", *lines, "", advice if simulated else rendered_note, ":::"]
    )


def example_event(catalogue, network, random_state=0, stations=12) -> dict:
    """One clear event, rendered, as the arguments of `seisbook.figures.seismograms.record_section`.

    It is the largest of the events that have the median number of stations or more, at most `stations`.
    """
    counts = catalogue.readings.groupby("source_id").station_code.nunique()
    clear = counts[(counts >= counts.median()) & (counts <= stations)].index
    chosen = catalogue.events.source_magnitude[clear].idxmax()
    one = catalogue.select([catalogue.events.index.get_loc(chosen)])
    record = next(rendered(one, network, random_state))
    rate = network.window.sampling_rate_hz
    return {
        "traces": record.waveforms[:, 0],
        "codes": record.traces.station_code.tolist(),
        "distance_km": record.traces.path_ep_distance_km,
        "p_s": record.traces.trace_p_arrival_sample / rate,
        "s_s": record.traces.trace_s_arrival_sample / rate,
        "sampling_rate_hz": rate,
    }


def with_context(readings, catalogue, network) -> pd.DataFrame:
    """Readings with the columns of their station and of their event: what a trace's metadata are made of."""
    stations = network.station_table()[list(STATION_COLUMNS)].rename(columns=STATION_COLUMNS)
    return readings.join(stations, on="station_code").join(catalogue.events, on="source_id")


def with_onsets(catalogue) -> Catalogue:
    """The catalogue without the events of which only amplitudes were read: all onsets would follow from the label."""
    onsets = catalogue.readings[["path_p_travel_s", "path_s_travel_s"]].notna().any(axis=1)
    has_onset = onsets.groupby(catalogue.readings.source_id).any().reindex(catalogue.events.index, fill_value=True)
    found = catalogue.select(has_onset.to_numpy())
    lost = has_onset.index[~has_onset]
    found.skipped = [*catalogue.skipped, *(event_left_out(name, "only amplitudes of it were read") for name in lost)]
    return found


def rendered(catalogue, network, random_state=0, n_jobs=1):
    """Yield an `EventRecord` for each event, rendered; the same bytes whatever the number of workers.

    An event without a reading yields nothing; `catalogue.skipped` names it.
    """
    silent = catalogue.events.index.difference(catalogue.readings.source_id)
    catalogue.skipped += [f"{name}: event left out: no station of the network read it" for name in silent]
    readings = missing_readings.complete_readings(catalogue, network, TravelTimes(network.velocity_model), random_state)
    readings = with_context(readings, catalogue, network)
    events = [rows for _, rows in readings.groupby("source_id", sort=False)]
    with Parallel(n_jobs=n_jobs) as workers:
        for first in range(0, len(events), BLOCK * n_jobs):
            block = events[first : first + BLOCK * n_jobs]
            for made in workers(delayed(rendering.render_event)(rows, network.window, random_state) for rows in block):
                yield _record(*made)


def recorded(catalogue, network, folder, inventory=None, random_state=0):
    """Yield an `EventRecord` for each event that has waveform files in `folder`."""
    files = waveforms.event_files(folder, catalogue)
    catalogue.skipped += waveforms.files_of_no_event(folder, catalogue)
    events = waveforms.iterate(catalogue, files, network, network.window, inventory, random_state)
    for source_id, readings, traces, start in events:
        yield _record(source_id, with_context(readings, catalogue, network), traces, start)


def _record(source_id, rows, traces, start_s):
    rows = rows.assign(trace_start_time=rows.source_origin_time + pd.Timedelta(seconds=start_s))
    return EventRecord(source_id, rows, traces)


def _read_inventory(path):
    try:
        return read_file(path, "inventory")
    except Exception as error:  # ObsPy raises whatever its format readers raise
        raise DataError(f"{path}: not an inventory that ObsPy reads ({error}): give a StationXML file") from None


def build(
    network,
    source,
    out,
    n_events=None,
    random_state=0,
    n_jobs=1,
    catalogue_files=None,
    waveform_folder=None,
    inventory_file=None,
    progress=True,
) -> Path:
    """Make a dataset.

    Parameters
    ----------
    network : Network, str or path
        It, the name of a shipped one, or a YAML file.
    source : {"bulletin", "simulated", "waveform"}
    out : path
        Folder to make.
    n_events, random_state, n_jobs, catalogue_files, waveform_folder, inventory_file, progress
        As for the command line: `seisbook data build --help`.

    Returns
    -------
    Path
        The folder.
    """
    _check_options(source, catalogue_files, waveform_folder, inventory_file)
    store.writable(out)
    remarks = []
    if not isinstance(network, Network):
        network, remarks = networks.load(network), networks.station_remarks(network)
    catalogue = read(network, source, n_events, random_state, catalogue_files)
    catalogue.skipped = remarks + catalogue.skipped
    if source == "waveform":
        inventory = _read_inventory(inventory_file) if inventory_file else None
        folder = waveform_folder or sources.folder("iceland")
        events = recorded(catalogue, network, folder, inventory, random_state)
    else:
        catalogue = with_onsets(catalogue)
        samples = network.window.length_s * network.window.sampling_rate_hz
        check_space(out, store.size_of(len(catalogue.readings), samples))
        events = rendered(catalogue, network, random_state, n_jobs)
    about = card(
        catalogue, network, random_state, unit="counts" if source == "waveform" and not inventory_file else "nm"
    )
    return store.write(events, out, about, network.window.sampling_rate_hz, len(catalogue), progress)


def _check_options(source, catalogue_files, waveform_folder, inventory_file):
    if source != "waveform" and (waveform_folder or inventory_file):
        raise UserError(f"--waveforms and --inventory go with --source waveform, not with {source}")
    if source == "waveform" and catalogue_files and not waveform_folder:
        raise UserError("--catalogue with --source waveform: give the folder of its files with --waveforms")
    if waveform_folder and not Path(waveform_folder).is_dir():
        raise UserError(f"{waveform_folder}: no such folder of waveforms: check the path")


def card(catalogue, network, random_state, unit="nm") -> dict:
    """Provenance of a dataset, for `seisbook.datasets.store.write`."""
    return {
        "network": network.name,
        "source": catalogue.source,
        "unit": unit,
        "centre": network.centre,
        "window_s": network.window.length_s,
        "sampling_rate_hz": network.window.sampling_rate_hz,
        "random_state": random_state,
        "seisbook": seisbook.__version__,
        "code": code_version(),
        "magnitude_types": _counts(catalogue.events.source_magnitude_type[catalogue.events.source_magnitude.notna()]),
        **({} if catalogue.source == "waveform" else {"amplitudes": _amplitudes(catalogue)}),
        "skipped": catalogue.skipped,
    }


def _counts(values):
    return {name: int(number) for name, number in values.value_counts().items()}


def _amplitudes(catalogue):
    """How many amplitudes of the dataset were read, and how many will be predicted, see `missing_readings`."""
    read = "simulated" if catalogue.source == "simulated" else "observed"
    are_read = catalogue.readings.trace_amplitude_nm > 0
    return _counts(are_read.map({True: read, False: measured.PREDICTED}))


def describe(path) -> str:
    """What a dataset holds, in a few lines."""
    from seisbook.datasets.opening import open_dataset  # loads SeisBench, and with it PyTorch

    opened = open_dataset(path)
    about, traces = opened.card, opened.metadata[opened.metadata.source_id.notna()]
    events = traces.drop_duplicates("source_id")
    stations = traces.groupby("source_id").size()
    magnitude = events.source_magnitude.dropna()
    made_by = f"{about['network']}, source {about['source']}" if about else "made by another program"
    codes = f"; {traces.station_code.nunique()} stations" if "station_code" in traces else ""
    lines = [
        f"{path}: {made_by}, {len(events)} events, {len(traces)} traces",
        f"stations per event  {stations.min()} to {stations.max()}, median {stations.median():.0f}{codes}",
        f"magnitude           {_range(magnitude)}; none for {len(events) - len(magnitude)} events{_types(events)}",
        f"depth (km)          {_range(events.source_depth_km)}",
        *(f"{wave.upper()} onsets            {_onsets(traces, wave)}" for wave in "ps"),
        f"amplitudes          {measured.describe(measured.counts(traces))}",
        f"window              {_window(opened)}",
        *(_remarks(about["skipped"]) if "skipped" in about else ()),
    ]
    return "\n".join(lines)


def _types(events):
    """Which magnitudes were taken, and of how many events; empty if the dataset does not say."""
    if "source_magnitude_type" not in events:
        return ""
    counts = events.source_magnitude_type[events.source_magnitude.notna()].astype(object).fillna("").value_counts()
    return "".join(f"; {number} {name or 'of a type not stated'}" for name, number in counts.items())


def _onsets(traces, wave):
    """Number of onsets of each status; of those in the window, where the dataset does not tell statuses apart."""
    if f"trace_{wave}_status" not in traces:
        return f"{traces[f'trace_{wave}_arrival_sample'].notna().sum()}"
    return ", ".join(f"{n} {name}" for name, n in traces[f"trace_{wave}_status"].value_counts().items())


def _window(opened):
    rates = " and ".join(f"{rate:g}" for rate in sorted(opened.metadata.trace_sampling_rate_hz.dropna().unique()))
    length = f"{opened.card['window_s']:g} s at " if "window_s" in opened.card else ""
    return f"{length}{rates} Hz, unit {opened.unit or 'not stated'}"


def _remarks(skipped):
    more = f", of which dataset.json has {len(skipped) - REMARKS} more" if len(skipped) > REMARKS else ""
    return [f"remarks             {len(skipped)}{more}", *(f"  {line}" for line in skipped[:REMARKS])]


def _range(values):
    if not len(values):
        return "none"
    low, middle, high = np.percentile(values, [0, 50, 100])
    return f"{low:.1f} to {high:.1f}, median {middle:.1f}"
