"""A network as the text of its YAML file: a comment behind what needs one, a station a line."""

import json
import re

from seisbook.catalogues.networks import Network
from seisbook.catalogues.schema import Station

PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_,.-]*( [A-Za-z0-9_,.()-]+)*")
TRUTH = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}  # what YAML takes for no text
MEASURED = {
    "pick_scatter_s": "measured: P and S onsets about the 1-D model and the stations' terms, near the source (s)",
    "pick_scatter_per_100km_s": "measured: growth of that scatter with distance",
}


def to_yaml(network: Network, zones: list[str], comments: dict[str, str], header: list[str], bulletin=()) -> str:
    """Text of a network's file.

    Parameters
    ----------
    network : Network
    zones : list of str
        Lines of the zones, see `item`.
    comments : dict of str to str
        Comments on keys: `magnitude`, `window`, `dominant_period_s`, `minimum_stations`, and perhaps `utc_offset_h`,
        `velocity_model` and those of `MEASURED`.
    header : list of str
        Comments of the file, a line each.
    bulletin : list of str
        Paths of its bulletin.
    """
    notes = MEASURED | comments
    model, relation, window = network.velocity_model, network.magnitude, network.window
    lines = [
        *(f"# {line}".rstrip() for line in header),
        f"name: {text(network.name)}",
        f"title: {text(network.title)}",
        f"reference: {quoted(network.reference)}",
        *([f"bulletin: {json.dumps([str(path) for path in bulletin], ensure_ascii=False)}"] if bulletin else []),
        f"utc_offset_h: {network.utc_offset_h:g}{_comment(notes, 'utc_offset_h')}",
        f"velocity_model:{_comment(notes, 'velocity_model')}",
        f"  top_km: {model.top_km}",
        f"  vp_km_s: {model.vp_km_s}",
        f"  vp_vs: {model.vp_vs}",
        f"  source: {quoted(model.source)}",
        f"magnitude:{_comment(notes, 'magnitude')}",
        *(f"  {key}: {getattr(relation, key)}" for key in ("b", "c", "d", "scatter")),
        f"  source: {quoted(relation.source)}",
        f"window:{_comment(notes, 'window')}",
        f"  length_s: {window.length_s:g}",
        f"  sampling_rate_hz: {window.sampling_rate_hz:g}",
        f"  lead_s: {[float(value) for value in window.lead_s]}",
    ]
    for key in ("pick_scatter_s", "pick_scatter_per_100km_s", "dominant_period_s", "minimum_stations"):
        value = getattr(network, key)
        value = [float(item) for item in value] if isinstance(value, tuple) else value
        lines.append(f"{key}: {value}{_comment(notes, key)}")
    lines += ["stations:", *map(station_line, sorted(network.stations, key=lambda station: station.code))]
    return "\n".join([*lines, "zones:", *zones]) + "\n"


def _comment(notes, key):
    return f"  # {notes[key]}" if notes.get(key) else ""


def text(value: str) -> str:
    """A text as it stands, or in quotation marks where YAML would take it for something else."""
    return value if PLAIN.fullmatch(value) and value.lower() not in TRUTH else quoted(value)


def quoted(value: str) -> str:
    """A text in quotation marks."""
    return json.dumps(value, ensure_ascii=False)


def station_line(station: Station) -> str:
    """One station in flow style; what has its default value is left out, quoted codes never turn into booleans."""
    fields = [
        f"code: {quoted(station.code)}",
        f"latitude: {station.latitude:.4f}",
        f"longitude: {station.longitude:.4f}",
        f"elevation_m: {station.elevation_m:g}",
        f"site_term: {station.site_term:.2f}",
        f"noise_level: {station.noise_level:.2f}",
    ]
    fields += [f"{key}: {value:.2f}" for key in ("p_term_s", "s_term_s") if (value := getattr(station, key))]
    if station.network:
        fields.append(f"network: {text(station.network)}")
    if station.position_from == "readings":
        fields.append("position_from: readings")
    return "  - {" + ", ".join(fields) + "}"


def item(fields, comments) -> list[str]:
    """Lines of one mapping of a list, a key a line, with comments by key."""
    lines = []
    for i, (key, value) in enumerate(fields.items()):
        lines.append(f"  {'-' if i == 0 else ' '} {key}: {value}{_comment(comments, key)}")
    return lines
