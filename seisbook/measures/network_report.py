"""The report on a new network: what its bulletin holds, what was left out, what looks wrong, what it is good for."""

from html import escape
from pathlib import Path

from seisbook import files
from seisbook.errors import UserError
from seisbook.measures import station_checks
from seisbook.measures.new_network import Draft, validity
from seisbook.measures.seismicity import b_value, completeness

MOST_REMARKS = 10
FEWEST_OF_OWN = 80  # of which four fifths are enough to train on, see `seisbook.models.robust_training`
USUAL_VP_VS = 1.6, 2.1  # of the crust; unconsolidated sediments and gas lie outside
USUAL_SPEED_KM_S = 3.0, 8.4  # of P in the crust and at the top of the mantle, where the sources of networks lie
LARGE = 30  # events of the largest tenth, to score rare large magnitudes
TEXTS = 100  # events with a text
NEEDS = {
    "locations against those of experts": "events with formal errors of the hypocentre",
    "magnitudes": "events with a magnitude and an amplitude that was read",
    "rare large magnitudes": "events in the largest tenth of the magnitudes",
    "stations that analysts pick": "events with manual readings",
    "texts beside seismograms": "events with a text",
}
"""What claims of the book rest on, by what a bulletin must have for them."""
ENOUGH = dict(zip(NEEDS, (100, 100, LARGE, 100, TEXTS), strict=True))


def sections(draft: Draft) -> dict[str, list[str]]:
    """The report's sentences by heading."""
    return {
        "Bulletin": _bulletin(draft),
        "Stations": _stations(draft),
        "Coordinates to check": _coordinates(draft),
        "Clocks and gains that changed": _changes(draft),
        "Model": _model(draft),
        "Range of validity": _range(draft),
        "Data for the claims": _claims(draft),
        "Left out of the bulletin": _left_out(draft),
    }


def write(draft: Draft, path) -> Path:
    """Write the description, and the report as HTML beside it; return the path of the report.

    Parameters
    ----------
    draft : Draft
    path : path
        Of the YAML file.
    """
    files.write_whole(path, draft.text(Path(path).parent))
    return files.write_whole(Path(path).with_suffix(".html"), as_html(draft))


def as_text(draft: Draft) -> str:
    """The report for a terminal."""
    return "\n".join(f"{head}\n" + "\n".join(f"  {line}" for line in lines) for head, lines in sections(draft).items())


def as_html(draft: Draft) -> str:
    """The report as a page that needs no other file."""
    body = "".join(
        f"<h2>{escape(head)}</h2><ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
        for head, lines in sections(draft).items()
    )
    title = escape(draft.network.title)
    style = "body{font:16px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em}h2{font-size:1.1em}"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{style}</style>'
        f"<h1>{title}</h1>{body}</html>\n"
    )


def _bulletin(draft):
    events, readings = draft.catalogue.events, draft.catalogue.readings
    onsets = {wave: int(readings[f"path_{wave}_travel_s"].notna().sum()) for wave in "ps"}
    read = int((readings.trace_amplitude_nm > 0).sum())
    first, last = events.source_origin_time.min(), events.source_origin_time.max()
    return [
        f"{len(events)} events from {first:%Y-%m-%d} to {last:%Y-%m-%d}, {len(readings)} readings at "
        f"{readings.station_code.nunique()} stations",
        f"{onsets['p']} P and {onsets['s']} S onsets",
        f"{read} amplitudes read; {len(readings) - read} will be predicted from the magnitudes",
        f"{int(events.source_magnitude.notna().sum())} events with a magnitude",
    ]


def _stations(draft):
    solved = [one for one in draft.placements if one.station and one.station.position_from == "readings"]
    unknown = [one.code for one in draft.placements if one.station is None]
    from_file = len(draft.placements) - len(solved) - len(unknown)
    more = f", which has {draft.unused} more that nobody read" if draft.unused else ""
    lines = [f"{from_file} from the station file{more}"] if from_file else []
    if solved:
        worst = max(one.error_km for one in solved)
        lines.append(f"{len(solved)} solved from distances and azimuths, to {worst:.1f} km or better: {_codes(solved)}")
        lines += [f"{one.code}: the file has {one.neighbour} there" for one in solved if one.neighbour]
    if unknown:
        lines.append(f"{len(unknown)} unknown, their readings are left out: {', '.join(unknown)}")
    return lines


def _codes(placements):
    return ", ".join(one.code for one in placements)


def _coordinates(draft):
    moved = [
        f"{one.code}: {one.readings} readings put it {one.moved_km:.0f} km from its coordinates in the file"
        for one in draft.placements
        if one.moved_km > 10 and one.station and one.station.position_from == "readings"
    ]
    found = station_checks.misplaced(draft.catalogue, draft.network)
    return [*moved, *(f"{code}: {said}" for code, said in found.items())] or ["none"]


def _changes(draft):
    lines = [
        f"{one.station}: {one.what} {one.before:+.2f} before {one.when:%Y-%m-%d %H:%M}, {one.after:+.2f} after it "
        f"({one.values} values)"
        for one in station_checks.steps(draft.catalogue, draft.network)
    ]
    return lines or ["none"]


def _model(draft):
    network, fit = draft.network, draft.velocity
    model = network.velocity_model
    layers = ", ".join(f"{v:g} km/s from {z:g} km" for z, v in zip(model.top_km, model.vp_km_s, strict=True))
    origin = "given" if fit is None else f"fitted, scatter of P {fit.scatter_s:.2f} s in events held back"
    relation, magnitude = network.magnitude, draft.magnitude
    return [
        f"velocity ({origin}): {layers}; Vp/Vs {model.vp_vs:g}",
        f"magnitude ({magnitude.fitted or 'nothing'} calibrated): log10 A + {relation.b:g} log10 R + {relation.c:g} R "
        f"{'-' if relation.d < 0 else '+'} {abs(relation.d):g}, scatter of a station {relation.scatter:.2f}",
        f"scatter of onsets near the source: P {network.pick_scatter_s[0]:g} s, S {network.pick_scatter_s[1]:g} s; "
        f"{network.pick_scatter_per_100km_s:g} s per 100 km",
        f"window: {network.window.length_s:g} s at {network.window.sampling_rate_hz:g} Hz",
        f"zones of seismicity: {len(network.zones)}",
        *_unusual(model),
    ]


def _unusual(model):
    """What a velocity model says that hardly any Earth does: it was fitted to times that are wrong."""
    said = []
    if not USUAL_VP_VS[0] <= model.vp_vs <= USUAL_VP_VS[1]:
        said.append(f"unusual Vp/Vs {model.vp_vs:g}: check the bulletin's origin times, and which onsets are P and S")
    if not USUAL_SPEED_KM_S[0] <= max(model.vp_km_s) <= USUAL_SPEED_KM_S[1]:
        said.append(
            f"unusual P velocity {max(model.vp_km_s):g} km/s: check the bulletin's origin times and the coordinates, "
            "or give a model with --velocity"
        )
    return said


def _range(draft):
    lines = [
        f"{name.replace('_km', ' (km)')}: {low:g} to {high:g}"
        for name, (low, high) in validity(draft.catalogue.events).items()
    ]
    magnitudes = draft.catalogue.events.source_magnitude
    if magnitudes.notna().any():
        least = completeness(magnitudes)
        try:
            slope = "b = {:.2f} ± {:.2f}".format(*b_value(magnitudes, least))
        except UserError:
            slope = "too few magnitudes above it for a b-value"
        lines.append(f"complete from magnitude {least:.1f}; {slope}")
    return lines


def _claims(draft):
    counts = dict(zip(NEEDS, _counts(draft.catalogue), strict=True))
    lines = [
        f"{claim}: {'yes' if counts[claim] >= ENOUGH[claim] else 'no'}; {counts[claim]} {NEEDS[claim]}, "
        f"{ENOUGH[claim]} are enough"
        for claim in NEEDS
    ]
    enough = "enough" if len(draft.catalogue) >= FEWEST_OF_OWN else "too few: train on the simulated twin alone"
    return [*lines, f"own events to train on: {len(draft.catalogue)}, {enough}"]


def _counts(catalogue):
    """Events that each of `NEEDS` counts."""
    events, readings = catalogue.events, catalogue.readings
    sized = events.source_magnitude.notna()
    measured = events.index.isin(readings.source_id[readings.trace_amplitude_nm > 0])
    manual = (readings.trace_p_status == "manual") | (readings.trace_s_status == "manual")
    largest = events.source_magnitude >= events.source_magnitude.quantile(0.9)
    return [
        int(events.source_latitude_uncertainty_km.notna().sum()),
        int((sized & measured).sum()),
        int(largest.sum()),
        int(readings.source_id[manual].nunique()),
        int((events.source_text != "").sum()),
    ]


def _left_out(draft):
    skipped = draft.catalogue.skipped
    more = [f"and {len(skipped) - MOST_REMARKS} more"] if len(skipped) > MOST_REMARKS else []
    return [*skipped[:MOST_REMARKS], *more] or ["nothing"]
