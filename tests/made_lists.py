"""Lists of stations of simulated earthquakes, in ShakeMap's formats."""

import json

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.catalogues.station_lists import AMPLITUDES

ELEMENTS = dict(zip(MEASURES, ("acc", "vel", "psa03", "psa10", "psa30"), strict=True))


def earthquake(name="twin-1", lat=38.0, lon=24.0, depth=8.0, mag=5.0, time="2020-01-01T00:00:00Z"):
    values = {"id": name, "lat": lat, "lon": lon, "depth": depth, "mag": mag, "time": time}
    return "<earthquake " + " ".join(f'{key}="{value}"' for key, value in values.items() if value is not None) + "/>"


def as_xml(records):
    """Both horizontals of each station have the recorded value."""
    stations = []
    for row in records.to_dict("records"):
        network, code = row["station"].split(".")
        inside = "".join(f'<{ELEMENTS[name]} value="{10 ** row[name]!r}" flag="0"/>' for name in MEASURES)
        comps = "".join(f'<comp name="HN{letter}">{inside}</comp>' for letter in "EN")
        place = f'lat="{row["latitude"]!r}" lon="{row["longitude"]!r}"'
        stations.append(f'<station code="{code}" netid="{network}" {place}>{comps}</station>')
    return f"<stationlist>{''.join(stations)}</stationlist>"


def as_json(records):
    """As ShakeMap writes them: longitude first, spectral accelerations by their period, in any order."""
    features = []
    for row in records.to_dict("records"):
        network, code = row["station"].split(".")
        amplitudes = [
            {"name": name, "value": 10 ** row[measure], "flag": "0", "units": "cm/s" if name == "pgv" else "%g"}
            for name, measure in reversed(AMPLITUDES.items())
        ]
        channels = [{"name": f"HN{letter}", "amplitudes": amplitudes} for letter in "EN"]
        about = {"code": code, "network": network, "station_type": "seismic", "channels": channels}
        place = {"type": "Point", "coordinates": [row["longitude"], row["latitude"]]}
        features.append({"type": "Feature", "id": row["station"], "properties": about, "geometry": place})
    return json.dumps({"type": "FeatureCollection", "features": features})
