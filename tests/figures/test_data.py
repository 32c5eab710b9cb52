import re
import socket
import urllib.request
import warnings
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from cartopy.io import Downloader, DownloadWarning
from cartopy.mpl.gridliner import Gridliner
from matplotlib.backends.backend_agg import FigureCanvasAgg

from seisbook.catalogues import geography, networks, schema
from seisbook.catalogues.catalogue import Catalogue
from seisbook.catalogues.geodesy import path_geometry
from seisbook.figures import data as data_figures
from seisbook.figures import maps, seismograms, style
from seisbook.measures.seismicity import summarise

CENTRES = {"colombia": (4.5, -74.5, 2.0), "ridgecrest": (35.75, -117.55, 0.2)}


class HalfSpace:
    """Straight rays at 6 km/s."""

    def p(self, epicentral_km, depth_km, elevation_m=0.0):
        return np.hypot(epicentral_km, depth_km + np.asarray(elevation_m) / 1000) / 6

    def s(self, *path):
        return 1.75 * self.p(*path)


def small_network(name):
    latitude, longitude, spread = CENTRES[name]
    rng = np.random.default_rng(1)
    return networks.Network(
        name=name,
        title=name.capitalize(),
        reference="made up",
        utc_offset_h=0,
        velocity_model=schema.VelocityModel([0.0], [6.0], 1.75, "made up"),
        magnitude=schema.MagnitudeRelation(1.1, 0.002, -2.0, 0.2, "made up"),
        window=schema.Window(60, 20, (2, 5)),
        pick_scatter_s=(0.1, 0.2),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.2, 1.3),
        minimum_stations=3,
        stations=[
            schema.Station(code=f"S{i}", latitude=latitude + a, longitude=longitude + b, elevation_m=500)
            for i, (a, b) in enumerate(rng.normal(0, spread, (8, 2)))
        ],
    )


def small_catalogue(network, source, n=80):
    """Events around the centre, each read by most stations, with consistent times and amplitudes."""
    latitude, longitude, spread = CENTRES[network.name]
    rng = np.random.default_rng(len(source))
    events = pd.DataFrame(
        {
            "source_id": [f"e{i}" for i in range(n)],
            "source_origin_time": pd.Timestamp("2019-07-05", tz="UTC"),
            "source_latitude_deg": rng.normal(latitude, spread, n),
            "source_longitude_deg": rng.normal(longitude, spread, n),
            "source_depth_km": rng.uniform(0, 20, n),
            "source_magnitude": 1 + rng.exponential(0.45, n),
        }
    )
    for axis in ("latitude", "longitude", "depth"):
        events[f"source_{axis}_uncertainty_km"] = rng.lognormal(1, 0.3, n)
    pairs = [(event, s.code) for event in events.source_id for s in network.stations if rng.random() < 0.8]
    readings = pd.DataFrame(pairs, columns=["source_id", "station_code"])
    catalogue = Catalogue.from_rows(network.name, source, events, readings)
    paths = path_geometry(catalogue, network)
    p = paths.path_hyp_distance_km / 6 + rng.normal(0, 0.1, len(paths))
    catalogue.readings["path_p_travel_s"] = p
    catalogue.readings["path_s_travel_s"] = 1.75 * p + rng.normal(0, 0.1, len(paths))
    magnitude = catalogue.readings.source_id.map(catalogue.events.source_magnitude).to_numpy()
    amplitude = network.magnitude.log_amplitude(magnitude, paths.path_hyp_distance_km) + rng.normal(0, 0.2, len(paths))
    catalogue.readings["trace_amplitude_nm"] = 10**amplitude
    return catalogue


@pytest.fixture(scope="module")
def colombia():
    network = small_network("colombia")
    return small_catalogue(network, "bulletin"), network


@pytest.fixture(scope="module")
def twin(colombia):
    return small_catalogue(colombia[1], "simulated")


@pytest.fixture(scope="module")
def ridgecrest():
    network = small_network("ridgecrest")
    catalogue = small_catalogue(network, "bulletin")
    events, rng = catalogue.events, np.random.default_rng(5)
    events["palm_latitude_deg"] = events.source_latitude_deg + rng.normal(0, 0.01, len(events))
    events["palm_longitude_deg"] = events.source_longitude_deg + rng.normal(0, 0.01, len(events))
    events["palm_depth_km"] = events.source_depth_km + rng.normal(0, 1, len(events))
    events["palm_magnitude"] = events.source_magnitude + rng.normal(0.1, 0.2, len(events))
    return catalogue, network


def steps(n=600, rate=20.0):
    rng = np.random.default_rng(0)
    envelope = np.where(np.arange(n) > 100, np.exp(-np.arange(n) / 200), 0.0)
    noise = rng.normal(size=n)
    onsets = {"sampling_rate_hz": rate, "p_s": 5.0, "s_s": 9.0}
    return {
        "noise": noise,
        "envelope": envelope,
        "signal": noise * envelope,
        "trace": noise * envelope + 0.01,
        **onsets,
    }


@pytest.fixture(scope="module")
def drawn(colombia, ridgecrest, twin):
    """Every figure, with the number of panels that it must have."""
    catalogues, nets = [colombia[0], ridgecrest[0]], [colombia[1], ridgecrest[1]]
    rng = np.random.default_rng(0)
    summaries = [summarise(*pair, HalfSpace()) for pair in zip(catalogues, nets, strict=True)]
    simulated = summarise(twin, colombia[1], HalfSpace())
    section = (rng.normal(size=(5, 400)), list("ABCDE"), [50, 10, 30, 20, 40], [2] * 5, [4, np.nan, 5, 6, 99], 20.0)
    return {
        "network_map": (maps.network_map(catalogues, nets), 4),
        "record_section": (seismograms.record_section(*section), 1),
        "rendering_steps": (seismograms.rendering_steps(steps(), steps(800, 50.0)), 6),
        "wadati_diagram": (data_figures.wadati_diagram(catalogues), 2),
        "travel_time_curves": (data_figures.travel_time_curves(*colombia, HalfSpace()), 2),
        "magnitude_frequency": (data_figures.magnitude_frequency(catalogues), 2),
        "event_geometry": (data_figures.event_geometry(catalogues, nets), 3),
        "label_uncertainty": (data_figures.label_uncertainty(summaries), 3),
        "real_against_simulated": (data_figures.real_against_simulated(summaries[0], simulated), 4),
        "steps_without_recording": (seismograms.rendering_steps(steps()), 6),
    }


NAMES = [
    "network_map", "record_section", "rendering_steps", "wadati_diagram", "travel_time_curves",
    "magnitude_frequency", "event_geometry", "label_uncertainty", "real_against_simulated",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_panels_carry_labels_with_units(drawn, name):
    fig, panels = drawn[name]
    assert len(fig.axes) == panels
    labels = [text for axis in fig.axes for text in (axis.get_xlabel(), axis.get_ylabel()) if text]
    assert len(labels) >= panels / 2
    assert all(re.search(r"\([^)]+\)$", text) for text in labels), labels


@pytest.mark.parametrize("name", NAMES)
def test_what_is_drawn_is_finite_and_opaque(drawn, name):
    fig, _ = drawn[name]
    for axis in fig.axes:
        assert np.isfinite([*axis.get_xlim(), *axis.get_ylim(), *axis.dataLim.extents]).all()
        assert axis.has_data()
    assert fig.get_facecolor() == (1, 1, 1, 1)
    assert fig.get_figwidth() == pytest.approx(7.4)
    assert fig.dpi == 150


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_cut_off_at_the_edge(drawn, name):
    fig, _ = drawn[name]
    renderer = FigureCanvasAgg(fig).get_renderer()
    for axis in fig.axes:
        for text in (axis.title, axis._left_title, axis.xaxis.label, axis.yaxis.label, *axis.texts):
            box = text.get_window_extent(renderer)
            if text.get_text() and text.get_visible() and axis.bbox.overlaps(box.padded(60)):
                assert min(box.x0, box.y0) >= -1, text.get_text()
                assert box.x1 <= fig.bbox.x1 + 1, text.get_text()
                assert box.y1 <= fig.bbox.y1 + 1, text.get_text()


def test_a_figure_is_returned_closed_so_that_a_notebook_shows_it_once(drawn):
    assert not {fig.number for fig, _ in drawn.values()} & set(plt.get_fignums())


def test_maps_need_no_network(colombia, monkeypatch, tmp_path):
    def refuse(*args, **kwargs):
        raise AssertionError("a figure asked for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    monkeypatch.setattr(Downloader, "acquire_resource", refuse)
    with warnings.catch_warnings():
        warnings.simplefilter("error", DownloadWarning)
        fig = maps.network_map([colombia[0]], [colombia[1]])
        fig.savefig(tmp_path / "map.png")
    assert plt.imread(tmp_path / "map.png").shape[1] == round(7.4 * 150)


def test_map_of_a_network_without_a_coastline_still_draws(colombia):
    catalogue, network = colombia
    elsewhere = networks.Network(**(vars(network) | {"name": "elsewhere"}))
    assert geography.geography("elsewhere") == {}
    assert len(maps.network_map([catalogue], [elsewhere]).axes) == 2


def test_map_shows_every_station_that_records_and_nearly_every_event(colombia):
    catalogue, network = colombia
    axis = maps.network_map([catalogue], [network]).axes[0]
    (west, east), (south, north) = axis.get_xlim(), axis.get_ylim()

    def share_inside(table):
        x, y, _ = axis.projection.transform_points(style.DEGREES, *table.to_numpy(float).T).T
        return np.mean((west < x) & (x < east) & (south < y) & (y < north))

    assert share_inside(network.station_table()[["longitude", "latitude"]]) == 1
    assert share_inside(catalogue.events[["source_longitude_deg", "source_latitude_deg"]]) > 0.95


def test_map_across_the_antimeridian_shows_its_events_and_names_meridians(colombia):
    catalogue, network = colombia

    def moved(longitude):
        return (longitude - network.centre[1] + 179.5 + 180) % 360 - 180

    stations = [replace(one, longitude=moved(one.longitude)) for one in network.stations]
    fiji = replace(network, name="fiji", stations=stations)
    events = catalogue.events.assign(source_longitude_deg=moved(catalogue.events.source_longitude_deg))
    fig = maps.network_map([replace(catalogue, events=events)], [fiji])
    west, east = fig.axes[0].get_xlim()
    points = fig.axes[0].projection.transform_points(
        style.DEGREES, events.source_longitude_deg.to_numpy(), events.source_latitude_deg.to_numpy()
    )
    assert np.mean((west < points[:, 0]) & (points[:, 0] < east)) > 0.95
    assert east - west < 1e7  # metres: not the whole Earth
    fig.draw_without_rendering()
    grid = next(child for child in fig.axes[0].get_children() if isinstance(child, Gridliner))
    assert {text.get_text() for text in grid.bottom_label_artists} & {"178°E", "180°", "178°W", "176°E", "176°W"}


def test_record_section_is_ordered_by_distance_and_marks_only_onsets_in_the_window(drawn):
    axis = drawn["record_section"][0].axes[0]
    assert [tick.get_text() for tick in axis.get_yticklabels()] == ["B  10", "D  20", "C  30", "E  40", "A  50"]
    p, s = (len(lines.get_segments()) for lines in axis.collections)
    assert (p, s) == (5, 3)


def test_histogram_shares_add_up_to_a_hundred(drawn, colombia):
    axis = drawn["event_geometry"][0].axes[1]
    outline = axis.patches[0].get_xy()
    heights = outline[:, 1][np.flatnonzero(np.diff(outline[:, 0]) > 0)]
    assert heights.sum() == pytest.approx(100)


def test_simulated_data_are_lighter_than_real_and_hatched(drawn, colombia, twin):
    assert sum(style.colour(twin)) > sum(style.colour(colombia[0]))
    for axis in drawn["real_against_simulated"][0].axes:
        real, simulated = axis.patches
        assert real.get_hatch() is None
        assert simulated.get_hatch()


def test_wadati_panel_prints_the_ratio_of_the_catalogue(drawn):
    text = drawn["wadati_diagram"][0].axes[0].texts[0].get_text()
    assert float(re.search(r"= (\d\.\d+)", text)[1]) == pytest.approx(1.75, abs=0.02)
