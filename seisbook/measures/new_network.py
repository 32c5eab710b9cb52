"""A network's description from nothing but its bulletin, and perhaps files of its stations and of its velocities.

What the bulletin does not say is a choice, and the description says so in a comment. Nothing here knows a network.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from seisbook.catalogues import bulletins, duplicates, palm_phases
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import continuous
from seisbook.catalogues.network_yaml import item, to_yaml
from seisbook.catalogues.networks import Network
from seisbook.catalogues.nordic import geometry_of
from seisbook.catalogues.remarks import Remarks
from seisbook.catalogues.schema import VelocityModel, Window
from seisbook.catalogues.station_places import Placement, place
from seisbook.catalogues.stations import read_stations
from seisbook.catalogues.velocity_files import read_velocity
from seisbook.errors import UserError
from seisbook.measures import network_terms
from seisbook.measures.magnitude_fit import HUTTON_BOORE, MagnitudeFit, fit_magnitude
from seisbook.measures.seismic_zones import FEWEST_EVENTS, zones_of
from seisbook.measures.seismicity import completeness
from seisbook.measures.velocity_fit import VelocityFit, fit_velocity, fit_vp_vs

WINDOWS = ((30.0, 50.0, (2.0, 5.0)), (60.0, 40.0, (3.0, 8.0)), (120.0, 20.0, (5.0, 15.0)), (240.0, 10.0, (10.0, 30.0)))
"""Windows to choose from: length (s), sampling rate (Hz), lead (s); all cost a model about the same."""
HELD_BY_WINDOW = 0.9  # share of the onsets that a window holds
FIRST_MODEL = VelocityModel([0.0], [6.0], 1.73, "none yet")
ENOUGH_ONSETS = 100  # of P and of S, to measure their scatter
CHOSEN_SCATTER = (0.1, 0.2), 0.1
CHOSEN_PERIOD = 0.2, 1.25
FEWEST_STATIONS, USUAL = 3, 0.05  # stations that report an event: at least, and quantile over the events
INSIDE = 0.01, 0.99  # quantiles of the events between which a network's range of validity lies
RANGE = {
    "latitude": "source_latitude_deg",
    "longitude": "source_longitude_deg",
    "depth_km": "source_depth_km",
    "magnitude": "source_magnitude",
}


@dataclass(frozen=True)
class Draft:
    """A described network, and what its report is made of.

    Parameters
    ----------
    network : Network
    catalogue : Catalogue
        The bulletin at known stations.
    comments : dict of str to str
        By the key of the description.
    zone_comments : list of str
    placements : list of Placement
        Of every station code of the bulletin.
    velocity : VelocityFit or None
        None if the model was given.
    magnitude : MagnitudeFit
    unused : int
        Stations of the file that the bulletin has no reading of.
    bulletin : list of path
        Files that it was made from.
    """

    network: Network
    catalogue: Catalogue
    comments: dict
    zone_comments: list
    placements: list[Placement]
    velocity: VelocityFit | None
    magnitude: MagnitudeFit
    unused: int
    bulletin: list

    def text(self, folder=None) -> str:
        """The description as YAML; its bulletin is named relative to the folder that it will lie in, if it lies below.

        Parameters
        ----------
        folder : path, optional
        """
        network, box = self.network, validity(self.catalogue.events)
        header = [
            f"Written by `seisbook network new` from {len(self.catalogue)} events; change what you know better.",
            "Range in which the bulletin says something (98 % of its events):",
            *(f"  {name} {low:g} to {high:g}" for name, (low, high) in box.items()),
        ]
        if self.catalogue.events.source_magnitude.notna().any():
            header.append(f"  complete from magnitude {completeness(self.catalogue.events.source_magnitude):.1f}")
        zones = []
        for zone, comment in zip(network.zones, self.zone_comments, strict=True):
            fields = {name: value for name, value in vars(zone).items() if name != "hours"}
            zones += [f"  # {comment}", *item(fields, {})]
        top = Path(folder or ".").resolve()
        paths = [Path(path).resolve() for path in self.bulletin]
        named = [path.relative_to(top) if path.is_relative_to(top) else path for path in paths]
        return to_yaml(network, zones, self.comments, header, named)


def validity(events) -> dict[str, tuple[float, float]]:
    """Range of places, depths and magnitudes of a table of events, without the outermost hundredth on each side.

    Across the antimeridian, longitudes go on beyond 180.
    """
    found = {}
    for name, column in RANGE.items():
        values = events[column].dropna()
        values = continuous(values) if name == "longitude" else values
        if len(values):
            found[name] = tuple(float(np.round(value, 3)) for value in np.quantile(values, INSIDE))
    return found


def draft(bulletin, stations=None, velocity=None, name="network") -> Draft:
    """Describe a network.

    Parameters
    ----------
    bulletin : list of path
        Catalogues with readings, in any format of `seisbook.catalogues.bulletins.read_catalogue`.
    stations : path, optional
        Station file. Stations that it lacks are solved from the readings' distances and azimuths, if these are there.
    velocity : path, optional
        Velocity model, see `seisbook.catalogues.velocity_files`. Without it, one is fitted to the readings.
    name : str
        Of the network.

    Raises
    ------
    UserError
        If no station is known, or the bulletin has too little to describe a network by.
    """
    catalogue, geometry = read(bulletin, name)
    listed = read_stations(stations) if stations else []
    placements = _placements(catalogue, geometry, {station.code: station for station in listed})
    network = _first(bulletin, stations, name, placements)
    catalogue = bulletins.at_known_stations(catalogue, network)
    catalogue = catalogue.select(catalogue.events.index.isin(catalogue.readings.source_id))
    if len(catalogue) < FEWEST_EVENTS:
        raise UserError(f"{bulletin[0]}: {len(catalogue)} events with readings: give at least {FEWEST_EVENTS}")
    network = _without_silent(network, catalogue)
    fit = None if velocity else fit_velocity(catalogue, network)
    model = read_velocity(velocity, fit_vp_vs(catalogue)) if velocity else fit.model
    network = replace(network, velocity_model=model)
    magnitude = fit_magnitude(catalogue, network)
    network = replace(network, magnitude=magnitude.relation, window=window_of(catalogue))
    network, comments = _measured(network, catalogue, magnitude)
    zones = zones_of(catalogue.events)
    network = replace(network, zones=[zone for zone, _ in zones])
    comments["velocity_model"] = _on_velocity(fit, catalogue)
    unused = len({station.code for station in listed} - set(catalogue.readings.station_code))
    said = [comment for _, comment in zones]
    return Draft(network, catalogue, comments, said, placements, fit, magnitude, unused, list(bulletin))


def named(path) -> str:
    """Name of a network from that of its file: lower-case letters, digits and underscores."""
    name = re.sub(r"[^a-z0-9]+", "_", Path(path).stem.lower()).strip("_")[:60]
    return name if name[:1].isalpha() else f"network_{name}"[:60]


def read(bulletin, name) -> tuple[Catalogue, object]:
    """One catalogue of all files, and where their readings put the stations, see `geometry_of`."""
    parts, events = [], []
    for path in bulletin:
        remarks = Remarks()
        if bulletins.is_palm(path):
            parts.append(duplicates.assemble(name, palm_phases.rows(path, remarks.lines), remarks))
            continue
        entries, how = bulletins.entries_of(path, remarks)
        events += [entry.event for entry in entries]
        parts.append(bulletins.of_entries(name, entries, how, remarks))
    return duplicates.joined(parts, bulletin), geometry_of(events)


def _placements(catalogue, geometry, listed):
    by_code = dict(list(geometry.groupby("station_code")))
    none = geometry.iloc[:0]
    codes = sorted(set(catalogue.readings.station_code))
    return [place(code, by_code.get(code, none), listed) for code in codes]


def _first(bulletin, stations, name, placements):
    """The network as far as files say it; everything else is a first guess."""
    known = [_rounded(one.station) for one in placements if one.station is not None]
    if not placements:
        raise UserError(f"{bulletin[0]}: no event has an onset at a station: give a bulletin with picks")
    if not known:
        remedy = "give a station file with --stations" if stations is None else "check the codes in the station file"
        raise UserError(f"{bulletin[0]}: none of its {len(placements)} stations has known coordinates: {remedy}")
    files = ", ".join(Path(path).name for path in [*bulletin, *([stations] if stations else [])])
    length, rate, lead = WINDOWS[0]
    network = Network(
        name=name,
        title=name.replace("_", " ").capitalize(),
        reference=re.sub(r"[^ -~]", "_", files)[:900],
        utc_offset_h=0,
        velocity_model=FIRST_MODEL,
        magnitude=HUTTON_BOORE,
        window=Window(length, rate, lead),
        pick_scatter_s=CHOSEN_SCATTER[0],
        pick_scatter_per_100km_s=CHOSEN_SCATTER[1],
        dominant_period_s=CHOSEN_PERIOD,
        minimum_stations=FEWEST_STATIONS,
        stations=known,
    )
    return replace(network, utc_offset_h=round(network.centre[1] / 15))


def _rounded(station):
    """A station as its line of the description has it: to 10 m."""
    return replace(station, latitude=round(station.latitude, 4), longitude=round(station.longitude, 4))


def _without_silent(network, catalogue):
    """The network without stations of which no reading is left."""
    read = set(catalogue.readings.station_code)
    return replace(network, stations=[station for station in network.stations if station.code in read])


def window_of(catalogue) -> Window:
    """The shortest of `WINDOWS` that holds nine in ten of the onsets after its longest lead."""
    onsets = catalogue.readings[["path_p_travel_s", "path_s_travel_s"]]
    first = onsets.min(axis=1).groupby(catalogue.readings.source_id).transform("min")
    after = onsets.sub(first, axis=0).stack()
    longest = float(after.quantile(HELD_BY_WINDOW))
    fitting = [one for one in WINDOWS if longest + one[2][1] <= one[0]]
    return Window(*(fitting or WINDOWS[-1:])[0])


def _measured(network, catalogue, magnitude):
    """The network with what its readings say of stations and onsets, and comments on what they do not say."""
    readings, comments = catalogue.readings, {"utc_offset_h": "a choice: the solar time of the network's centre"}
    stations = readings.groupby("source_id").station_code.nunique()
    least = max(FEWEST_STATIONS, int(stations.quantile(USUAL)))
    network = replace(network, minimum_stations=least)
    comments["minimum_stations"] = "measured: 95 % of the events have as many"
    comments["window"] = f"a choice: the shortest that holds {HELD_BY_WINDOW:.0%} of the onsets"
    comments["magnitude"] = _on_magnitude(magnitude)
    if magnitude.amplitudes:
        network = network_terms.with_site_terms(network, catalogue)
    if readings.groupby("station_code").trace_amplitude_nm.count().max() >= network_terms.ENOUGH_AMPLITUDES:
        network = network_terms.with_noise_levels(network, catalogue)
    network = network_terms.with_onset_terms(network, catalogue)
    if min(readings[f"path_{wave}_travel_s"].notna().sum() for wave in "ps") >= ENOUGH_ONSETS:
        scatter, growth = network_terms.onset_scatter(network, catalogue)
        network = replace(network, pick_scatter_s=scatter, pick_scatter_per_100km_s=growth)
    else:
        comments |= dict.fromkeys(("pick_scatter_s", "pick_scatter_per_100km_s"), "a choice: too few onsets")
    network, comments["dominant_period_s"] = _with_period(network, catalogue)
    return network, comments


def _with_period(network, catalogue):
    """The network with its dominant period, if periods were read, and a comment."""
    magnitude = catalogue.readings.source_id.map(catalogue.events.source_magnitude)
    period = catalogue.readings.trace_amplitude_period_s
    halves = (2 * magnitude[period > 0]).round().value_counts()
    if (halves >= network_terms.ENOUGH_PERIODS).sum() < 2:
        return network, "a choice: hardly any period of an amplitude was read"
    first, growth = network_terms.dominant_period(catalogue)
    network = replace(network, dominant_period_s=(first, float(np.clip(growth, 0.5, 3.0))))
    return network, "measured: median period of amplitude readings at magnitude 0, and factor per unit"


def _on_magnitude(magnitude):
    if not magnitude.fitted:
        return f"a choice, Hutton and Boore (1987): {magnitude.amplitudes} amplitudes are too few to calibrate it"
    return f"{magnitude.fitted} calibrated on {magnitude.amplitudes} amplitudes; scatter is measured after site terms"


def _on_velocity(fit, catalogue):
    if fit is None:
        return "given"
    depth = catalogue.events.source_depth_km.quantile(0.95)
    return f"fitted to {fit.readings} P onsets, scatter {fit.scatter_s:.2f} s; 95 % of events are above {depth:.0f} km"
