"""The simulated twin of a network: a catalogue with the same geometry, scatter, detection, and exact labels.

What it stands in for: the network's bulletin. Events follow the zones of the network's YAML file; onsets follow its
velocity model plus station terms plus the scatter of its picks; amplitudes follow its magnitude relation plus site
terms plus the scatter of station magnitudes; a station reads what stands out of its noise, so that small events have
few stations and the magnitude of completeness emerges.

Where it breaks down: the Earth is layered, so that travel-time errors are independent from station to station (real
ones are shared by neighbouring paths); events are independent (no aftershocks, no swarms), within four weeks; analysts
neither misread phases nor associate wrong ones; the network is the same on all days.
"""

import numpy as np
import pandas as pd
from tqdm import tqdm

from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import KM_PER_DEGREE, distance_azimuth
from seisbook.errors import UserError
from seisbook.physics.rendering import P_TO_S, PERIOD_SCATTER, noise_rms_nm
from seisbook.physics.traveltimes import TravelTimes

START = np.datetime64("2018-02-01T00:00:00", "ns")
DAYS = 28
DETECTION = 3.0  # peak over noise at which half of the onsets are read
DETECTION_SCATTER = 0.5  # standard deviation of the natural logarithm of that ratio, from reading to reading
NEAREST = 8  # an analyst reads most of that many nearest stations, and some of the others
READ_NEAR, READ_FAR = 0.75, 0.25  # shares of visible P onsets that are read among the nearest and the other stations
UNREAD = 0.04  # share of visible onsets that the analyst passes over, one of P and S at most
BLOCK = 512  # events drawn together, from one generator: the first n events do not depend on how many are asked for
ROUNDS = 400  # draws after which a zone whose events no stations detect is given up


def simulate(network, n_events, random_state=0, travel_times=None, progress=False):
    """Simulate a catalogue.

    Parameters
    ----------
    network : Network
        Network with seismicity zones.
    n_events : int
        Events that at least `network.minimum_stations` stations read; fainter ones are drawn again in the same zone, so
        that the zones keep their shares.
    random_state : int
        Seed. The same seed gives the same catalogue, and a longer catalogue begins with the shorter one.
    travel_times : TravelTimes, optional
        Travel times in the network's velocity model.
    progress : bool
        Show a bar.

    Returns
    -------
    Catalogue
        `source="simulated"`. The events' hypocentres and magnitudes are exact, and so have no uncertainties. The
        readings also have `true_p_travel_s` and `true_s_travel_s`, the travel times without scatter.

    Raises
    ------
    UserError
        If the network has no zones, or a zone's events are too small for the stations to detect.
    """
    if not network.zones:
        raise UserError(f"{network.name}: no seismicity zones to simulate: add `zones` to its YAML file")
    travel_times = travel_times or TravelTimes(network.velocity_model)
    events, readings = [], []
    for first in tqdm(range(0, n_events, BLOCK), desc="simulating", unit="block", disable=None if progress else True):
        rng = np.random.default_rng(np.random.SeedSequence([random_state, first // BLOCK]))
        block_events, block_readings = _block(network, travel_times, rng)
        number = min(BLOCK, n_events - first)
        events.append(block_events.iloc[:number].assign(event=np.arange(first, first + number)))
        kept = block_readings[block_readings.event < number]
        readings.append(kept.assign(event=kept.event + first))
    return _catalogue(network, pd.concat(events), pd.concat(readings))


def _catalogue(network, events, readings):
    """Name the events and add what is the same for all rows."""
    names = np.array([f"{network.name}-sim-{number:06d}" for number in events.event])
    events = events.drop(columns="event").assign(source_id=names, source_magnitude_type="ML")
    readings = readings.assign(source_id=names[readings.event.to_numpy()]).drop(columns="event")
    for wave in "ps":
        read = readings[f"path_{wave}_travel_s"].notna()
        readings[f"trace_{wave}_status"] = np.where(read, "simulated", "")
        readings[f"trace_{wave}_weight"] = np.where(read, 1.0, np.nan)
        readings[f"trace_{wave}_onset"] = np.where(read, readings[f"trace_{wave}_onset"], "")
    return Catalogue.from_rows(network.name, "simulated", events, readings.reset_index(drop=True))


def _block(network, travel_times, rng):
    """Draw `BLOCK` events that enough stations read: events, and readings with the events' numbers."""
    share = np.array([zone.share for zone in network.zones])
    zone = rng.choice(len(share), BLOCK, p=share / share.sum())
    waiting = np.arange(BLOCK)
    events, readings = [], []
    for _ in range(ROUNDS):
        slot = np.repeat(waiting, max(1, BLOCK // len(waiting)))
        candidates = draw_hypocentres(network, zone[slot], rng)
        table = draw_readings(network, candidates, travel_times, rng)
        stations = np.bincount(table.event, minlength=len(slot))
        detected = np.flatnonzero(stations >= network.minimum_stations)
        filled, first = np.unique(slot[detected], return_index=True)
        chosen = pd.Series(filled, index=detected[first])  # slot of each chosen candidate
        events.append(candidates.loc[chosen.index].set_index(pd.Index(filled)))
        table = table[table.event.isin(chosen.index)]
        readings.append(table.assign(event=chosen[table.event].to_numpy()))
        waiting = np.setdiff1d(waiting, filled)
        if not len(waiting):
            break
    else:
        name = network.zones[zone[waiting[0]]].name
        raise UserError(
            f"{network.name}: zone '{name}': no event is read by {network.minimum_stations} stations: "
            "raise its magnitude_max, or lower the stations' noise_level, in the YAML file"
        )
    return pd.concat(events).sort_index(), pd.concat(readings).sort_values("event", kind="stable")


def draw_hypocentres(network, zone, rng):
    """Draw one event in each of the given zones.

    Parameters
    ----------
    network : Network
    zone : ndarray of int, shape (events,)
        Indices into `network.zones`.
    rng : Generator

    Returns
    -------
    DataFrame
        Catalogue columns of the events. Epicentres are Gaussian along and across strike, depths Gaussian and reflected
        at sea level, magnitudes from a truncated Gutenberg-Richter law, times uniform over four weeks within the
        zone's hours.
    """
    z = pd.DataFrame([vars(entry) for entry in network.zones]).iloc[zone].reset_index(drop=True)
    n = len(z)
    along, across = z.length_km * rng.standard_normal(n), z.width_km * rng.standard_normal(n)
    strike = np.radians(z.strike_deg)
    north = along * np.cos(strike) - across * np.sin(strike)
    east = along * np.sin(strike) + across * np.cos(strike)
    latitude = z.latitude + north / KM_PER_DEGREE
    return pd.DataFrame(
        {
            "source_origin_time": _origin_times(z.hours, network.utc_offset_h, rng),
            "source_latitude_deg": latitude,
            "source_longitude_deg": z.longitude + east / (KM_PER_DEGREE * np.cos(np.radians(latitude))),
            "source_depth_km": np.abs(z.depth_km + z.depth_spread_km * rng.standard_normal(n)),
            "source_magnitude": truncated_gutenberg_richter(z.b_value, z.magnitude_min, z.magnitude_max, rng),
            "source_type": z.source_type,
        }
    )


def truncated_gutenberg_richter(b_value, minimum, maximum, rng):
    r"""Draw magnitudes with density proportional to :math:`10^{-bM}` between `minimum` and `maximum` (arrays)."""
    beyond = 10 ** (-b_value * (maximum - minimum))
    return minimum - np.log10(1 - rng.random(len(minimum)) * (1 - beyond)) / b_value


def _origin_times(hours, utc_offset_h, rng):
    """UTC times on random days, at local hours within the zone's; [20, 4] goes on past midnight."""
    start, end = np.array(hours.tolist(), float).reshape(-1, 2).T
    length = np.where(end > start, end - start, end - start + 24)
    local = rng.integers(0, DAYS, len(start)) * 24 + (start + rng.random(len(start)) * length) % 24
    nanoseconds = ((local - utc_offset_h) * 3600 * 1e9).astype("int64").astype("timedelta64[ns]")
    return pd.to_datetime(START + nanoseconds, utc=True)


def draw_readings(network, events, travel_times, rng):
    """Let the network's stations read the events.

    Parameters
    ----------
    network : Network
    events : DataFrame
        Events drawn by `draw_hypocentres`.
    travel_times : TravelTimes
    rng : Generator

    Returns
    -------
    DataFrame
        One row per event and station that reads a P onset; `event` is the row number in `events`.

    Notes
    -----
    P is visible where its peak, a fifth of that of S, stands about `DETECTION` times out of the station's noise, S
    where its own does. Three in four of the visible onsets at the eight nearest stations are read and one in four of
    the others, as analysts read to constrain a location and not to be complete: in the Colombian bulletin of February
    2018 the median event of magnitude 1.0-1.5, 2.0-2.5 and 3-4 is read at 5 of 7, 14 of 50 and 32 of 100 stations that
    could see it; in Ridgecrest's at 7 of 10. Of P and S, one is passed over now and then.
    """
    station = network.station_table()
    source = [events[name].to_numpy()[:, None] for name in ("source_latitude_deg", "source_longitude_deg")]
    depth, magnitude = (events[name].to_numpy()[:, None] for name in ("source_depth_km", "source_magnitude"))
    distance, _ = distance_azimuth(*source, station.latitude.to_numpy(), station.longitude.to_numpy())
    elevation = station.elevation_m.to_numpy()
    shape = distance.shape
    log_amplitude = network.magnitude.log_amplitude(magnitude, np.hypot(distance, depth + elevation / 1000))
    scatter = network.magnitude.scatter * rng.standard_normal(shape)
    amplitude = 10 ** (log_amplitude + station.site_term.to_numpy() + scatter)
    snr = amplitude / noise_rms_nm(station.noise_level.to_numpy(), network.window.sampling_rate_hz)
    visible = [
        ratio * snr * np.exp(DETECTION_SCATTER * rng.standard_normal(shape)) > DETECTION for ratio in (P_TO_S[0], 1)
    ]
    passed_over = rng.random(shape)
    event, column = np.nonzero(visible[0] & _looked_at(distance, visible[0], rng))
    at = event, column
    true_p = travel_times.p(distance[at], depth[event, 0], elevation[column])
    true_s = true_p * network.velocity_model.vp_vs + station.s_term_s.to_numpy()[column]
    true_p = np.maximum(true_p + station.p_term_s.to_numpy()[column], 0.5 * true_p)
    p, s = _scattered(true_p, true_s, distance[at], network, rng)
    see_s = visible[1][at]
    period = network.dominant_period_s[0] * network.dominant_period_s[1] ** magnitude[event, 0]
    return pd.DataFrame(
        {
            "event": event,
            "station_code": station.index.to_numpy()[column],
            "path_p_travel_s": np.where((passed_over[at] < UNREAD) & see_s, np.nan, p),
            "path_s_travel_s": np.where((passed_over[at] > 1 - UNREAD) | ~see_s, np.nan, s),
            "trace_p_onset": np.where(P_TO_S[0] * snr[at] > 10, "impulsive", "emergent"),
            "trace_s_onset": np.where(snr[at] > 10, "impulsive", "emergent"),
            "trace_amplitude_nm": amplitude[at],
            "trace_amplitude_period_s": period * np.exp(PERIOD_SCATTER * rng.standard_normal(len(event))),
            "true_p_travel_s": true_p,
            "true_s_travel_s": true_s,
        }
    )


def _looked_at(distance, visible, rng):
    """Which of the visible records (events, stations) the analyst reads; draws random numbers for all."""
    rank = np.where(visible, distance, np.inf).argsort(axis=1).argsort(axis=1)
    return rng.random(distance.shape) < np.where(rank < NEAREST, READ_NEAR, READ_FAR)


def _scattered(true_p, true_s, distance, network, rng):
    """Onsets as they are read; S never before P, nor P before the event."""
    growth = network.pick_scatter_per_100km_s * distance / 100
    near_p, near_s = network.pick_scatter_s
    p = np.maximum(true_p + np.hypot(near_p, growth) * rng.standard_normal(len(true_p)), 0.5 * true_p)
    s = true_s + np.hypot(near_s, growth) * rng.standard_normal(len(true_p))
    return p, np.maximum(s, p + 0.3 * np.maximum(true_s - true_p, 0.1))
