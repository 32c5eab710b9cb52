"""What a seismogram needs and the analyst did not read: missing onsets, amplitudes, periods, and the noise.

A real earthquake has an S wave at every station, read or not. To insert the exact prediction would hand the label to a
learner; so a missing reading is the predicted one plus scatter as large as that of the readings that were made.
"""

import numpy as np

from seisbook.catalogues.geodesy import path_geometry
from seisbook.errors import UserError
from seisbook.physics.rendering import P_TO_S, PERIOD_SCATTER, event_generator, noise_level_of

VISIBLE = 3.0  # an analyst's onset stands out of the noise by at least this factor


def complete_readings(catalogue, network, travel_times, random_state=0):
    """Fill in the onsets, amplitudes and periods that a seismogram needs and the analyst did not read.

    Parameters
    ----------
    catalogue : Catalogue
    network : Network
        Must have the stations of all readings.
    travel_times : TravelTimes
        Travel times in the network's velocity model.
    random_state : int

    Returns
    -------
    DataFrame
        The readings, in their order, where

        - a missing onset is the predicted one plus scatter as large as that of the network's picks, so that it does not
          hand the label over; `trace_p_status`, `trace_s_status` are `predicted` there;
        - a missing amplitude follows from magnitude, distance and site term, with the scatter of a station's magnitude
          (for an event without magnitude: from the catalogue's median); a missing period from the network's law, with
          scatter;
        - `trace_amplitude_status` is `observed` (`simulated` in a simulated catalogue) or `predicted`;
        - `trace_noise_level` is the station's, or as low as is needed for the P wave of an onset that was read to stand
          three times out of the noise;
        - `path_ep_distance_km`, `path_hyp_distance_km`, `path_azimuth_deg` are added.

    Raises
    ------
    UserError
        If a reading is at a station that the network lacks.
    """
    readings = catalogue.readings.reset_index(drop=True)
    missing = sorted(set(readings.station_code) - {station.code for station in network.stations})
    if missing:
        raise UserError(
            f"{network.name}: readings at stations that the network lacks ({', '.join(missing[:5])}): "
            "add their coordinates to its YAML file"
        )
    located = type(catalogue)(catalogue.network, catalogue.source, catalogue.events, readings)
    readings = readings.join(path_geometry(located, network))
    draws = _draws(readings.source_id, 4, random_state)
    station = network.station_table().loc[readings.station_code].reset_index()
    event = catalogue.events.loc[readings.source_id]
    _complete_onsets(readings, event, station, network, travel_times, draws[:, :2])
    _complete_amplitudes(readings, event, station, network, draws[:, 2:], catalogue.source)
    readings["trace_noise_level"] = _visible_noise(readings, station, network.window.sampling_rate_hz)
    return readings


def _draws(source_id, n, random_state):
    """Standard normal numbers (readings, n), each event's from its own generator."""
    draws = np.empty((len(source_id), n))
    for name, rows in source_id.groupby(source_id, sort=False).indices.items():
        draws[rows] = event_generator(random_state, name, "complete").standard_normal((len(rows), n))
    return draws


def _complete_onsets(readings, event, station, network, travel_times, draws):
    distance = readings.path_ep_distance_km.to_numpy()
    model_p = travel_times.p(distance, event.source_depth_km.to_numpy(), station.elevation_m.to_numpy())
    model_s = model_p * network.velocity_model.vp_vs + station.s_term_s.to_numpy()
    model_p = np.maximum(model_p + station.p_term_s.to_numpy(), 0.5 * model_p)
    growth = network.pick_scatter_per_100km_s * distance / 100
    scatter = [np.hypot(near, growth) for near in network.pick_scatter_s]
    p, s = readings.path_p_travel_s.to_numpy(), readings.path_s_travel_s.to_numpy()
    gap = 0.3 * np.maximum(model_s - model_p, 0.1)  # no scatter puts a predicted S before P
    before_s = np.where(np.isnan(s), np.inf, np.maximum(s - gap, 0.5 * s))
    filled_p = np.minimum(np.maximum(model_p + scatter[0] * draws[:, 0], 0.5 * model_p), before_s)
    filled_p = np.where(np.isnan(p), filled_p, p)
    filled_s = np.where(np.isnan(s), np.maximum(model_s + scatter[1] * draws[:, 1], filled_p + gap), s)
    for wave, observed, filled in (("p", p, filled_p), ("s", s, filled_s)):
        readings[f"path_{wave}_travel_s"] = filled
        readings.loc[np.isnan(observed), f"trace_{wave}_status"] = "predicted"


def _complete_amplitudes(readings, event, station, network, draws, source):
    magnitude = event.source_magnitude.to_numpy()
    magnitude = np.where(np.isnan(magnitude), event.source_magnitude.groupby(level=0).first().median(), magnitude)
    magnitude = np.nan_to_num(magnitude, nan=2.0)  # a catalogue without any magnitude
    log_amplitude = network.magnitude.log_amplitude(magnitude, readings.path_hyp_distance_km.to_numpy())
    predicted = 10 ** (log_amplitude + station.site_term.to_numpy() + network.magnitude.scatter * draws[:, 0])
    first, growth = network.dominant_period_s
    period = first * growth**magnitude * np.exp(PERIOD_SCATTER * draws[:, 1])
    observed = readings.trace_amplitude_nm > 0
    read = "simulated" if source == "simulated" else "observed"
    readings["trace_amplitude_status"] = np.where(observed, read, "predicted")
    readings["trace_amplitude_nm"] = np.where(observed, readings.trace_amplitude_nm, predicted)
    read_period = readings.trace_amplitude_period_s
    readings["trace_amplitude_period_s"] = np.where(read_period > 0, read_period, period)


def _visible_noise(readings, station, sampling_rate_hz):
    """Each station's noise level, lowered where an analyst's onset would drown in it."""
    read_p = readings.trace_p_status != "predicted"
    peak = readings.trace_amplitude_nm * np.where(read_p, P_TO_S[0], 1.0)
    capped = np.minimum(station.noise_level, noise_level_of(peak.to_numpy() / VISIBLE, sampling_rate_hz))
    return np.where(read_p | (readings.trace_s_status != "predicted"), capped, station.noise_level)
