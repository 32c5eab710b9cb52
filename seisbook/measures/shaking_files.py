"""Maps of ground motion as files for other programs: ShakeMap's grid.xml, GeoJSON, GeoTIFF.

Values are medians in %g and cm/s. Uncertainty is written as the reader of each format expects it: in `grid.xml` as the
standard deviation of the natural logarithm, else as the factor by which 90 % of the values are within the median.
"""

import io
import json
from datetime import UTC, datetime
from xml.sax.saxutils import quoteattr

import numpy as np
from contourpy import contour_generator
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

import seisbook
from seisbook.measures.shaking import Shaking

GRID_NAMES = {"pga": "PGA", "pgv": "PGV", "psa03": "PSA03", "psa10": "PSA10", "psa30": "PSA30"}
STEPS = (1, 2, 5)
MOST_BANDS = 9
FACTOR_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
PIXEL_SCALE, TIEPOINT, GEO_KEYS, DESCRIPTION = 33550, 33922, 34735, 270  # tags of GeoTIFF and TIFF
DOUBLE, SHORT, ASCII = 12, 3, 2  # types of TIFF
WGS84 = (1, 1, 0, 3, 1024, 0, 1, 2, 1025, 0, 1, 2, 2048, 0, 1, 4326)
"""GeoTIFF's keys: version; latitude and longitude; a value stands for a point; EPSG 4326."""


def levels(values, most=MOST_BANDS) -> np.ndarray:
    """Round values, 1, 2 and 5 times powers of ten, that divide log10 values into bands; the highest `most` + 1."""
    low, high = float(np.min(values)), float(np.max(values))
    powers = np.arange(np.floor(low) - 1, np.ceil(high) + 2)
    every = np.array([step * 10.0**power for power in powers for step in STEPS])
    inside = np.flatnonzero((every > 10**low) & (every < 10**high))
    above = int(np.searchsorted(every, 10**low))  # where one band holds all
    first, last = (inside[0] - 1, inside[-1] + 1) if len(inside) else (above - 1, above)
    return every[max(first, last - most) : last + 1]


def factor_levels(values, most=MOST_BANDS) -> np.ndarray:
    """Round factors in equal steps that divide values into at most so many bands."""
    low, high = float(np.min(values)), float(np.max(values))
    step = next((step for step in FACTOR_STEPS if high - low <= (most - 2) * step), (high - low) / (most - 2))
    first = np.floor(low / step + 1e-9)
    return np.round(step * np.arange(first, max(np.ceil(high / step - 1e-9), first + 1) + 1), 6)


# ------------------------------------------------------------------------------------------------------------- grid.xml


def grid_xml(found: Shaking) -> str:
    """All measures and their standard deviations in the format of ShakeMap's `grid.xml`."""
    fields = [("LON", "dd"), ("LAT", "dd")]
    fields += [(GRID_NAMES[name], "cms" if name == "pgv" else "pctg") for name in GRID_NAMES]
    fields += [(f"STD{GRID_NAMES[name]}", f"ln({'cms' if name == 'pgv' else 'pctg'})") for name in GRID_NAMES]
    lines = ['<?xml version="1.0" encoding="UTF-8" standalone="yes"?>', *_head(found)]
    lines += [f'<grid_field index="{i}" name="{name}" units="{unit}" />' for i, (name, unit) in enumerate(fields, 1)]
    return "\n".join([*lines, "<grid_data>", *_rows(found), "</grid_data>", "</shakemap_grid>", ""])


def _head(found):
    origin, (latitude, longitude) = found.origin, found.grid
    event = {"event_id": found.name, "magnitude": f"{origin.magnitude:.2f}"}
    event |= {"depth": f"{origin.depth_km:.2f}" if np.isfinite(origin.depth_km) else ""}
    event |= {"lat": f"{origin.latitude:.4f}", "lon": f"{origin.longitude:.4f}"}
    event |= {"event_timestamp": _time(origin), "event_network": "", "event_description": found.region}
    about = {"event_id": found.name, "shakemap_id": found.name, "shakemap_version": "1"}
    about |= {"code_version": f"SeisBook {seisbook.__version__}", "process_timestamp": _now()}
    about |= {"shakemap_originator": "seisbook", "map_status": "automatic", "shakemap_event_type": "ACTUAL"}
    size = {"lon_min": longitude[0], "lat_min": latitude[-1], "lon_max": longitude[-1], "lat_max": latitude[0]}
    spacing = {"nominal_lon_spacing": np.ptp(longitude), "nominal_lat_spacing": np.ptp(latitude)}
    spacing = {name: f"{wide / (len(latitude) - 1):.6f}" for name, wide in spacing.items()}
    size = {name: f"{value:.6f}" for name, value in size.items()} | spacing
    counts = {"nlon": str(len(longitude)), "nlat": str(len(latitude))}
    namespace = 'xmlns="http://earthquake.usgs.gov/eqcenter/shakemap"'
    return [
        f"<shakemap_grid {namespace} {_attributes(about)}>",
        f"<event {_attributes(event)} />",
        f"<grid_specification {_attributes(size | counts)} />",
    ]


def _attributes(values):
    return " ".join(f"{name}={quoteattr(value)}" for name, value in values.items())


def _time(origin):
    return "" if origin.time is None else f"{origin.time:%Y-%m-%dT%H:%M:%SUTC}"


def _now():
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _rows(found):
    """A line for each point, from the north-west, eastwards."""
    latitude, longitude = np.meshgrid(*found.grid, indexing="ij")
    columns = [10**found.mean, np.log(10) * found.sd]
    table = np.concatenate([part.reshape(-1, len(GRID_NAMES)) for part in columns], 1)
    places = zip(longitude.ravel(), latitude.ravel(), table, strict=True)
    return [f"{lon:.6f} {lat:.6f} " + " ".join(f"{value:.5g}" for value in row) for lon, lat, row in places]


# -------------------------------------------------------------------------------------------------------------- GeoJSON


def geojson(found: Shaking, measure) -> str:
    """Contours of the median and of the factor, the epicentre and the stations, longitude first (RFC 7946).

    Parameters
    ----------
    found : Shaking
    measure : str
        One of `GRID_NAMES`.
    """
    median, factor = found.median(measure), found.factor(measure)
    about = {"measure": measure, "label": found.label(measure)}
    features = _contours(found.grid, median, levels(np.log10(median)), {"kind": "median", **about})
    features += _contours(found.grid, factor, factor_levels(factor), {"kind": "factor", **about})
    features += [_epicentre(found), *_stations(found)]
    content = {"type": "FeatureCollection", "name": found.name, "remarks": found.remarks, "features": features}
    return json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n"


def _contours(grid, values, at, about):
    """A feature for each level that is crossed; linear between points in the logarithm."""
    lines = contour_generator(grid.longitude, grid.latitude, np.log10(values))
    features = []
    for level in at:
        found = [np.round(line, 5).tolist() for line in lines.lines(np.log10(level)) if len(line) > 1]
        if found:
            features.append(_feature("MultiLineString", found, {**about, "value": float(f"{level:.6g}")}))
    return features


def _epicentre(found):
    place = found.origin
    depth = place.depth_km if np.isfinite(place.depth_km) else None
    about = {"kind": "epicentre", "magnitude": place.magnitude, "depth_km": depth, "is_estimated": found.is_estimated}
    return _feature("Point", [place.longitude, place.latitude], about)


def _stations(found):
    rows = []
    for row in found.stations.to_dict("records"):
        values = {name: float(f"{10 ** row[name]:.5g}") if np.isfinite(row[name]) else None for name in GRID_NAMES}
        about = {"kind": "station", "station": row["station"], "used": bool(row["used"]), **values}
        rows.append(_feature("Point", [row["longitude"], row["latitude"]], about))
    return rows


def _feature(kind, coordinates, properties):
    return {"type": "Feature", "properties": properties, "geometry": {"type": kind, "coordinates": coordinates}}


# -------------------------------------------------------------------------------------------------------------- GeoTIFF


def geotiff(found: Shaking, measure) -> bytes:
    """Two pages of 32-bit numbers on latitude and longitude (WGS 84): the median of a measure, and the factor.

    GDAL opens the second page as `GTIFF_DIR:2:<file>`.

    Parameters
    ----------
    found : Shaking
    measure : str
        One of `GRID_NAMES`.
    """
    pages = {found.label(measure): found.median(measure), "factor of the 90 % interval": found.factor(measure)}
    first, *others = (_page(text, values, found.grid) for text, values in pages.items())
    written = io.BytesIO()
    first.save(written, format="TIFF", save_all=True, append_images=others, compression="tiff_adobe_deflate")
    return written.getvalue()


def _page(text, values, grid):
    """An image whose tags say where it lies; each of its numbers stands for a point."""
    page, tags = Image.fromarray(values.astype(np.float32)), ImageFileDirectory_v2()
    east, south = (np.ptp(axis) / (len(axis) - 1) for axis in (grid.longitude, grid.latitude))
    for tag, kind, value in (
        (PIXEL_SCALE, DOUBLE, (east, south, 0.0)),
        (TIEPOINT, DOUBLE, (0.0, 0.0, 0.0, grid.longitude[0], grid.latitude[0], 0.0)),
        (GEO_KEYS, SHORT, WGS84),
        (DESCRIPTION, ASCII, text),
    ):
        tags.tagtype[tag] = kind
        tags[tag] = value
    page.encoderinfo = {"tiffinfo": tags}
    return page
