"""Coastlines, borders and towns that the maps need, from the files in `data/geography`."""

import json
import logging

import shapely

from seisbook.paths import DATA

logger = logging.getLogger(__name__)


def geography(name):
    """Coast, borders and landmarks of a network's region, as shipped in `data/geography`.

    Returns
    -------
    dict
        From kind (`land`, `border`, `state_border`, `place`) to a list of (properties, shapely geometry); empty for a
        network whose region the book does not ship.
    """
    path = DATA / "geography" / f"{name}.geojson"
    if not path.is_file():
        logger.info("no coastline for network %s: its map shows stations and events only", name)
        return {}
    kinds = {}
    for feature in json.loads(path.read_text(encoding="utf-8"))["features"]:
        properties = feature["properties"]
        kinds.setdefault(properties["kind"], []).append((properties, shapely.geometry.shape(feature["geometry"])))
    return kinds
