"""Recorded seismograms: miniSEED (or whatever ObsPy reads) cut to the same shape as rendered ones.

The Icelandic example (27 volcano-tectonic events, 12 stations) has its own reader; any archive with one or more files
per event goes the same way through `iterate`, which yields what `seisbook.physics.rendering.render_event` returns. Real
data come with faults, and none of them may pass silently. Gaps, NaN, dead channels and missing components are filled
with zeros and flagged in the rows. A file that cannot be read costs what it holds, a record that cannot be used costs
its station; both are remarks of the catalogue.
"""

import logging
import re
import warnings
from pathlib import Path

import numpy as np
import obspy
import pandas as pd
from obspy.io.mseed import InternalMSEEDWarning
from scipy.interpolate import make_interp_spline
from scipy.signal import butter, sosfilt, sosfiltfilt

from seisbook.catalogues.amplitudes import WOOD_ANDERSON_GAIN
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.formats import format_of, read_file
from seisbook.catalogues.geodesy import path_geometry
from seisbook.catalogues.plausibility import possible_catalogue
from seisbook.errors import DataError, UserError
from seisbook.physics.rendering import WOOD_ANDERSON_HZ, event_generator, steps

logger = logging.getLogger(__name__)
COMPONENTS = {"Z": 0, "3": 0, "N": 1, "1": 1, "E": 2, "2": 2}
"""Row of a component by the end of its channel. Of a letter and a digit for the same one, the letter counts."""
ENDINGS = {
    *("m", "ms", "msd", "mseed", "miniseed", "mini", "seed", "sac", "gse", "gse1", "gse2", "segy", "sgy", "su", "seg2"),
    *("sg2", "win", "gcf", "evt", "ah", "knt", "rt130", "rg16", "slist", "tspair", "sacxy", "wfdisc"),
}
"""Endings of the names of waveform files, in lower case. Other files count if their content is a waveform format."""
NEAR_S = 3600  # a record further away from the window is not merged with the rest
SLOWEST_HZ = 2 * WOOD_ANDERSON_HZ  # a slower record holds nothing of the band that amplitudes are taken from
FLAGS = ["trace_has_gap", "trace_is_flat", "trace_missing_components", "trace_missing_share"]
ICELANDIC_COLUMNS = {
    ".event": {"DT": "time", **dict.fromkeys(("X", "Y", "Z", "GAU_ErrX", "GAU_ErrY", "GAU_ErrZ", "ML"), "number")},
    ".picks": {"Station": "code", "Phase": "phase", "PickTime": "time", "PickError": "number", "Residual": "number"},
    ".amps": {"id": "channel", "S_amp": "number", "S_freq": "number"},
}
PATTERNS = {"code": r"\w+", "phase": "[PS]", "channel": r"\w+\.\w+\.\w*\.\w+"}


# ------------------------------------------------------------------------------------------------------------- archives


def iterate(catalogue, files, network, window, inventory=None, random_state=0):
    """Read the recorded seismograms of a catalogue, event by event.

    Parameters
    ----------
    catalogue : Catalogue
    files : dict of str to path or list of paths
        Waveform files of each event, as `event_files` finds them; events without any are left out.
    network : Network
        Its stations; every one that has data yields a row, read or not.
    window : Window
    inventory : obspy Inventory, optional
        Removes the instruments' responses: ground displacement above 1.25 Hz in nm. Without it, traces stay in raw
        counts (`trace_unit` says which).
    random_state : int
        Seed of the random lead of the window before the first onset.

    Yields
    ------
    source_id : str
    readings : DataFrame
        One row per station: the catalogue's columns (NaN and empty where nothing was read), `path_ep_distance_km`,
        `path_hyp_distance_km`, `path_azimuth_deg`, `trace_p_arrival_sample`, `trace_s_arrival_sample`, `trace_unit`,
        and the flags `trace_has_gap`, `trace_is_flat` (a dead component), `trace_missing_components` (number) and
        `trace_missing_share` (of the window's samples, with what lies before and after the record).
    waveforms : ndarray of float32, shape (stations, 3, samples)
        Z, N, E.
    window_start_s : float
        First sample, in seconds after the origin time.

    Notes
    -----
    Events, files and stations that cannot be used are added to `catalogue.skipped`.
    """
    for source_id, event in catalogue.events.iterrows():
        remarks = []
        try:
            yield _read_event(event, catalogue, files, network, window, inventory, random_state, remarks)
        except DataError as error:
            remarks.append(f"event left out: {error}")
        catalogue.skipped += [f"{source_id}: {line}" for line in remarks]


def event_files(folder, catalogue):
    """Waveform files of each event that has any: the name of a file is the `source_id`, a mark, and anything else.

    The file belongs to the longest `source_id` that fits: `e1_2.mseed` goes to the event `e1_2`, if there is one, else
    to `e1`. A file whose name has none of `ENDINGS` is taken if its content is a waveform format.
    """
    files = {}
    for path in sorted(Path(folder).iterdir()):
        source_id = _event_of(path, catalogue)
        if source_id is not None and _is_waveform_file(path):
            files.setdefault(source_id, []).append(path)
    return files


def files_of_no_event(folder, catalogue) -> list[str]:
    """A remark, if there are waveform files in a folder that are named after none of the catalogue's events."""
    others = (path for path in sorted(Path(folder).iterdir()) if _event_of(path, catalogue) is None)
    example = next(filter(_is_waveform_file, others), None)
    if example is None or not len(catalogue):
        return []
    wanted = _wanted_name(catalogue.events.index[0])
    return [f"{example}: file left out: its name begins with the source_id of no event: name it like {wanted}"]


def _event_of(path, catalogue):
    """The longest `source_id` with which a file's name begins, or None."""
    ends = [mark.start() for mark in re.finditer(r"[\W_]|$", path.name)]
    return next((path.name[:end] for end in reversed(ends) if path.name[:end] in catalogue.events.index), None)


def _is_waveform_file(path):
    if path.suffix[1:].lower() in ENDINGS or not path.is_file():
        return path.is_file()
    try:
        return bool(format_of(path, "waveform"))
    except (DataError, OSError):
        return False


def _wanted_name(source_id):
    return f"{source_id}.mseed, or {source_id}.STATION.SAC"


def _read_event(event, catalogue, files, network, window, inventory, random_state, remarks):
    source_id = event.name
    if source_id not in files:
        raise DataError(f"no waveform file is named after it: name it {_wanted_name(source_id)}")
    rows = catalogue.readings[catalogue.readings.source_id == source_id]
    first = rows[["path_p_travel_s", "path_s_travel_s"]].min(axis=None)
    if not np.isfinite(first):
        raise DataError("no onset was read, so that no window can be cut: add picks to its catalogue")
    start = first - event_generator(random_state, source_id, "waveforms").uniform(*window.lead_s)
    stream = _read_streams(np.atleast_1d(files[source_id]), remarks)
    origin = obspy.UTCDateTime(ns=event.source_origin_time.as_unit("ns").value)
    codes = [station.code for station in network.stations]
    if not any(trace.stats.station in codes for trace in stream):
        found = ", ".join(sorted({trace.stats.station or "one without a code" for trace in stream})[:5])
        raise DataError(f"its files hold {found}, no station of network {network.name}: check the station codes")
    waveforms, table = cut(stream, codes, origin + start, window, inventory, remarks)
    if not len(table):
        raise DataError("no station has a record that can be used: see the remarks on its stations")
    rows = _rows(source_id, event, rows, table, network, window, start)
    return source_id, rows, waveforms, float(start)


def _read_streams(paths, remarks):
    """The traces of all files that can be read."""
    stream = obspy.Stream()
    for path in paths:
        try:
            stream += read_stream(path)
        except DataError as error:
            remarks.append(f"file left out: {error}")
    if not stream:
        raise DataError("none of its waveform files can be read: copy or download them again")
    return stream


def _rows(source_id, event, rows, table, network, window, start):
    """The catalogue's rows for the stations of `table`, in its order, with geometry, samples and flags."""
    events = pd.DataFrame([event], index=[source_id])
    rows = rows.set_index("station_code").reindex(table.index).rename_axis("station_code").reset_index()
    rows["source_id"] = source_id
    text = [name for name in rows if name.startswith("trace_") and name.endswith(("status", "onset", "polarity"))]
    rows[text] = rows[text].fillna("")
    rows = rows.join(path_geometry(Catalogue(network.name, "waveform", events, rows), network))
    for wave in "ps":
        sample = (rows[f"path_{wave}_travel_s"] - start) * window.sampling_rate_hz
        rows[f"trace_{wave}_arrival_sample"] = sample.where(sample.between(0, window.samples - 1))
    return rows.join(table.reset_index(drop=True))


def read_stream(path):
    """Read a waveform file.

    Raises
    ------
    DataError
        If the file is missing, truncated or not a waveform file; the message names it.
    """
    path = Path(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", InternalMSEEDWarning)
            stream = read_file(path, "waveform")
    except FileNotFoundError:
        raise DataError(f"{path}: no such waveform file: check the folder and the file's name") from None
    except InternalMSEEDWarning as error:
        raise DataError(f"{path}: damaged or truncated miniSEED ({error}): copy or download it again") from None
    except Exception as error:  # ObsPy's readers raise whatever they stumble over
        reason = "it is empty" if path.is_file() and not path.stat().st_size else " ".join(str(error).split())
        raise DataError(f"{path}: not a waveform file that ObsPy reads ({reason}): copy or download it again") from None
    if not stream:
        raise DataError(f"{path}: a waveform file without a trace: copy or download it again")
    record = stream[0].stats.get("mseed", {}).get("record_length")
    if record and path.stat().st_size % record:
        raise DataError(f"{path}: truncated miniSEED (its last record is not whole): copy or download it again")
    return stream


# --------------------------------------------------------------------------------------------------------------- traces


def cut(stream, stations, start, window, inventory=None, remarks=None):
    """Cut a stream to one window on the window's sampling rate.

    Parameters
    ----------
    stream : obspy Stream
    stations : list of str
        Stations to keep, in that order; those without data are left out.
    start : UTCDateTime
        Time of the first sample.
    window : Window
    inventory : obspy Inventory, optional
    remarks : list of str, optional
        Where to say which stations were left out, and which components are zeros.

    Returns
    -------
    waveforms : ndarray of float32, shape (stations, 3, samples)
    table : DataFrame
        Indexed by station code: `trace_unit` and the flags.

    Raises
    ------
    DataError
        If a station's record cannot be used, and there is no list for remarks.
    """
    arrays, rows = [], {}
    for code in stations:
        own = stream.select(station=code)
        if not own:
            continue
        try:
            array, flags = _cut_station(own, start, window, inventory)
        except DataError as error:
            if remarks is None:
                raise
            remarks.append(f"station {code} left out: {error}")
            continue
        arrays.append(array)
        rows[code] = ["nm" if inventory else "counts", *flags]
        if remarks is not None and (zeros := [name for name, one in zip("ZNE", array, strict=True) if not one.any()]):
            remarks.append(f"station {code}: no signal on {', '.join(zeros)}, zeros in its place")
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["trace_unit", *FLAGS]).rename_axis("station_code")
    waveforms = np.array(arrays, "float32").reshape(-1, 3, window.samples)
    return waveforms, table


def _cut_station(traces, start, window, inventory):
    """Window of one station, shape (3, samples), and its `FLAGS`."""
    array, missing = np.zeros((3, window.samples), np.float32), np.ones((3, window.samples), bool)
    gap, flat = False, False
    merged = _merged(_one_instrument(_near(traces, start, window)))
    for component, trace in merged.items():
        try:
            with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
                array[component], missing[component], has_gap, is_flat = _cut_trace(trace, start, window, inventory)
        except (DataError, MemoryError):
            raise
        except Exception as error:  # ObsPy and SciPy raise whatever a strange header leads them to
            reason = " ".join(str(error).split())
            raise DataError(f"{trace.id}: cannot be cut ({reason}): check its header and its data") from None
        gap, flat = gap or has_gap, flat or is_flat
    if not np.isfinite(array).all():
        raise DataError(f"{traces[0].id}: numbers too large for a seismogram: check its data and its response")
    if missing.all():
        raise DataError(_no_signal(traces, start, window, flat))
    return array, [gap, flat, 3 - len(merged), missing.mean()]


def _near(traces, start, window):
    """Traces that lie near the window: merged with one of another year, a trace would not fit into memory."""
    first, last = start - NEAR_S, start + window.length_s + NEAR_S
    return [trace for trace in traces if trace.stats.endtime >= first and trace.stats.starttime <= last]


def _no_signal(traces, start, window, flat):
    first = min(trace.stats.starttime for trace in traces)
    last = max(trace.stats.endtime for trace in traces)
    if first > start + window.length_s or last < start:
        return (
            f"its record from {first} to {last} lies outside the window from {start} to {start + window.length_s}: "
            "check its clock and its time zone"
        )
    if flat:
        return "all its components are flat: check the instrument"
    channels = ", ".join(sorted({trace.stats.channel or "one without a name" for trace in traces}))
    return f"no component Z, N, E, 1, 2 or 3 of at least {SLOWEST_HZ:g} Hz has data in the window, only {channels}"


def _letter(trace):
    return trace.stats.channel[-1:].upper()


def _one_instrument(traces):
    """The traces of one sensor by component: most components first, then the highest sampling rate."""
    groups = {}
    for trace in traces:
        if _letter(trace) in COMPONENTS and trace.stats.npts > 1 and trace.stats.sampling_rate >= SLOWEST_HZ:
            key = trace.stats.network, trace.stats.location, trace.stats.channel[:-1]
            groups.setdefault(key, []).append(trace)

    def rank(group):
        return len({COMPONENTS[_letter(trace)] for trace in group}), group[0].stats.sampling_rate

    chosen = max((groups[key] for key in sorted(groups)), key=rank, default=[])
    named = {COMPONENTS[_letter(trace)] for trace in chosen if _letter(trace).isalpha()}
    return [trace for trace in chosen if _letter(trace).isalpha() or COMPONENTS[_letter(trace)] not in named]


def _merged(traces):
    """One trace per component, in float, with gaps masked. Each component may have a sampling rate of its own."""
    components = {}
    for trace in traces:
        components.setdefault(COMPONENTS[_letter(trace)], []).append(trace)
    merged = {component: _one_trace(own, traces[0].stats.sampling_rate) for component, own in components.items()}
    return {component: trace for component, trace in merged.items() if trace is not None}


def _one_trace(traces, rate):
    """The pieces of one component as one trace, or None without a finite sample.

    Its sampling rate is `rate`, if its longest piece has that within 0.1 %. A piece with another rate becomes a gap.
    """
    longest = max(traces, key=lambda trace: trace.stats.endtime - trace.stats.starttime)
    if abs(longest.stats.sampling_rate - rate) > 1e-3 * rate:
        rate = longest.stats.sampling_rate
    stream = obspy.Stream()
    for trace in traces:
        if abs(trace.stats.sampling_rate - rate) > 1e-3 * rate:
            logger.warning("%s: %g Hz among %g Hz, left out", trace.id, trace.stats.sampling_rate, rate)
            continue
        piece = trace.copy()
        piece.stats.sampling_rate, piece.stats.calib = rate, 1.0  # pieces with different factors would not merge
        piece.data = np.ma.masked_invalid(piece.data.astype(float))
        stream += piece.split()  # ObsPy merges what is whole; NaN become gaps
    return stream.merge(method=1)[0] if stream else None


def _cut_trace(trace, start, window, inventory):
    """Window of one component, which of its samples no data cover, whether it has a gap, and whether it is dead."""
    offset = trace.stats.starttime - start
    data, gaps = np.ma.getdata(trace.data).astype(float), np.ma.getmaskarray(trace.data)
    time = offset + np.arange(len(data)) / trace.stats.sampling_rate
    wanted = np.arange(window.samples) / window.sampling_rate_hz
    nothing = np.zeros(window.samples), np.ones(window.samples, bool)
    if np.ptp(data[~gaps]) == 0:
        logger.info("%s: flat from %s on", trace.id, trace.stats.starttime)
        return *nothing, bool(gaps.any()), True
    data[gaps] = np.interp(time[gaps], time[~gaps], data[~gaps])
    data -= np.polyval(np.polyfit(time[~gaps], data[~gaps], 1), time)
    if inventory is not None:
        data = _displacement_nm(trace, data, inventory)
    series = resample(data, time, wanted, trace.stats.sampling_rate, window.sampling_rate_hz)
    nearest = np.clip(np.round((wanted - offset) * trace.stats.sampling_rate).astype(int), 0, len(data) - 1)
    missing = (wanted < time[0]) | (wanted > time[-1]) | gaps[nearest]
    inside = (time >= wanted[0]) & (time <= wanted[-1])
    return np.where(missing, 0.0, series), missing, bool(gaps[inside].any()), False


def resample(data, time, wanted, rate, new_rate):
    """Series at other times: low-passed without phase shift if the rate falls, then a cubic spline.

    Parameters
    ----------
    data, time : ndarray, shape (samples,)
        The series and its times in seconds.
    wanted : ndarray
        Times in seconds.
    rate, new_rate : float
        Sampling rates of `time` and `wanted`, Hz.
    """
    if new_rate < rate:
        sos = butter(8, 0.8 * new_rate / 2, fs=rate, output="sos")
        data = sosfiltfilt(sos, data, padlen=min(len(data) - 1, 3 * round(rate)))
    order = min(3, len(data) - 1)
    return make_interp_spline(time, data, k=order)(np.clip(wanted, time[0], time[-1]))


def _displacement_nm(trace, data, inventory):
    """Ground displacement in the Wood-Anderson band; the high-pass is causal, as the renderer's."""
    trace = trace.copy()
    trace.data = data
    rate = trace.stats.sampling_rate
    try:
        trace.remove_response(inventory, output="DISP", pre_filt=(0.1, 0.2, 0.4 * rate, 0.48 * rate), water_level=60)
    except Exception as error:  # ObsPy raises whatever an incomplete response leads it to
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{trace.id}: {reason}: add the channel to the station inventory") from None
    return sosfilt(butter(2, WOOD_ANDERSON_HZ, "highpass", fs=rate, output="sos"), trace.data) * 1e9


# -------------------------------------------------------------------------------------------------------------- Iceland


def read_iceland(folder):
    """Read the catalogue of the Icelandic example: QuakeMigrate's `.event`, `.picks` and `.amps` files.

    Parameters
    ----------
    folder : path
        `iceland` of the real data.

    Returns
    -------
    Catalogue
        27 events of network `iceland`, with automatic picks, largest horizontal S amplitudes (nm of ground
        displacement) and local magnitudes (NaN for one event). Uncertainties are those of the Gaussian fitted to the
        coalescence.

    Raises
    ------
    UserError
        If the folder holds no events.
    DataError
        If a file is missing or malformed; the message names it.
    """
    paths = sorted(Path(folder).glob("*.event"))
    if not paths:
        raise UserError(f"{folder}: holds no .event files: name the folder of the Icelandic example")
    events, readings = [], []
    for path in paths:
        event = _read_csv(path).iloc[0]
        if event[["DT", "X", "Y", "Z"]].isna().any():
            raise DataError(f"{path}: line 2: an event without origin time or hypocentre: download it again")
        origin = pd.Timestamp(event["DT"])
        events.append(_icelandic_event(path.stem, event, origin))
        readings += _icelandic_readings(path, origin)
    return possible_catalogue("iceland", "waveform", events, readings)


def _read_csv(path):
    try:
        table = pd.read_csv(path, dtype={"EventID": str})
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())}): download it again") from None
    columns = ICELANDIC_COLUMNS[path.suffix]
    missing = set(columns) - set(table.columns)
    if missing or not len(table):
        raise DataError(f"{path}: line 1: no {', '.join(sorted(missing)) or 'rows'}: download it again")
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first columns for an index
        raise DataError(f"{path}: line 2: more values than names in line 1: download it again")
    for name, kind in columns.items():
        if len(bad := table.index[~_is_right(table[name], kind)]):
            what = f"{name} is {table[name][bad[0]]}, which is no {kind}"
            raise DataError(f"{path}: line {bad[0] + 2}: {what}: download it again")
    return table


def _is_right(column, kind):
    """Which values of a column are of a kind; a number or a time may be missing, and -1 stands for no time."""
    if kind == "number":
        return column.isna() | np.isfinite(pd.to_numeric(column, errors="coerce"))
    if kind == "time":
        times = pd.to_datetime(column, format="ISO8601", utc=True, errors="coerce")
        return (times.notna() & column.astype(str).str.endswith("Z")) | (column.astype(str) == "-1")
    return column.astype(str).str.fullmatch(PATTERNS[kind])


def _icelandic_event(source_id, event, origin):
    return {
        "source_id": source_id,
        "source_origin_time": origin,
        "source_latitude_deg": event["Y"],
        "source_longitude_deg": event["X"],
        "source_depth_km": event["Z"],
        "source_magnitude": event["ML"],
        "source_magnitude_type": "ML" if pd.notna(event["ML"]) else "",
        "source_latitude_uncertainty_km": event["GAU_ErrY"],
        "source_longitude_uncertainty_km": event["GAU_ErrX"],
        "source_depth_uncertainty_km": event["GAU_ErrZ"],
        "source_type": "volcanic",
    }


def _icelandic_readings(path, origin):
    """One row per station with a pick or an amplitude."""
    picks, amplitudes = (_read_csv(path.with_suffix(suffix)) for suffix in (".picks", ".amps"))
    picks = picks[picks.PickTime.astype(str) != "-1"]
    rows = {}
    for pick in picks.itertuples():
        row = rows.setdefault(pick.Station, {"source_id": path.stem, "station_code": pick.Station})
        wave = pick.Phase.lower()
        row[f"path_{wave}_travel_s"] = (pd.Timestamp(pick.PickTime) - origin).total_seconds()
        row[f"path_{wave}_residual_s"] = float(pick.Residual)
        row |= {f"trace_{wave}_status": "automatic", f"trace_{wave}_weight": 1.0}
    horizontal = amplitudes[amplitudes.id.str[-1].isin(["N", "E", "1", "2"])].dropna(subset="S_amp")
    for amplitude in horizontal.sort_values("S_amp").itertuples():  # the largest comes last
        code = amplitude.id.split(".")[1]
        row = rows.setdefault(code, {"source_id": path.stem, "station_code": code})
        row["trace_amplitude_nm"] = amplitude.S_amp * 1e6 / WOOD_ANDERSON_GAIN  # mm on the trace
        row["trace_amplitude_period_s"] = 1 / amplitude.S_freq if amplitude.S_freq > 0 else np.nan
    return list(rows.values())


# ------------------------------------------------------------------------------------------------ recorded and rendered


def largest_reading(catalogue):
    """The reading with the largest amplitude among those with both onsets: a row of `catalogue.readings`."""
    whole = catalogue.readings.dropna(subset=["path_p_travel_s", "path_s_travel_s", "trace_amplitude_nm"])
    return whole.loc[whole.trace_amplitude_nm.idxmax()]


def recorded_trace(catalogue, network, folder, reading, lead_s=4.0):
    """The vertical component of the seismogram behind a reading, as displacement above 1.25 Hz like what is rendered.

    A broadband seismometer's counts are proportional to velocity; they are integrated, and stay in an arbitrary unit.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
    folder : path
        Folder of the waveform files.
    reading : Series
        A row of `catalogue.readings`.
    lead_s : float
        Seconds before the P onset.

    Returns
    -------
    dict
        `trace` (displacement, arbitrary unit), `sampling_rate_hz`, and `p_s`, `s_s` in seconds after the first sample,
        as `seisbook.figures.seismograms.rendering_steps` takes it.
    """
    rate = network.window.sampling_rate_hz
    stream = obspy.Stream()
    for path in event_files(folder, catalogue)[reading.source_id]:
        stream += read_stream(path).select(station=reading.station_code)
    stream.detrend("linear").integrate().detrend("linear").filter("highpass", freq=WOOD_ANDERSON_HZ, corners=2)
    origin = catalogue.events.source_origin_time[reading.source_id]
    start = obspy.UTCDateTime(ns=origin.as_unit("ns").value) + reading.path_p_travel_s - lead_s
    waveforms, _ = cut(stream, [reading.station_code], start, network.window)
    return {"trace": waveforms[0, 0], "sampling_rate_hz": rate, **_onsets(reading, lead_s)}


def rendered_like(reading, catalogue, network, random_state=0, lead_s=4.0):
    """Render a seismogram from a reading alone, with the stages that `seisbook.physics.rendering.steps` returns."""
    station = network.station_table().loc[reading.station_code]
    first, growth = network.dominant_period_s
    period = reading.trace_amplitude_period_s
    if not period > 0:
        period = first * growth ** catalogue.events.source_magnitude[reading.source_id]
    onsets = _onsets(reading, lead_s)
    return steps(
        onsets["p_s"],
        onsets["s_s"],
        reading.trace_amplitude_nm,
        period,
        station.noise_level,
        network.window,
        random_state,
    )


def _onsets(reading, lead_s):
    return {"p_s": lead_s, "s_s": lead_s + reading.path_s_travel_s - reading.path_p_travel_s}
