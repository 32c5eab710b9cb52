"""Small sound inputs of every kind that the library reads, each with its reader and a check of what it returns."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import obspy
import pandas as pd
import torch
import yaml
from obspy.core.event import read_events
from obspy.core.inventory import Inventory, Network, Station

from seisbook import records
from seisbook.book import chapters, parameters
from seisbook.catalogues import networks, palm, quakeml, sources, stations
from seisbook.datasets import build, waveforms
from seisbook.datasets.graphs import EventDataset
from seisbook.models import checkpoints, peers
from seisbook.models.augmentation import TrainingConfig
from seisbook.models.graph import ModelConfig
from seisbook.physics import simulation
from tests.catalogues import text_files as f

ORIGIN = pd.Timestamp("2020-03-05T10:10:30.5Z")
NETWORK = {
    "name": "small",
    "title": "Small",
    "reference": "made up",
    "utc_offset_h": -5,
    "velocity_model": {"top_km": [0, 10], "vp_km_s": [5, 7], "vp_vs": 1.75, "source": "made up"},
    "magnitude": {"b": 1.1, "c": 0.002, "d": -2.0, "scatter": 0.2, "source": "made up"},
    "window": {"length_s": 12, "sampling_rate_hz": 20, "lead_s": [2, 3]},
    "pick_scatter_s": [0.1, 0.2],
    "pick_scatter_per_100km_s": 0.1,
    "dominant_period_s": [0.2, 1.2],
    "minimum_stations": 3,
    "stations": [
        {"code": code, "network": "XX", "latitude": latitude, "longitude": longitude, "elevation_m": 100}
        for code, latitude, longitude in (
            ("AAAA", 4.4, -74.3),
            ("BBBB", 4.6, -74.1),
            ("CCCC", 4.3, -74.1),
            ("DDDD", 4.55, -74.35),
        )
    ],
    "zones": [
        {
            "name": "only",
            "source_type": "tectonic",
            "latitude": 4.5,
            "longitude": -74.2,
            "depth_km": 10,
            "length_km": 5,
            "width_km": 5,
            "depth_spread_km": 2,
            "b_value": 1.0,
            "magnitude_min": 1,
            "magnitude_max": 5,
            "share": 1.0,
        }
    ],
}
TITLES = " STAT SP IPHASW D HRMM SECON CODA AMPLIT PERI AZIMU VELO AIN AR TRES W  DIS CAZ7"  # codespell:ignore


def _line(channel, phase, time, weight=" ", polarity=" ", amplitude=""):
    """A line of readings in the old NORDIC format."""
    return f" {channel} {phase:<5}{weight} {polarity} {time}     {amplitude}".ljust(63) + "     10 40.0  90 "


NORDIC = "\n".join(
    [
        " 2020  3 5 1010 30.5 L   4.500 -74.250 12.5  TST  5 0.4 2.3LTST".ljust(79) + "1",
        " GAP=120        0.90       2.5     3.5  4.5  0.1000E+01  0.1000E+01  0.1000E+01E",
        " ACTION:NEW 20-03-05 12:00 OP:tst  STATUS:               ID:20200305101030 L   I",
        " Epicentro: ALTO".ljust(79) + "3",
        TITLES,
        _line("AAAA HZ", "IP", "1010 35.25", polarity="C"),
        _line("AAAA HN", "ES", "1010 39.75", weight="2"),
        _line("AAAA HZ", " I", "1010 41.00", amplitude="  120.5 0.30"),
        _line("BBBB HZ", "EP", "1010 36.25"),
        "",
        " 2020  3 6 0110 30.5 L   4.400 -74.150 10.0  TST  5 0.4 1.9LTST".ljust(79) + "1",
        TITLES,
        _line("CCCC HZ", "EP", " 110 33.25"),
        "",
        "",
    ]
)
HYPODD = """\
# 2020 3 5 10 10 30.50 4.5000 -74.2500 12.50 2.3 0.1 0.1 0.1 17
AAAA 4.750 1.000 P
AAAA 9.250 0.500 S
BBBB 5.750 1.000 P
# 2020 3 6 1 10 30.50 4.4000 -74.1500 10.00 1.9 0.1 0.1 0.1 18
CCCC 2.750 -1.000 P
"""
PALM = """\
2020-01-01T00:00:10.00Z,35.5000,-117.5000,5.00,1.50,1
CI.AAAA,2020-01-01T00:00:12.00Z,2020-01-01T00:00:13.50Z,1.2e-05,10.0
CI.BBBB,2020-01-01T00:00:13.00Z,-1,1.5e-05,8.0
2020-01-01T00:00:59.99Z,35.5000,-117.5000,12.50,2.50,2
CI.AAAA,2020-01-01T00:01:03.00Z,2020-01-01T00:01:06.00Z,1.2e-05,10.0
"""
SCSN = """\
# made up
2020 01 01  00 00 10.00  35 30.00-117 30.00 A 1.5      5.00 45     0.10 11111111
2020 01 01  00 00 59.99  35 30.00-117 30.00 B 2.5     12.50 45     0.10 22222222
2020 01 01  00 01 60.00  35  6.00-117  3.00 C         -0.50  9     0.10 33333333
"""
SEISAN = """\
RESET TEST(02)=500.0

  AAAA0450.40N 7419.22W2987  0.00
  BBB 0164.06N 7923.10W  35  0.00
  CCCC0030.00S 7654.00W 500 0.00

  4.8       0.0
  6.6       4.0
  8.0      32.0      N

100.  100. 800. 1.78  100  2.0  2.0
TST
"""
STATION_CSV = "code,latitude,longitude,elevation_m\nAAAA,4.4,-74.3,100\nBBBB,4.6,-74.1,250\nXX.CCCC,4.3,-74.1,90\n"
HYPODD_STATIONS = "AAAA 4.4000 -74.3000 100\nBBBB 4.6000 -74.1000 250\nCCCC 4.3000 -74.1000 90\n"
STATION_TEXT = """\
#Network|Station|Latitude|Longitude|Elevation|SiteName|StartTime|EndTime
XX|AAAA|4.4|-74.3|100.0|Alto, north|2010-01-01T00:00:00|
XX|BBBB|4.6|-74.1|250.0|Bajo|2010-01-01T00:00:00|2599-12-31T23:59:59
"""
ICELAND = {
    ".event": "EventID,DT,X,Y,Z,GAU_ErrX,GAU_ErrY,GAU_ErrZ,ML\n"
    "1,2020-03-05T10:10:30.500000Z,-16.8,64.9,6.0,0.4,0.4,0.8,1.5\n",
    ".picks": "Station,Phase,PickTime,PickError,Residual\n"
    "AAAA,P,2020-03-05T10:10:33.000000Z,0.02,0.01\nAAAA,S,2020-03-05T10:10:35.000000Z,0.03,0.02\nBBBB,P,-1,-1,-1\n",
    ".amps": "id,S_amp,S_freq\nXX.AAAA..HHN,0.5,4.0\nXX.AAAA..HHE,0.7,4.0\n",
}
CONFIG = ModelConfig(channels=8, blocks=1, neighbours=2, window_s=12.0, sampling_rate_hz=20.0)


@dataclass(frozen=True)
class Example:
    """A sound input and what reads it.

    Parameters
    ----------
    name : str
    path : Path
        The file that is to be damaged.
    read : callable
        Reads it and returns what is wrong with the result, or nothing.
    also : tuple of str
        Other names that a refusal may give.
    """

    name: str
    path: Path
    read: Callable[[], str | None]
    also: tuple[str, ...] = ()

    @property
    def names(self):
        """Names that a refusal may give for the input: the file's, its folder's, or its own without the ending."""
        return self.path.name, self.path.stem, self.path.parent.name, *self.also


# ------------------------------------------------------------------------------------------------------ what is sound


def implausible(catalogue) -> str | None:
    """What is impossible in a catalogue."""
    events, readings = catalogue.events, catalogue.readings
    weights = pd.concat([readings.trace_p_weight, readings.trace_s_weight]).fillna(1)
    p, s = readings.path_p_travel_s, readings.path_s_travel_s
    found = {
        "an origin time that is none": events.source_origin_time.isna(),
        "a latitude that is none": ~events.source_latitude_deg.between(-90, 90),
        "a longitude that is none": ~events.source_longitude_deg.between(-180, 180),
        "a depth that is none": ~events.source_depth_km.between(-10, 800),
        "a magnitude that is none": ~events.source_magnitude.between(-5, 10) & events.source_magnitude.notna(),
        "an event twice": events.index.duplicated(),
        "a reading of no event": ~readings.source_id.isin(events.index),
        "a reading of no station": readings.station_code.astype(str).str.strip() == "",
        "a P that cannot be": ~p.between(-2, 600) & p.notna(),
        "an S that cannot be": ~s.between(-2, 600) & s.notna(),
        "an S before its P": s < p,
        "an amplitude that is none": np.isinf(readings.trace_amplitude_nm) | (readings.trace_amplitude_nm <= 0),
        "a weight that is none": ~weights.between(0, 1),
    }
    return next((what for what, where in found.items() if np.any(where)), None)


def not_finite(network) -> str | None:
    """What is impossible in a network."""
    numbers = list(_numbers(asdict(network)))
    if not np.isfinite(numbers).all():
        return "a network with numbers that are not finite"
    samples = network.window.length_s * network.window.sampling_rate_hz
    return None if 2 <= samples <= 1e7 else "a network with an impossible window"


def _numbers(value):
    if isinstance(value, dict | list | tuple):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _numbers(part)
    elif isinstance(value, int | float):
        yield float(value)


def lost(places) -> str | None:
    """What is impossible in a list of stations."""
    if not places:
        return "no station, and no refusal"
    table = np.array([[one.latitude, one.longitude, one.elevation_m] for one in places], float)
    sound = np.isfinite(table).all() and (np.abs(table[:, 0]) <= 90).all() and (np.abs(table[:, 1]) <= 180).all()
    return None if sound and all(one.code.strip() for one in places) else "a station that is nowhere"


# ----------------------------------------------------------------------------------------------------------- the inputs


def small_network(folder) -> Path:
    """A network of four stations whose datasets take milliseconds."""
    path = folder / "small.yaml"
    path.write_text(yaml.safe_dump(NETWORK), encoding="utf-8")
    return path


def examples(folder: Path) -> list[Example]:
    """All inputs, made in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    network_file = small_network(folder)
    made = [*_bulletins(folder, network_file), *_station_files(folder), *_networks(folder)]
    made += [*_waveforms(folder, network_file), *_dataset(folder, network_file), *_record(folder), *_checkpoint(folder)]
    return [*made, *_iceland(folder), *_parameters(folder)]


def _written(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("latin-1"))
    return path


def _bulletins(folder, network_file):
    network = networks.load(network_file)

    def reads(path):
        return lambda: implausible(build.read(network, "bulletin", files=[path]))

    xml = folder / "bulletin.xml"
    quakeml.write(simulation.simulate(network, 2, 0), xml)
    scml = folder / "bulletin.scml"
    read_events(str(xml), format="QUAKEML").write(str(scml), format="SC3ML")
    texts = {"bulletin.out": NORDIC, "bulletin.pha": HYPODD}
    paths = {"QuakeML": xml, "SCML": scml} | {
        name: _written(folder / file, texts[file])
        for name, file in (("NORDIC", "bulletin.out"), ("HypoDD", "bulletin.pha"))
    }
    for name, path in paths.items():
        yield Example(name, path, reads(path))
    yield from _other_bulletins(folder / "formats", reads)
    pha, scsn = _written(folder / "palm/picks.pha", PALM), _written(folder / "palm/scsn.catalog", SCSN)
    for name, path in (("PALM", pha), ("SCSN", scsn)):
        yield Example(name, path, lambda: implausible(palm.read_palm(pha, scsn)))


def _other_bulletins(folder, reads):
    """Text formats of other programs, each in a folder of its own, since some are pairs of files."""
    arc = "\n".join([f.ARC_SUMMARY, f.ARC_A, f.ARC_A_S, f.ARC_B, f.ARC_END, ""])
    readings = "\n".join([f.HYPO71_A, f.HYPO71_B, f.HYPO71_END, ""])
    kinds = {
        "hypoinverse": {"events.arc": arc},
        "HYPO71": {"swarm.pha": readings, "swarm.sum": f"{f.HYPO71_SUMMARY}\n"},
        "GaMMA": f.GAMMA,
        "PyOcto": f.PYOCTO,
    }
    for kind, files in kinds.items():
        paths = [_written(folder / kind / name, text) for name, text in files.items()]
        for path in paths:
            name = f"{kind} {path.name}" if len(paths) > 1 else kind
            yield Example(name, path, reads(path), tuple(files))


def _station_files(folder):
    inventory = Inventory([Network("XX", [Station("AAAA", 4.4, -74.3, 100.0), Station("BBBB", 4.6, -74.1, 90.0)])])
    inventory.write(str(folder / "stations.xml"), format="STATIONXML")
    files = {
        "SEISAN stations": _written(folder / "STATION0.HYP", SEISAN),
        "station CSV": _written(folder / "stations.csv", STATION_CSV),
        "HypoDD stations": _written(folder / "station.dat", HYPODD_STATIONS),
        "FDSN station text": _written(folder / "stations.txt", STATION_TEXT),
        "StationXML": folder / "stations.xml",
    }
    for name, path in files.items():
        yield Example(name, path, lambda path=path: lost(stations.read_stations(path)))
    seisan = files["SEISAN stations"]
    yield Example("SEISAN velocities", seisan, lambda: stations.read_seisan_velocity(seisan) and None)


def _networks(folder):
    path = folder / "networks/net.yaml"
    _written(path, yaml.safe_dump(NETWORK))
    yield Example("network YAML", path, lambda: not_finite(networks.load(path)))


def seismograms(station="AAAA"):
    """Three components of 40 s around the first event of `NORDIC`."""
    rng = np.random.default_rng(0)
    header = {"network": "XX", "station": station, "sampling_rate": 50.0, "starttime": obspy.UTCDateTime(ORIGIN) - 10}
    data = rng.normal(0, 100, (3, 2000)).astype("int32")
    return obspy.Stream([obspy.Trace(one, header | {"channel": f"HH{c}"}) for one, c in zip(data, "ZNE", strict=True)])


def _waveforms(folder, network_file):
    network = networks.load(network_file)
    archive = folder / "archive"
    archive.mkdir()
    bulletin = _written(folder / "archive.out", NORDIC)
    stream, other = archive / "small_20200305101030.m", archive / "small_20200305101030.bbbb.m"
    seismograms().write(str(stream), format="MSEED")
    seismograms("BBBB").write(str(other), format="MSEED")
    sac = folder / "sac" / "small_20200305101030.mZ"
    sac.parent.mkdir()
    seismograms()[0].write(str(sac), format="SAC")
    for name, path in (("miniSEED", stream), ("SAC", sac)):
        yield Example(name, path, lambda path=path: _recorded(network, bulletin, path.parent))


def _recorded(network, bulletin, archive):
    catalogue = build.read(network, "waveform", files=[bulletin]).head(1)
    for record in build.recorded(catalogue, network, archive):
        if not np.isfinite(record.waveforms).all():
            return "seismograms that are not finite"
    return None


def _dataset(folder, network_file):
    out = folder / "set"
    build.build(network_file, "simulated", out, n_events=3, progress=False)
    whole = opened(out)

    def read():
        build.describe(out)
        return None if opened(out) == whole else "another dataset than was written"

    for name in ("dataset.json", "metadata.csv", "waveforms.hdf5"):
        yield Example(f"dataset: {name}", out / name, read)


def opened(out):
    """What a dataset holds, to compare it with another."""
    dataset = EventDataset(out)
    content = [dataset.metadata.to_csv(), json.dumps(dataset.card, sort_keys=True)]
    for i in range(len(dataset)):
        graph = dataset[i]
        content += [graph[key].numpy().tobytes().hex() for key in ("x", "pos", "y", "onset")]
    return content


def _record(folder):
    path = folder / "records/one.json"
    content = {"title": "made up", "error_km": [1.5, 2.25, 3.0], "n": 17, "verdict": {"held": True, "text": "yes"}}
    records.write(path, content, {"key": {"stage": "test", "seed": 0}, "inputs": {}}, indent=1)

    def read():
        return None if records.read(path)[1] == content else "another record than was written"

    yield Example("record", path, read)


def checkpoint(folder) -> Path:
    """A model with random weights on disk."""
    torch.manual_seed(0)
    model = peers.build("dynamic", CONFIG).eval()
    card = checkpoints.Card("dynamic", model.config, TrainingConfig(epochs=1), "small", {"seed": 0}, {"loss": 1.5})
    return checkpoints.save(folder / "small-dynamic", model, card)


def _checkpoint(folder):
    weights = checkpoint(folder / "models")
    whole = _loaded(weights)

    def read():
        return None if _loaded(weights) == whole else "another model than was written"

    yield Example("checkpoint: card", weights.with_suffix(".json"), read)
    yield Example("checkpoint: weights", weights, read)


def _loaded(path):
    model, card = checkpoints.load(path)
    return repr(card), {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


def _iceland(folder):
    for suffix, content in ICELAND.items():
        _written((folder / "iceland/e1").with_suffix(suffix), content)
    for suffix in ICELAND:
        path = (folder / "iceland/e1").with_suffix(suffix)
        yield Example(f"Iceland {suffix}", path, lambda: implausible(waveforms.read_iceland(folder / "iceland")))


def _parameters(folder):
    """The value of a chapter's parameter, as it is typed, and the registry of downloads."""
    chapter = next(iter(chapters.chapters()))
    typed = _written(folder / "typed", "500")

    def check():
        text = typed.read_bytes().decode("utf-8", "surrogateescape")
        value = parameters.parse(chapter, {"n_events": text})["n_events"]
        return None if type(value) is int else "a value of another type"

    yield Example("chapter's parameter", typed, check, (chapter.name,))
    registry = folder / "registry.txt"
    shutil.copy(sources.REGISTRY, registry)

    def read():
        before, sources.REGISTRY = sources.REGISTRY, registry
        try:
            found = sources.registry()
        finally:
            sources.REGISTRY = before
        return None if all(isinstance(name, str) for name in found) else "no names"

    yield Example("registry", registry, read)
