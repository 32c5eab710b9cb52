r"""New events that somebody has picked and nobody has located: seismograms rendered from the picks alone.

A dataset for training completes what was not read from the event's label. That would hand a new event's answer to the
model. Here nothing is taken from a hypocentre: an onset that was not read is absent, and the distances with which
amplitudes are completed follow from the onsets,

.. math:: t_0 = t_P - \frac{t_S - t_P}{v_P / v_S - 1}, \qquad R = \bar v_P (t_P - t_0),

with the median `t_0` of the stations.
"""

import numpy as np
import pandas as pd
from obspy.core.event import Origin

from seisbook.catalogues import bulletins, duplicates, palm_phases
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.remarks import Remarks
from seisbook.datasets.build import _record, with_context
from seisbook.physics.missing_readings import _visible_noise
from seisbook.physics.rendering import event_generator, render_event

NO_MAGNITUDE = 2.0  # of an event without any amplitude and magnitude: its seismograms need some size
BEFORE_S = 3.0  # origin time before the first P of an event without any S
NO_DEPTH_KM = 10.0


def read(path, network) -> Catalogue:
    """Events of a file with their picks, those without a hypocentre too.

    Parameters
    ----------
    path : path
        In any format of `seisbook.catalogues.bulletins.read_catalogue`.
    network : Network
        An event without a hypocentre is put in its middle, where nobody looks at it.
    """
    remarks = Remarks()
    if bulletins.is_palm(path):
        catalogue = duplicates.assemble(network.name, palm_phases.rows(path, remarks.lines), remarks)
    else:
        entries, how = bulletins.entries_of(path, remarks)
        for entry in entries:
            _give_place(entry.event, network.centre)
        catalogue = bulletins.of_entries(network.name, entries, how, remarks)
    return bulletins.at_known_stations(catalogue, network)


def _give_place(event, centre):
    """Put an event with picks and without a hypocentre somewhere."""
    origin = event.preferred_origin() or next(iter(event.origins), None)
    known = origin and None not in (origin.time, origin.latitude, origin.longitude, origin.depth)
    times = [pick.time for pick in event.picks if pick.time]
    if not known and times:
        latitude, longitude = centre
        event.origins = [Origin(time=min(times), latitude=latitude, longitude=longitude, depth=1000 * NO_DEPTH_KM)]
        event.preferred_origin_id = None


def records(catalogue, network, notes, random_state=0):
    """Yield an `EventRecord` for each event with an onset, rendered from its picks.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
        With the stations of all readings.
    notes : dict of str to list of str
        Gets, by event, what has to be said of its seismograms.
    random_state : int
    """
    for source_id, rows in catalogue.readings.groupby("source_id", sort=False):
        rows = rows[rows[["path_p_travel_s", "path_s_travel_s"]].notna().any(axis=1)].reset_index(drop=True)
        if not len(rows):
            continue
        magnitude = catalogue.events.source_magnitude[source_id]
        rows, said = completed(rows, network, float(magnitude), random_state)
        notes[source_id] = ["rendered from its picks", *said]
        yield _record(*render_event(with_context(rows, catalogue, network), network.window, random_state))


def completed(rows, network, magnitude, random_state=0) -> tuple[pd.DataFrame, list[str]]:
    """Readings of one event with amplitude, period, noise and azimuth at each station, and what was assumed.

    Parameters
    ----------
    rows : DataFrame
        With an onset at each station.
    network : Network
    magnitude : float
        That of the catalogue, for an event without amplitudes; NaN if there is none.
    random_state : int
    """
    rng = event_generator(random_state, rows.source_id.iloc[0], "picked")
    station = network.station_table().loc[rows.station_code].reset_index()
    distance = distances_km(rows, network.velocity_model)
    read = (rows.trace_amplitude_nm > 0).to_numpy()
    amplitude, site = rows.trace_amplitude_nm.to_numpy(), station.site_term.to_numpy()
    size, said = magnitude, []
    if read.any():
        each = network.magnitude.magnitude(np.log10(amplitude[read]) - site[read], distance[read])
        size = float(np.median(each))
    else:
        known = np.isfinite(magnitude)
        size = magnitude if known else NO_MAGNITUDE
        said.append(f"no amplitude: its magnitude {'repeats the catalogue' if known else 'means nothing'}")
    expected = 10 ** (network.magnitude.log_amplitude(size, distance) + site)
    first, growth = network.dominant_period_s
    period = rows.trace_amplitude_period_s
    rows = rows.assign(
        trace_amplitude_status=np.where(read, "observed", "predicted"),
        trace_amplitude_nm=np.where(read, amplitude, expected),
        trace_amplitude_period_s=period.where(period > 0, first * growth**size),
        path_azimuth_deg=rng.uniform(0, 360, len(rows)),  # the azimuth is what is looked for
    )
    for wave in "ps":
        rows.loc[rows[f"path_{wave}_travel_s"].isna(), f"trace_{wave}_status"] = "predicted"
    noise = _visible_noise(rows, station, network.window.sampling_rate_hz)
    return rows.assign(trace_noise_level=noise), said


def distances_km(rows, velocity_model) -> np.ndarray:
    """Distance of each station from the source, roughly, by its onsets alone."""
    p, s = (rows[f"path_{wave}_travel_s"].to_numpy(float) for wave in "ps")
    ratio = velocity_model.vp_vs
    both = np.isfinite(p) & np.isfinite(s)
    origin = np.median(p[both] - (s[both] - p[both]) / (ratio - 1)) if both.any() else np.nanmin([p, s]) - BEFORE_S
    travel = np.where(np.isfinite(p), p - origin, (s - origin) / ratio)
    return np.maximum(travel, 0.2) * float(np.mean(velocity_model.vp_km_s))
