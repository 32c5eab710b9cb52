"""Write the YAML file of each network from its real data: `python data/networks/make.py [name ...]`.

The files hold facts only (coordinates, velocity models, statistics of the bulletins); what is a choice and not a
measurement says so in a comment. The real data come from `SEISBOOK_DATA_DIR` or are downloaded.
"""

import logging
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from obspy.signal.spectral_estimation import get_nhnm, get_nlnm
from scipy.optimize import nnls

from seisbook.catalogues import geodesy, networks, sources
from seisbook.catalogues.bulletins import at_known_stations, read_nordic
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.networks import Network
from seisbook.catalogues.nordic import reading_geometry
from seisbook.catalogues.palm import read_palm, read_scsn
from seisbook.catalogues.schema import MagnitudeRelation, Station, VelocityModel, Window
from seisbook.catalogues.stations import locate_from_readings, read_seisan_velocity, read_stations
from seisbook.measures import estimates, seismicity
from seisbook.physics import residuals
from seisbook.physics.traveltimes import TravelTimes

FOLDER = Path(__file__).resolve().parent
LARGEST_ERROR_KM = 3.0  # a station that readings do not place better than this is left out
MOVED_KM = 10.0  # a listed station whose readings place it farther off than this is another one of the same code
ENOUGH_READINGS = 5
INVENTED = "a choice throughout: the bulletin has no, or hardly any, event here"
log = logging.getLogger("make")


# --- stations -----------------------------------------------------------------------------------------------------


def colombian_stations() -> list[Station]:
    """Stations of the bulletins: from the station file, under the accelerographs' alias, or solved from readings."""
    listed = {station.code: station for station in read_stations(sources.fetch("colombia/STATION0.HYP"))}
    bulletins = [sources.fetch(f"colombia/rsnc-{name}.out") for name in ("2018-02", "puerto-gaitan-1997-2015")]
    geometry = reading_geometry(*bulletins)
    stations = [_placed(code, readings, listed) for code, readings in geometry.groupby("station_code")]
    return [station for station in stations if station is not None]


def _placed(code, readings, listed):
    latitude, longitude, _ = locate_from_readings(
        readings.latitude, readings.longitude, readings.distance_km, readings.azimuth_deg
    )
    # whole degrees of azimuth are what limits a solved position
    error = 1 / np.sqrt(np.sum(1 / np.maximum(readings.distance_km * np.radians(0.29), 0.3) ** 2))
    for name in (code, f"C{code}", f"C{code[:-1]}" if code.endswith("C") else code):
        # RNAC's accelerographs are listed with a C in front (CNIZA) that bulletins put last (RECRC) or leave out (NIZA)
        station = listed.get(name)
        if station is not None and _km(station, latitude, longitude) < MOVED_KM + 3 * error:
            return replace(station, code=code)
    if error > LARGEST_ERROR_KM:
        log.info("%s left out: its %d readings place it only to %.0f km", code, len(readings), error)
        return None
    nearest = min(listed.values(), key=lambda station: _km(station, latitude, longitude))
    elevation = nearest.elevation_m if _km(nearest, latitude, longitude) < 5 else 0.0
    return Station(code, round(latitude, 4), round(longitude, 4), elevation, position_from="readings")


def _km(station, latitude, longitude):
    distance, _ = geodesy.distance_azimuth(station.latitude, station.longitude, latitude, longitude)
    return float(distance)


# --- what the bulletins say of stations and onsets -----------------------------------------------------------------


def with_site_terms(network: Network, catalogue) -> Network:
    """Site term: median residual of log10 amplitude against the magnitude relation; 0 with fewer than five readings."""
    residual = residuals.amplitude_residuals(catalogue, network).amplitude_residual
    terms = residual.groupby(catalogue.readings.station_code).agg(["median", "count"])
    terms = terms["median"].where(terms["count"] >= ENOUGH_READINGS, 0.0).clip(-1, 1).round(2)
    stations = [replace(s, site_term=float(terms.get(s.code, 0.0)) + 0.0) for s in network.stations]
    network = replace(network, stations=stations)
    scatter = estimates.robust_std(residuals.amplitude_residuals(catalogue, network).station_residual)
    return replace(network, magnitude=replace(network.magnitude, scatter=round(scatter, 2)))


def with_noise_levels(network: Network, catalogue) -> Network:
    """Noise level from the smallest amplitudes read: an analyst reads down to about three times the noise.

    The 5th percentile of a station's amplitudes over three is taken for the rms of its noise in the Wood-Anderson band,
    and placed, in dB, between those of Peterson's models. Fewer than ten amplitudes: the median of the other stations.
    """
    amplitudes = catalogue.readings.groupby("station_code").trace_amplitude_nm
    smallest = amplitudes.quantile(0.05).where(amplitudes.count() >= 10).dropna()
    low, high = np.log10([noise_rms_nm(model) for model in (get_nlnm, get_nhnm)])
    level = ((np.log10(smallest / 3) - low) / (high - low)).clip(0.05, 0.95).round(2)
    median = round(float(level.median()), 2)
    stations = [replace(s, noise_level=float(level.get(s.code, median))) for s in network.stations]
    return replace(network, stations=stations)


def noise_rms_nm(model, lowest_hz=1.25, highest_hz=10.0):
    """Root mean square ground displacement (nm) of a Peterson model above the Wood-Anderson's natural frequency."""
    period, db = model()
    frequency = np.linspace(lowest_hz, highest_hz, 1000)
    acceleration = np.interp(np.log(1 / frequency), np.log(period), db)
    displacement = 10 ** (acceleration / 10) / (2 * np.pi * frequency) ** 4
    return 1e9 * np.sqrt(np.trapezoid(displacement, frequency))


def with_onset_terms(network: Network, catalogue) -> Network:
    """Onset terms: median delay of a station's trusted P and S, at most 3 s; 0 with fewer than five readings."""
    residual = event_centred(network, catalogue)
    codes = catalogue.readings.station_code
    terms = {}
    for phase, values in residual.items():
        group = values.groupby(codes).agg(["median", "count"])
        terms[phase] = group["median"].where(group["count"] >= ENOUGH_READINGS, 0.0).clip(-3, 3).round(2)
    stations = [
        replace(s, p_term_s=float(terms["p"].get(s.code, 0.0)) + 0.0, s_term_s=float(terms["s"].get(s.code, 0.0)) + 0.0)
        for s in network.stations
    ]
    return replace(network, stations=stations)


def event_centred(network: Network, catalogue) -> dict[str, pd.Series]:
    """Residuals of trusted P and S onsets, less the median P residual of their event.

    That median is the error of the event's origin time, and shared by all stations.
    """
    readings = catalogue.readings
    residual = residuals.travel_time_residuals(catalogue, network, TravelTimes(network.velocity_model))
    common = residual.p_residual_s.groupby(readings.source_id).transform("median")
    return {
        phase: (residual[f"{phase}_residual_s"] - common).where(readings[f"trace_{phase}_weight"] > 0) for phase in "ps"
    }


def onset_scatter(network: Network, catalogue) -> tuple[tuple[float, float], float]:
    r"""Scatter of onsets about the 1-D model: near the source (P, S), and its growth per 100 km.

    Robust standard deviations in bins of distance are fitted with

    .. math:: \sigma^2(r) = \sigma_0^2 + (k r / 100\,\mathrm{km})^2

    after the error of each event's origin time and the stations' terms are taken off.
    """
    stations = network.station_table().reindex(catalogue.readings.station_code)
    distances = geodesy.path_geometry(catalogue, network).path_ep_distance_km
    rows, squares = [], []
    for column, (phase, residual) in enumerate(event_centred(network, catalogue).items()):
        value = (residual - stations[f"{phase}_term_s"].to_numpy()).dropna()
        for _, group in value.groupby(pd.qcut(distances[value.index], 8)):
            near = float(distances[group.index].median())
            rows.append([column == 0, column == 1, (near / 100) ** 2])
            squares.append(estimates.robust_std(group) ** 2)
    # a variance is known to a fraction of itself, so near bins weigh as much as far ones
    p, s, growth = np.sqrt(nnls(np.array(rows, float) / np.array(squares)[:, None], np.ones(len(squares)))[0])
    return (round(max(p, 0.02), 2), round(max(s, 0.03), 2)), round(growth, 2)


def dominant_period(catalogue) -> tuple[float, float]:
    """Median period of the amplitude readings at magnitude 0, and its factor per unit of magnitude."""
    readings = catalogue.readings[catalogue.readings.trace_amplitude_period_s > 0]
    magnitude = readings.source_id.map(catalogue.events.source_magnitude)
    groups = readings.trace_amplitude_period_s.groupby((2 * magnitude).round() / 2)
    medians = groups.median()[groups.size() >= 50]
    slope, intercept = np.polyfit(medians.index, np.log10(medians), 1)
    return round(float(10**intercept), 3), round(float(10**slope), 2)


# --- seismicity zones -----------------------------------------------------------------------------------------------


@dataclass
class Region:
    """Where a zone's events are looked for, and the choices that go into it."""

    name: str
    source_type: str
    events: pd.DataFrame
    magnitude_max: float
    share: float | None = None
    hours: tuple[float, float] = (0.0, 24.0)
    counted: str = "of the bulletin"
    smallest: float = 0.05  # quantile of the events' magnitudes at which the zone's begin


def within(events, latitude, longitude, km, shallowest=-10.0, deepest=999.0):
    """Events of a circle and a range of depth."""
    distance, _ = geodesy.distance_azimuth(events.source_latitude_deg, events.source_longitude_deg, latitude, longitude)
    return events[(distance <= km) & events.source_depth_km.between(shallowest, deepest)]


def named(events, pattern, shallowest=-10.0, deepest=999.0):
    """Events whose bulletin text names a region."""
    chosen = events.source_text.str.contains(pattern) & events.source_depth_km.between(shallowest, deepest)
    return events[chosen]


def zone_lines(regions: list[Region], b_default: float) -> list[str]:
    """The zones as YAML, measured from their events; shares that are not chosen take what is left, by count."""
    free = 1 - sum(region.share or 0 for region in regions)
    counted = sum(len(region.events) for region in regions if region.share is None)
    shares = [region.share or round(free * len(region.events) / counted, 3) for region in regions]
    biggest = int(np.argmax(shares))
    shares[biggest] = round(shares[biggest] + 1 - sum(shares), 3)
    lines = []
    for region, share in zip(regions, shares, strict=True):
        chosen = "share and magnitude_max are choices" if region.share else "magnitude_max is a choice"
        if region.counted != INVENTED:
            chosen = f"measured on {len(region.events)} events {region.counted}; {chosen}"
        lines.append(f"  # {chosen if region.counted != INVENTED else INVENTED}")
        fields = {"name": region.name, "source_type": region.source_type, **cloud(region.events)}
        b, measured = slope(region.events, b_default)
        lowest = round(float(region.events.source_magnitude.quantile(region.smallest)), 1)
        fields |= {"b_value": b, "magnitude_min": lowest, "magnitude_max": region.magnitude_max, "share": share}
        if region.hours != (0.0, 24.0):
            fields["hours"] = list(region.hours)
        lines += yaml_item(fields, {"b_value": "" if measured else "the network's: too few events here"})
    return lines


def cloud(events) -> dict:
    """Centre, strike and robust spreads of a cloud of hypocentres."""
    centre = float(events.source_latitude_deg.median()), float(events.source_longitude_deg.median())
    east, north = azimuthal_equidistant(
        events.source_latitude_deg.to_numpy(), events.source_longitude_deg.to_numpy(), centre
    )
    near = np.hypot(east, north) <= 3 * np.median(np.hypot(east, north)) + 1
    _, vectors = np.linalg.eigh(np.cov(east[near], north[near]))
    across, along = vectors.T
    strike = np.degrees(np.arctan2(along[0], along[1])) % 180
    depth = events.source_depth_km
    return {
        "latitude": round(centre[0], 3),
        "longitude": round(centre[1], 3),
        "depth_km": round(max(float(depth.median()), 0.0), 1),
        "length_km": round(max(float(np.std(east[near] * along[0] + north[near] * along[1])), 0.5), 1),
        "width_km": round(max(float(np.std(east[near] * across[0] + north[near] * across[1])), 0.5), 1),
        "depth_spread_km": round(max(estimates.robust_std(depth), 1.0), 1),
        "strike_deg": round(float(strike), 0),
    }


def slope(events, default) -> tuple[float, bool]:
    """The zone's b-value if fifty events lie above its completeness, else the network's."""
    least = seismicity.completeness(events.source_magnitude)
    if (events.source_magnitude >= least).sum() < 50:
        return default, False
    return round(seismicity.b_value(events.source_magnitude, least)[0], 2), True


def yaml_item(fields, comments):
    """One mapping of a YAML list, a key a line."""
    lines = []
    for i, (key, value) in enumerate(fields.items()):
        comment = f"  # {comments[key]}" if comments.get(key) else ""
        lines.append(f"  {'-' if i == 0 else ' '} {key}: {value}{comment}")
    return lines


# --- the three networks ---------------------------------------------------------------------------------------------


def colombia() -> str:
    """YAML of Colombia's national network."""
    velocity = replace(
        read_seisan_velocity(sources.fetch("colombia/STATION0.HYP")), source="RSNC, STATION0.HYP of SEISAN"
    )
    network = Network(
        name="colombia",
        title="Colombia (RSNC)",
        reference="Red Sismologica Nacional de Colombia, Servicio Geologico Colombiano: bulletin of February 2018",
        utc_offset_h=-5,
        velocity_model=velocity,
        magnitude=MagnitudeRelation(1.019, 0.0016, -1.79, 0.3, "RSNC: STATION0.HYP, RESET TEST(75) to (78)"),
        window=Window(120, 20, (5, 15)),
        pick_scatter_s=(0.3, 0.5),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.25, 1.1),
        minimum_stations=4,
        stations=colombian_stations(),
    )
    february = read_nordic(sources.fetch("colombia/rsnc-2018-02.out"), network="colombia")
    gaitan = read_nordic(sources.fetch("colombia/rsnc-puerto-gaitan-1997-2015.out"), network="colombia")
    network = measured(network, at_known_stations(february, network))
    network = replace(network, dominant_period_s=dominant_period(february))
    b_value = slope(february.events, 1.0)[0]
    zones = zone_lines(colombian_regions(february.events, gaitan.events), b_value)
    comments = {
        "magnitude": "RSNC's own relation; scatter is measured after site terms",
        "window": "a choice: 120 s hold P and S of regional events",
        "dominant_period_s": "measured: median period of amplitude readings at magnitude 0, and factor per unit",
        "minimum_stations": "a choice; the bulletin's events have 3 and more",
    }
    return to_yaml(network, zones, comments)


def colombian_regions(events, gaitan) -> list[Region]:
    """Zones of Colombia; the rare kinds of event get a share that lets a twin of 1,000 events hold some of each."""
    shallow, rare = 60.0, 0.012
    volcano = {"source_type": "volcanic", "magnitude_max": 4.0, "share": rare, "counted": INVENTED}
    quarry = within(events, 11.1, -72.6, 60, deepest=30)
    quarry = quarry[((quarry.source_origin_time.dt.hour - 5) % 24).between(7, 17)]
    regions = [
        Region("Bucaramanga nest", "deep_nest", within(events, 6.8, -73.15, 45, 110), 6.5),
        Region("Puerto Gaitan", "induced", within(gaitan, 4.1, -71.9, 60), 4.8, 0.08, counted="of 1997-2015"),
        Region("Northern Pacific margin", "offshore", named(events, "PACIFICO NORTE"), 7.0),
        Region("Central Pacific margin", "offshore", named(events, "PACIFICO CENTRO"), 7.0),
        Region("Southern Pacific margin", "offshore", named(events, "PACIFICO SUR"), 7.5),
        Region("Caribbean margin", "offshore", named(events, "MAR CARIBE"), 6.5),
        Region("Murindo and Dabeiba", "tectonic", within(events, 7.0, -76.4, 90, deepest=shallow), 7.0),
        Region("Eastern Cordillera and Meta", "tectonic", within(events, 4.3, -73.8, 130, deepest=shallow), 6.8),
        Region("Upper Magdalena", "tectonic", within(events, 2.6, -75.4, 100, deepest=shallow), 6.8),
        Region("Cesar and Perija", "tectonic", within(events, 10.6, -73.5, 70, deepest=90), 6.5),
        Region("Cauca slab", "tectonic", within(events, 4.3, -76.3, 110, 60), 7.0),
        Region("Lenguazaque slab cluster", "tectonic", within(events, 5.3, -73.7, 40, 100), 6.5),
        Region("Cerro Machin", events=point(4.48, -75.39), **volcano),
        Region("Nevado del Ruiz", events=point(4.89, -75.32), **volcano),
        Region("Nevado del Huila", events=point(2.93, -76.03), **volcano),
        Region("Galeras", events=point(1.22, -77.36), **volcano),
        Region(
            "El Cerrejon coal mine",
            "quarry_blast",
            quarry,
            2.5,
            0.03,
            (7.0, 18.0),
            "by day near the mine; their kind is inferred",
        ),
    ]
    placed = [region.events.index for region in regions if region.counted == "of the bulletin"]
    rest = events.drop(pd.Index(np.concatenate([*placed, quarry.index])), errors="ignore")
    deep = rest.source_depth_km > shallow
    return [
        *regions,
        Region("Elsewhere, intermediate depth", "tectonic", rest[deep], 7.0),
        Region("Elsewhere, shallow", "tectonic", rest[~deep], 6.5),
    ]


def point(latitude, longitude, depth_km=2.0, km=2.5, n=60):
    """A made-up cloud for a zone without events of its own."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "source_latitude_deg": latitude + km / 111.2 * rng.standard_normal(n),
            "source_longitude_deg": longitude + km / 111.2 * rng.standard_normal(n),
            "source_depth_km": np.abs(depth_km + 1.5 * rng.standard_normal(n)),
            "source_magnitude": np.full(n, 1.2),
        }
    )


def ridgecrest() -> str:
    """YAML of the Ridgecrest network."""
    palm, scsn = sources.fetch("ridgecrest/eg_pal_ct_full.pha"), sources.fetch("ridgecrest/scsn-2019.catalog")
    catalogue = read_palm(palm, scsn)
    listed = read_stations(sources.fetch("ridgecrest/example_pal_format1.sta"))
    used = [station for station in listed if station.code in set(catalogue.readings.station_code)]
    readings = catalogue.readings
    vp_vs = seismicity.wadati(readings.path_p_travel_s, readings.path_s_travel_s, readings.source_id).value
    speeds = np.loadtxt(sources.fetch("ridgecrest/velo_p_eg.cre"), skiprows=1)
    network = Network(
        name="ridgecrest",
        title="Ridgecrest, California",
        reference="PALM picks (Zhou et al.) of 4-6 July 2019 with the Southern California Seismic Network's labels",
        utc_offset_h=-7,
        velocity_model=VelocityModel(
            speeds[:, 1].tolist(), speeds[:, 0].tolist(), round(vp_vs, 3), "PALM, velo_p_eg.cre; Vp/Vs: Wadati fit"
        ),
        magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.3, "Hutton and Boore (1987) in IASPEI's form"),
        window=Window(30, 50, (2, 5)),
        pick_scatter_s=(0.1, 0.2),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.1, 1.35),
        minimum_stations=4,
        stations=used,
    )
    offset = residuals.amplitude_residuals(catalogue, network).amplitude_residual.median()
    network = measured(network, catalogue)
    b_value = slope(catalogue.events, 1.0)[0]
    zones = zone_lines(ridgecrest_regions(catalogue.events, scsn), b_value)
    comments = {
        "magnitude": f"amplitudes read are {offset:+.2f} (median log10) off this relation: the site terms hold that",
        "window": "a choice: 30 s hold P, S and coda of a local event",
        "dominant_period_s": "a choice: no period is read; grows slower than Brune's 3.2 because attenuation caps it",
        "minimum_stations": "the least that PALM associates",
    }
    return to_yaml(network, zones, comments)


def ridgecrest_regions(events, scsn_path) -> list[Region]:
    """Two faults split by the nearer line, and the region's other kinds of event from the whole year's catalogue."""
    mainshock = across_line(events, 35.77, -117.60, 320)
    foreshock = across_line(events, 35.66, -117.54, 45)
    year = read_scsn(scsn_path).rename(columns=lambda name: f"source_{name}")
    coso = within(year, 36.02, -117.79, 8, deepest=6)
    trona = within(year, 35.77, -117.37, 6, deepest=3)
    hour = (trona.source_origin_time.dt.hour - 7) % 24
    trona = trona[hour.between(7, 17)]
    yearly = "of SCSN's year 2019"
    incomplete = 0.25  # a choice: in these three days aftershocks hid in each other's codas, which the twin lacks
    return [
        Region("Mainshock rupture", "tectonic", events[mainshock <= foreshock], 7.1, smallest=incomplete),
        Region("Foreshock rupture", "tectonic", events[mainshock > foreshock], 6.4, smallest=incomplete),
        Region("Coso geothermal field", "induced", coso, 4.5, 0.06, counted=yearly),
        Region("Coso volcanic field", "volcanic", point(36.03, -117.82, 3.0), 4.0, 0.02, counted=INVENTED),
        Region(
            "Trona quarries", "quarry_blast", trona, 2.5, 0.03, (7.0, 18.0), f"{yearly}, by day; their kind is inferred"
        ),
    ]


def across_line(events, latitude, longitude, strike_deg):
    """Distance (km) of epicentres from a straight line."""
    east, north = azimuthal_equidistant(
        events.source_latitude_deg.to_numpy(), events.source_longitude_deg.to_numpy(), (latitude, longitude)
    )
    strike = np.radians(strike_deg)
    return np.abs(east * np.cos(strike) - north * np.sin(strike))


def iceland() -> str:
    """YAML of the Iceland network, from QuakeMigrate's example."""
    files = [sources.fetch(name) for name in sources.network_files("iceland") if not name.endswith((".m", ".txt"))]
    tables = {
        kind: pd.concat([pd.read_csv(path) for path in files if path.suffix == kind], ignore_index=True)
        for kind in (".event", ".picks", ".amps")
    }
    picks = tables[".picks"][tables[".picks"].PickTime != "-1"]
    scatter = [round(estimates.robust_std(picks.Residual[picks.Phase == phase].astype(float)), 2) for phase in "PS"]
    speeds = pd.read_csv(sources.fetch("iceland/iceland_vmodel.txt"))
    stations = read_stations(sources.fetch("iceland/iceland_stations.txt"))
    relation, terms = icelandic_magnitude(tables[".amps"])
    network = Network(
        name="iceland",
        title="Bardarbunga, Iceland",
        reference="QuakeMigrate's volcano-tectonic example: 27 events of 24 August 2014 (network Z7)",
        utc_offset_h=0,
        # the source interpolates between its points: mean speeds give its own travel times to 0.03 s but for a shift
        # of 0.1 s, speeds held constant down to the next point are 0.9 s late
        velocity_model=VelocityModel(
            speeds.Depth.tolist(),
            [
                *((speeds.Vp[1:].to_numpy() + speeds.Vp[:-1].to_numpy()) / 2).round(3).tolist(),
                float(speeds.Vp.iloc[-1]),
            ],
            1.78,
            "QuakeMigrate, iceland_vmodel.txt, mean speed between its points",
        ),
        magnitude=relation,
        window=Window(20, 50, (2, 5)),
        pick_scatter_s=tuple(scatter),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.2, 1.2),
        minimum_stations=4,
        stations=[replace(s, network="Z7", site_term=float(terms.get(s.code, 0.0)) + 0.0) for s in stations],
    )
    # models are trained on this network's twin and tested on the 27 real events: nothing of these is in the zone
    fields = {
        "name": "under the stations",
        "source_type": "volcanic",
        "latitude": round(float(np.mean([one.latitude for one in stations])), 3),
        "longitude": round(float(np.mean([one.longitude for one in stations])), 3),
        "depth_km": 6.0,
        "length_km": 12.0,
        "width_km": 12.0,
        "depth_spread_km": 3.0,
        "strike_deg": 0.0,
        "b_value": 1.0,
        "magnitude_min": 0.3,
        "magnitude_max": 3.0,
        "share": 1.0,
    }
    zones = ["  # a choice: the area and upper crust under the stations, none of the 27 real events was looked at"]
    zones += yaml_item(fields, {})
    comments = {
        "magnitude": "fitted to the source's own amplitudes and station magnitudes (Wood-Anderson gain 2080)",
        "window": "a choice: within every record, whose ends, cut about the origin time, would give that away",
        "pick_scatter_s": "measured: robust deviation of the source's pick residuals",
        "pick_scatter_per_100km_s": "a choice: the network is 50 km wide",
        "dominant_period_s": "a choice near the source's S frequencies of 2 to 5 Hz",
        "minimum_stations": "a choice",
    }
    return to_yaml(network, zones, comments)


def icelandic_magnitude(amplitudes) -> tuple[MagnitudeRelation, pd.Series]:
    """The relation behind the source's station magnitudes, and each station's mean residual."""
    table = amplitudes[(amplitudes.ML > -90) & (amplitudes.S_amp > 0)]
    distance = np.hypot(table.epi_dist, table.z_dist)
    nm = np.log10(table.S_amp * 1e6 / 2080)  # mm on a Wood-Anderson record to nm of ground
    design = np.column_stack([np.log10(distance), distance, np.ones(len(table))])
    b, c, d = np.linalg.lstsq(design, table.ML - nm, rcond=None)[0]
    station = table.id.str.split(".").str[1]
    event = (table.id == table.id.iloc[0]).cumsum()  # each event's file begins again with the first channel
    residual = table.ML - table.ML.groupby(event).transform("median")
    terms = residual.groupby(station).median().clip(-1, 1).round(2)
    scatter = estimates.robust_std(residual - station.map(terms))
    source = "QuakeMigrate's amplitudes and station magnitudes, least squares"
    return MagnitudeRelation(round(b, 3), round(c, 5), round(d, 3), round(scatter, 2), source), terms


def measured(network: Network, catalogue) -> Network:
    """The network with site terms, onset terms, noise levels and onset scatter from its bulletin."""
    network = with_onset_terms(with_noise_levels(with_site_terms(network, catalogue), catalogue), catalogue)
    scatter, growth = onset_scatter(network, catalogue)
    return replace(network, pick_scatter_s=scatter, pick_scatter_per_100km_s=growth)


# --- YAML -----------------------------------------------------------------------------------------------------------


def to_yaml(network: Network, zones: list[str], comments: dict[str, str]) -> str:
    """The network as text: comments, a station a line."""
    notes = {
        "pick_scatter_s": "measured: P and S onsets about the 1-D model and the stations' terms, near the source (s)",
        "pick_scatter_per_100km_s": "measured: growth of that scatter with distance",
    } | comments
    model, relation, window = network.velocity_model, network.magnitude, network.window
    lines = [
        "# Written by data/networks/make.py from the real bulletins: change that script, not this file.",
        f"name: {network.name}",
        f"title: {network.title}",
        f'reference: "{network.reference}"',
        f"utc_offset_h: {network.utc_offset_h:g}",
        "velocity_model:",
        f"  top_km: {model.top_km}",
        f"  vp_km_s: {model.vp_km_s}",
        f"  vp_vs: {model.vp_vs}",
        f'  source: "{model.source}"',
        f"magnitude:  # {notes['magnitude']}",
        *(f"  {key}: {getattr(relation, key)}" for key in ("b", "c", "d", "scatter")),
        f'  source: "{relation.source}"',
        f"window:  # {notes['window']}",
        f"  length_s: {window.length_s:g}",
        f"  sampling_rate_hz: {window.sampling_rate_hz:g}",
        f"  lead_s: {[float(value) for value in window.lead_s]}",
    ]
    for key in ("pick_scatter_s", "pick_scatter_per_100km_s", "dominant_period_s", "minimum_stations"):
        value = getattr(network, key)
        value = [float(item) for item in value] if isinstance(value, tuple) else value
        lines.append(f"{key}: {value}  # {notes[key]}")
    lines += ["stations:", *map(station_line, sorted(network.stations, key=lambda station: station.code))]
    return "\n".join([*lines, "zones:", *zones]) + "\n"


def station_line(station: Station) -> str:
    """One station in flow style; what has its default value is left out, quoted codes never turn into booleans."""
    fields = [
        f"code: {station.code!r}".replace("'", '"'),
        f"latitude: {station.latitude:.4f}",
        f"longitude: {station.longitude:.4f}",
        f"elevation_m: {station.elevation_m:g}",
        f"site_term: {station.site_term:.2f}",
        f"noise_level: {station.noise_level:.2f}",
    ]
    fields += [f"{key}: {value:.2f}" for key in ("p_term_s", "s_term_s") if (value := getattr(station, key))]
    if station.network:
        fields.append(f"network: {station.network}")
    if station.position_from == "readings":
        fields.append("position_from: readings")
    return "  - {" + ", ".join(fields) + "}"


def write(name: str, text: str) -> None:
    """Write a network's file whole, after checking that it loads."""
    with tempfile.TemporaryDirectory(dir=FOLDER, prefix=".") as folder:
        draft = Path(folder) / f"{name}.yaml"
        draft.write_text(text, encoding="utf-8")
        network = networks.load(draft)
        os.replace(draft, FOLDER / f"{name}.yaml")
    log.info("%s: %d stations, %d zones", name, len(network.stations), len(network.zones))


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    makers = {"colombia": colombia, "ridgecrest": ridgecrest, "iceland": iceland}
    for chosen in sys.argv[1:] or makers:
        write(chosen, makers[chosen]())
