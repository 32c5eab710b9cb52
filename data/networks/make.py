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
import obspy
import pandas as pd

from seisbook.catalogues import geodesy, networks, sources, station_places
from seisbook.catalogues.bulletins import at_known_stations, read_nordic
from seisbook.catalogues.geodesy import azimuthal_equidistant
from seisbook.catalogues.network_yaml import item, to_yaml
from seisbook.catalogues.networks import Network
from seisbook.catalogues.nordic import reading_geometry
from seisbook.catalogues.openeew import read_devices
from seisbook.catalogues.palm import read_palm, read_scsn
from seisbook.catalogues.ridgecrest_august import read_plan_stations
from seisbook.catalogues.schema import MagnitudeRelation, Station, VelocityModel, Window
from seisbook.catalogues.stations import read_seisan_velocity, read_stations
from seisbook.catalogues.uturuncu import SEISMOGRAMS, read_uturuncu, read_uturuncu_stations
from seisbook.measures import estimates, seismicity, velocity_fit
from seisbook.measures.network_terms import dominant_period, measured
from seisbook.measures.seismic_zones import cloud, slope
from seisbook.physics import residuals

FOLDER = Path(__file__).resolve().parent
HEADER = ["Written by data/networks/make.py from the real bulletins: change that script, not this file."]
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
    # RNAC's accelerographs are listed with a C in front (CNIZA) that bulletins put last (RECRC) or leave out (NIZA)
    names = f"C{code}", f"C{code[:-1]}" if code.endswith("C") else code
    found = station_places.place(code, readings, listed, names)
    if found.station is None:
        log.info("%s left out: its %d readings place it only to %.0f km", code, len(readings), found.error_km)
    return found.station


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
        b, is_own = slope(region.events, b_default)
        lowest = round(float(region.events.source_magnitude.quantile(region.smallest)), 1)
        fields |= {"b_value": b, "magnitude_min": lowest, "magnitude_max": region.magnitude_max, "share": share}
        if region.hours != (0.0, 24.0):
            fields["hours"] = list(region.hours)
        lines += item(fields, {"b_value": "" if is_own else "the network's: too few events here"})
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
    return to_yaml(network, zones, comments, HEADER)


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
    return to_yaml(network, zones, comments, HEADER)


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
    zones += item(fields, {})
    comments = {
        "magnitude": "fitted to the source's own amplitudes and station magnitudes (Wood-Anderson gain 2080)",
        "window": "a choice: within every record, whose ends, cut about the origin time, would give that away",
        "pick_scatter_s": "measured: robust deviation of the source's pick residuals",
        "pick_scatter_per_100km_s": "a choice: the network is 50 km wide",
        "dominant_period_s": "a choice near the source's S frequencies of 2 to 5 Hz",
        "minimum_stations": "a choice",
    }
    return to_yaml(network, zones, comments, HEADER)


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


def uturuncu() -> str:
    """YAML of the Uturuncu network."""
    folder = sources.folder("uturuncu")
    catalogue = read_uturuncu(folder)
    # the responses' file lists more stations; those count that recorded one of the events
    listed = read_uturuncu_stations(folder)
    recorded = {trace.stats.station for path in sorted((folder / SEISMOGRAMS).glob("*.m")) for trace in heads(path)}
    network = Network(
        name="uturuncu",
        title="Uturuncu, Bolivia",
        reference="50 events of June 2011, NonLinLoc locations (Hudson, SeisSrcMoment's example; network XP)",
        utc_offset_h=-4,
        velocity_model=VelocityModel([0.0], [5.5], 1.75, "to be fitted"),
        magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.3, "Hutton and Boore (1987) in IASPEI's form"),
        window=Window(30, 50, (2, 5)),
        pick_scatter_s=(0.1, 0.2),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.2, 1.2),
        minimum_stations=4,
        stations=[station for station in listed if station.code in recorded],
    )
    readings = catalogue.readings[catalogue.readings.trace_p_weight > 0]
    scatter = [round(estimates.robust_std(readings[f"path_{wave}_residual_s"].dropna()), 2) for wave in "ps"]
    network = replace(network, velocity_model=speeds_of_the_locator(catalogue, network), pick_scatter_s=tuple(scatter))
    comments = {
        "magnitude": "a choice: the source gives no magnitudes",
        "velocity_model": "the source does not state its model: fitted to the travel times that its locator predicted",
        "window": "a choice: P and S of all stations; the records begin at the origin time",
        "pick_scatter_s": "measured: robust deviation of the locator's residuals",
        "pick_scatter_per_100km_s": "a choice: the network is 100 km wide",
        "dominant_period_s": "a choice, as in Iceland",
        "minimum_stations": "a choice",
    }
    return to_yaml(network, zones_under(network, "volcanic", 12.0, 4.0), comments, HEADER)


def ridgecrest_august() -> str:
    """YAML of the 16 accelerometers near Ridgecrest, with the model and the relation of the network `ridgecrest`."""
    like = networks.load("ridgecrest")
    network = replace(
        like,
        name="ridgecrest_august",
        title="Ridgecrest, August 2019",
        reference="four events of 23 August 2019 on 16 accelerometers (sample of PLAN, Si et al.), SCSN's locations",
        window=Window(20, 50, (0.5, 1.5)),
        stations=read_plan_stations(sources.folder("ridgecrest_august")),
        zones=[],
    )
    comments = {
        "velocity_model": "as in ridgecrest.yaml",
        "magnitude": "as in ridgecrest.yaml",
        "window": "a choice: the records begin at the origin time, and the first P comes 1.8 s later or more",
        "pick_scatter_s": "as in ridgecrest.yaml",
        "pick_scatter_per_100km_s": "as in ridgecrest.yaml",
        "dominant_period_s": "as in ridgecrest.yaml",
        "minimum_stations": "as in ridgecrest.yaml",
    }
    return to_yaml(network, zones_under(network, "tectonic", 15.0, 6.0), comments, HEADER)


def mexico() -> str:
    """YAML of OpenEEW's devices in Mexico that recorded one of the events."""
    folder = sources.folder("mexico")
    used = {path.parent.name for path in folder.glob("*/*/*.jsonl")}
    network = Network(
        name="mexico",
        title="Mexico (OpenEEW)",
        reference="17 earthquakes of 2017 to 2020 on low-cost accelerometers (OpenEEW)",
        utc_offset_h=-6,
        velocity_model=VelocityModel([0.0, 20.0, 35.0], [5.8, 6.5, 8.04], 1.73, "iasp91 (Kennett and Engdahl, 1991)"),
        magnitude=MagnitudeRelation(1.11, 0.00189, -2.09, 0.3, "Hutton and Boore (1987) in IASPEI's form"),
        window=Window(120, 20, (5, 15)),
        pick_scatter_s=(0.3, 0.5),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.25, 1.1),
        minimum_stations=4,
        stations=[
            replace(station, noise_level=1.0)  # accelerometers of a telephone's kind: the loudest level that there is
            for station in read_devices(folder)
            if station.code.removeprefix("D") in used
        ],
    )
    comments = {
        "velocity_model": "a choice: no onsets were read that could be fitted",
        "magnitude": "a choice: its events are larger than those that the relation was made from",
        "window": "a choice, as in Colombia",
        "pick_scatter_s": "a choice, as in Colombia; a device's clock is off by up to 1 s besides",
        "pick_scatter_per_100km_s": "a choice, as in Colombia",
        "dominant_period_s": "a choice, as in Colombia",
        "minimum_stations": "a choice",
    }
    return to_yaml(network, zones_under(network, "offshore", 150.0, 25.0, (3.5, 7.5)), comments, HEADER)


def heads(path):
    """Traces of a waveform file without their samples."""
    return obspy.read(path, format="MSEED", headonly=True)


def speeds_of_the_locator(catalogue, network) -> VelocityModel:
    """Layers fitted to the travel times that the source's locator predicted: onsets without their residuals."""
    readings = catalogue.readings.copy()
    used = readings[(readings.trace_p_weight > 0) & (readings.path_p_residual_s != 0)].copy()
    used["path_p_travel_s"] -= used.path_p_residual_s
    used["path_s_travel_s"] -= used.path_s_residual_s
    fit = velocity_fit.fit_velocity(replace(catalogue, readings=used.reset_index(drop=True)), network)
    log.info("%s: %d travel times fitted within %.3f s", network.name, fit.readings, fit.scatter_s)
    return replace(fit.model, source=f"fitted to {fit.readings} P travel times of the source's locator; Vp/Vs: its S")


def zones_under(network, source_type, spread_km, depth_km, magnitudes=(0.3, 3.0)) -> list[str]:
    """One zone under the stations, a choice: nothing of the real events is in it."""
    fields = {
        "name": "under the stations",
        "source_type": source_type,
        "latitude": round(float(np.mean([one.latitude for one in network.stations])), 3),
        "longitude": round(float(np.mean([one.longitude for one in network.stations])), 3),
        "depth_km": depth_km,
        "length_km": spread_km,
        "width_km": spread_km,
        "depth_spread_km": 4.0,
        "strike_deg": 0.0,
        "b_value": 1.0,
        "magnitude_min": magnitudes[0],
        "magnitude_max": magnitudes[1],
        "share": 1.0,
    }
    return ["  # a choice: the area and upper crust under the stations, no real event was looked at", *item(fields, {})]


# --- files ----------------------------------------------------------------------------------------------------------


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
    makers = {
        "colombia": colombia,
        "ridgecrest": ridgecrest,
        "iceland": iceland,
        "uturuncu": uturuncu,
        "ridgecrest_august": ridgecrest_august,
        "mexico": mexico,
    }
    for chosen in sys.argv[1:] or makers:
        write(chosen, makers[chosen]())
