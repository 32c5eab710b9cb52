"""Crop the maps' coastlines and borders: `python data/geography/make.py world-atlas-2.0.2.tgz us-atlas-3.0.1.tgz`.

The two archives are what `npm pack world-atlas@2.0.2 us-atlas@3.0.1` leaves in the current folder. They hold Natural
Earth (public domain) and US Census (public domain) boundaries as TopoJSON: every line is stored once, as an *arc* that
the areas on either side share, so that an arc of two areas is a border and an arc of one area is a coast.
"""

import hashlib
import json
import sys
import tarfile
from collections import Counter
from pathlib import Path

import numpy as np
import shapely

SHA256 = {
    "world-atlas": "032e7765f2ce00edaeafec23ff22bc3b77e42987c257da944cc585b452c05b97",
    "us-atlas": "e6daba1800885868303ad3549da62f85a557b8142bb72629ec15651de62f9c5d",
}
BOXES = {  # west, south, east, north; wider than the maps, so that the cut edge of the land stays out of sight
    "colombia": (-86, -7, -64, 16),
    "ridgecrest": (-121, 32.5, -114, 38.5),
    "iceland": (-25, 63, -13, 67),
    "greece": (16, 31.5, 32.5, 44.5),
    "italy": (3, 34, 22, 50),
}
PLACES = {  # landmarks that a reader can look up: latitude, longitude
    "colombia": {"Bogotá": (4.61, -74.08), "Cali": (3.45, -76.53), "Bucaramanga": (7.12, -73.12)},
    "ridgecrest": {"Ridgecrest": (35.62, -117.67), "Trona": (35.76, -117.37), "Coso": (36.02, -117.79)},
    "iceland": {"Bárðarbunga": (64.64, -17.53), "Askja": (65.03, -16.78), "Reykjavík": (64.15, -21.94)},
    "greece": {
        "Athens": (37.98, 23.73),
        "Thessaloniki": (40.64, 22.94),
        "Patras": (38.25, 21.73),
        "Heraklion": (35.34, 25.14),
        "Ioannina": (39.66, 20.85),
        "Zakynthos": (37.79, 20.90),
        "Larissa": (39.64, 22.42),
        "Kalamata": (37.04, 22.11),
        "Mytilene": (39.11, 26.55),
        "Rhodes": (36.44, 28.22),
        "İzmir": (38.42, 27.14),
        "Tirana": (41.33, 19.82),
        "Skopje": (42.00, 21.43),
        "Sofia": (42.70, 23.32),
    },
    "italy": {
        "Rome": (41.90, 12.48),
        "Naples": (40.85, 14.27),
        "Palermo": (38.12, 13.36),
        "Catania": (37.50, 15.09),
        "Cosenza": (39.30, 16.25),
        "Potenza": (40.64, 15.80),
        "Foggia": (41.46, 15.54),
        "L'Aquila": (42.35, 13.40),
        "Perugia": (43.11, 12.39),
        "Ancona": (43.62, 13.52),
        "Bologna": (44.49, 11.34),
        "Milan": (45.46, 9.19),
        "Turin": (45.07, 7.69),
        "Genoa": (44.41, 8.93),
        "Udine": (46.06, 13.24),
        "Zagreb": (45.81, 15.98),
    },
}
ROUND = 3  # decimals of a degree: about 100 m, less than half the grid of the source
SMOOTH = {"greece": 0.004, "italy": 0.004}  # degrees by which a line may move, so that a long coast stays a small file


def read_topology(archive, package, member):
    """The TopoJSON `member` of a package's archive, refused unless it is the release this script was written for."""
    if hashlib.sha256(Path(archive).read_bytes()).hexdigest() != SHA256[package]:
        sys.exit(f"{archive}: not the release of {package} that SHA256 in {__file__} names; fetch that one")
    with tarfile.open(archive) as tar:
        return json.load(tar.extractfile(f"package/{member}"))


def arcs(topology):
    """Each arc as longitudes and latitudes: (points, 2), from quantised differences."""
    scale, origin = np.array(topology["transform"]["scale"]), np.array(topology["transform"]["translate"])
    return [np.cumsum(arc, axis=0) * scale + origin for arc in topology["arcs"]]


def rings(geometry):
    """The polygons of a TopoJSON geometry: for each, its rings as lists of arc numbers (~i is arc i backwards)."""
    return [geometry["arcs"]] if geometry["type"] == "Polygon" else geometry.get("arcs", [])


def borders(topology, name, lines, box):
    """The arcs that two areas share, within the box."""
    shared = Counter()
    for area in topology["objects"][name]["geometries"]:
        shared.update({arc if arc >= 0 else ~arc for polygon in rings(area) for ring in polygon for arc in ring})
    common = [shapely.LineString(lines[arc]) for arc, areas in shared.items() if areas > 1]
    return shapely.line_merge(shapely.union_all([shapely.intersection(line, box) for line in common]))


def ring_points(ring, lines):
    """The points of one ring; consecutive arcs share their end point, which is kept once."""
    points = np.vstack([(lines[arc] if arc >= 0 else lines[~arc][::-1])[:-1] for arc in ring])
    points[:, 0] = np.unwrap(points[:, 0], period=360)  # Eurasia crosses the date line
    return points


def land(topology, lines, box):
    """The land within the box, without its inner borders."""
    polygons = []
    for area in topology["objects"]["land"]["geometries"]:
        for shell, *holes in rings(area):
            points = ring_points(shell, lines)
            if shapely.box(*points.min(axis=0), *points.max(axis=0)).intersects(box):
                polygons.append(shapely.Polygon(points, [ring_points(hole, lines) for hole in holes]))
    pieces = shapely.get_parts([shapely.intersection(shapely.make_valid(polygon), box) for polygon in polygons])
    return shapely.union_all([piece for piece in pieces if piece.geom_type.endswith("Polygon")])


def feature(kind, geometry, **properties):
    """A GeoJSON feature with rounded coordinates."""
    rounded = shapely.set_precision(geometry, 10**-ROUND)
    shape = json.loads(shapely.to_geojson(rounded), parse_float=lambda number: round(float(number), ROUND))
    return {"type": "Feature", "properties": {"kind": kind, **properties}, "geometry": shape}


def crop(name, world, states):
    """The features of one network's map."""
    box, lines = shapely.box(*BOXES[name]), arcs(world)
    shapes = {
        "land": land(world, lines, box),
        "border": borders(world, "countries", lines, box),
        "state_border": borders(states, "states", arcs(states), box),
    }
    if name in SMOOTH:
        shapes = {kind: shapely.simplify(shape, SMOOTH[name]) for kind, shape in shapes.items()}
    features = [feature(kind, shape) for kind, shape in shapes.items() if not shape.is_empty]
    points = [(place, shapely.Point(lon, lat)) for place, (lat, lon) in PLACES[name].items()]
    return features + [feature("place", point, name=place) for place, point in points]


def main(world_archive, states_archive):
    """Write one GeoJSON file for each network beside this script."""
    world = read_topology(world_archive, "world-atlas", "countries-10m.json")
    states = read_topology(states_archive, "us-atlas", "states-10m.json")
    for name in BOXES:
        path = Path(__file__).with_name(f"{name}.geojson")
        lines = ",\n".join(json.dumps(one, ensure_ascii=False) for one in crop(name, world, states))
        part = path.with_suffix(".part")
        part.write_text('{"type": "FeatureCollection", "features": [\n' + lines + "\n]}\n", encoding="utf-8")
        part.replace(path)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.splitlines()[0])
    main(*sys.argv[1:])
