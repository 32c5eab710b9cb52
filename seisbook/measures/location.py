"""Locations of new events as a bulletin has them: origin, uncertainty, magnitude, quality, and what to be wary of."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from seisbook.catalogues.geodesy import azimuthal_gap, to_geographic
from seisbook.datasets.events import Events
from seisbook.datasets.graphs import check_window
from seisbook.errors import UserError
from seisbook.measures.calibration import ellipse_radius
from seisbook.models.error_model import TAIL
from seisbook.models.origins import origins
from seisbook.models.robust import SILENT

CONFIDENCE = 0.9  # of ellipses
CHUNK = 256  # events that are in memory at a time
USED = 0.1  # least weight of an onset that is said to be used
FEW_STATIONS = 6  # with fewer, an absurd station may decide
WIDE_GAP_DEG = 180.0
MARGIN = 0.1  # of the width of the model's range, beyond which an event lies outside it
FAR = 2.0  # of the model's scale of distances, from the event to its nearest station


@dataclass(frozen=True)
class Arrival:
    """An onset that a model found: station code, phase, time, residual in s, and weight from 0 to 1."""

    station: str
    phase: str
    time: pd.Timestamp
    residual_s: float
    weight: float


@dataclass(frozen=True)
class Location:
    """A located event.

    Parameters
    ----------
    source_id : str
    time : Timestamp
        Origin time.
    latitude, longitude, depth_km, magnitude : float
    major_km, minor_km, azimuth_deg : float
        Semi-axes of the ellipse that holds the epicentre with a probability of 90 per cent, and the azimuth of the
        major one.
    depth_error_km, magnitude_error : float
        Standard deviations.
    stations, onsets : int
        How many are used.
    gap_deg : float
        Azimuthal gap of the stations used; 360 with one or none.
    nearest_km : float
        Epicentral distance of the nearest station.
    scatter_s : float
        Root of the weighted mean square of the residuals.
    arrivals : tuple of Arrival
    remarks : tuple of str
        Reasons to doubt the location.
    """

    source_id: str
    time: pd.Timestamp
    latitude: float
    longitude: float
    depth_km: float
    magnitude: float
    major_km: float
    minor_km: float
    azimuth_deg: float
    depth_error_km: float
    magnitude_error: float
    stations: int
    onsets: int
    gap_deg: float
    nearest_km: float
    scatter_s: float
    arrivals: tuple[Arrival, ...]
    remarks: tuple[str, ...]


def locate(locator, dataset, progress=True, known=None, notes=None) -> Iterator[Location]:
    """Locate all events of a dataset, a few hundred at a time, so that memory does not grow with their number.

    Parameters
    ----------
    locator : seisbook.models.robust_training.RobustLocator
    dataset : seisbook.datasets.graphs.EventDataset
        Of `seisbook.datasets.graphs.open_for`. Labels in it are not looked at.
    progress : bool
    known : dict of str to (float, float), optional
        Range of the events that the model was trained on, see `seisbook.measures.new_network.validity`.
    notes : dict of str to list of str, optional
        Remarks on events, by `source_id`.

    Yields
    ------
    Location

    Raises
    ------
    UserError
        If the model has no travel times, and so gives no origin time; or the dataset's window is not the model's.
    """
    if not locator.config.physics:
        raise UserError("the model has no travel times and gives no origin time: choose one with physics")
    names = dataset.source_ids
    with tqdm(total=len(names), desc="locating", unit="event", disable=None if progress else True) as bar:
        for first in range(0, len(names), CHUNK):
            chunk = [dataset[i] for i in range(first, min(first + CHUNK, len(names)))]
            for one in _located(locator, dataset, chunk):
                said = (*outside(one, known or {}), *(notes or {}).get(one.source_id, ()))
                yield replace(one, remarks=one.remarks + said)
            bar.update(len(chunk))


def outside(location, known) -> tuple[str, ...]:
    """Remarks on what of a location lies outside the range that a model knows, by more than a tenth of its width."""
    said = []
    for name, (low, high) in known.items():
        value, margin = getattr(location, name), MARGIN * (high - low)
        values = (value, value + 360) if name == "longitude" else (value,)
        if not any(low - margin <= one <= high + margin for one in values):
            said.append(f"{name.replace('_km', '')} outside the model's range, {low:g} to {high:g}")
    return tuple(said)


def _located(locator, dataset, chunk):
    """Locations of some events, in one pass."""
    events = Events.of_graphs(chunk, dataset.sampling_rate_hz)
    check_window(events.x, locator.config, dataset.place)
    found = locator.read(events)
    prediction = locator.predict(events, found)
    onsets, pos, mask = locator._batch(events, found, np.arange(len(events)))
    hypocentre = torch.cat([prediction.epicentre, prediction.depth[:, None]], 1)
    fit = origins(locator.model_, onsets, pos, mask & (onsets.amplitude > SILENT), hypocentre)
    starts, codes = _starts(dataset, chunk), _codes(dataset, chunk)
    for i, data in enumerate(chunk):
        n, start = data.num_nodes, starts[i] + pd.Timedelta(seconds=data.begin_s)
        arrivals = _arrivals(codes[i], start, onsets.onset_s[i, :n], fit.residual_s[i, :n], fit.weight[i, :n])
        time = start + pd.Timedelta(seconds=float(fit.time_s[i]))
        offset = hypocentre[i, :2] - data.pos[:, :2]
        used = (fit.weight[i, :n] >= USED).any(-1)
        geometry = _geometry(offset.numpy(), used.numpy(), locator.config.distance_scale_km)
        place = _place(hypocentre[i], prediction.magnitude[i], dataset.centre)
        yield Location(data.source_id, time, **place, **_errors(prediction, i), **geometry, **arrivals)


def _starts(dataset, chunk):
    """When the first trace of each event begins."""
    rows = [dataset.rows[data.source_id] for data in chunk]
    start = dataset.metadata.trace_start_time.iloc[np.concatenate(rows)]
    event = np.repeat(np.arange(len(chunk)), [len(one) for one in rows])
    return pd.to_datetime(start, format="ISO8601", utc=True).groupby(event).min().tolist()


def _codes(dataset, chunk):
    """Station codes of each event."""
    rows = [dataset.rows[data.source_id] for data in chunk]
    if "station_code" not in dataset.metadata:
        return [[""] * len(one) for one in rows]
    codes = dataset.metadata.station_code
    return [codes.iloc[one].astype(str).tolist() for one in rows]


def _place(hypocentre, magnitude, centre):
    latitude, longitude = to_geographic(float(hypocentre[0]), float(hypocentre[1]), centre)
    values = {"latitude": latitude, "longitude": longitude, "depth_km": hypocentre[2], "magnitude": magnitude}
    return {name: float(value) for name, value in values.items()}


def _errors(prediction, i):
    """Ellipse and standard deviations: those of Student's t are larger than its scales."""
    scale = prediction.epicentre_tril[i].double().numpy()
    squared, axes = np.linalg.eigh(scale @ scale.T)
    minor, major = ellipse_radius(CONFIDENCE) * np.sqrt(squared)
    deviation = np.sqrt(TAIL / (TAIL - 2))
    return {
        "major_km": float(major),
        "minor_km": float(minor),
        "azimuth_deg": float(np.degrees(np.arctan2(*axes[:, 1])) % 180),
        "depth_error_km": float(deviation * prediction.depth_scale[i]),
        "magnitude_error": float(deviation * prediction.magnitude_scale[i]),
    }


def _geometry(offset, used, scale_km):
    """Stations used, azimuthal gap, distance of the nearest station, and remarks on them."""
    distance = np.hypot(*offset.T)
    gap = azimuthal_gap(np.degrees(np.arctan2(*-offset[used].T))) if used.any() else 360.0
    stations, nearest = int(used.sum()), float(distance.min())
    doubts = {
        f"only {stations} stations": stations < FEW_STATIONS,
        f"azimuthal gap {gap:.0f} degrees": gap > WIDE_GAP_DEG,
        f"nearest station {nearest:.0f} km away": nearest > FAR * scale_km,
    }
    remarks = tuple(text for text, holds in doubts.items() if holds)
    return {"stations": stations, "gap_deg": float(gap), "nearest_km": nearest, "remarks": remarks}


def _arrivals(codes, start, onset_s, residual_s, weight):
    """Onsets that are used, their number, and how well they fit."""
    used = weight >= USED
    found = tuple(
        Arrival(
            codes[i],
            "PS"[wave],
            start + pd.Timedelta(seconds=float(onset_s[i, wave])),
            float(residual_s[i, wave]),
            float(weight[i, wave]),
        )
        for i, wave in used.nonzero().tolist()
    )
    square = (weight * residual_s**2).sum() / weight.sum().clamp(min=1e-9)
    return {"arrivals": found, "onsets": len(found), "scatter_s": float(square.sqrt())}


# --------------------------------------------------------------------------------------------------------------- print


def table(locations) -> pd.DataFrame:
    """Locations as a bulletin prints them."""
    rows = [
        {
            "event": one.source_id,
            "origin time": one.time.strftime("%Y-%m-%d %H:%M:%S.%f")[:-4],
            "latitude": f"{one.latitude:.4f}",
            "longitude": f"{one.longitude:.4f}",
            "depth (km)": f"{one.depth_km:.1f} ± {one.depth_error_km:.1f}",
            "magnitude": f"{one.magnitude:.2f} ± {one.magnitude_error:.2f}",
            "ellipse (km)": f"{one.major_km:.1f} x {one.minor_km:.1f}, {one.azimuth_deg:.0f} degrees",
            "stations": one.stations,
            "gap": f"{one.gap_deg:.0f}",
            "scatter (s)": f"{one.scatter_s:.2f}",
            "remarks": "; ".join(one.remarks),
        }
        for one in locations
    ]
    return pd.DataFrame(rows)


def record(location) -> dict:
    """A location as plain values for JSON."""
    plain = asdict(location) | {"time": location.time.isoformat(), "remarks": list(location.remarks)}
    plain["arrivals"] = [{**asdict(one), "time": one.time.isoformat()} for one in location.arrivals]
    return plain
