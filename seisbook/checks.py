"""Checks of the exercises: each takes an answer, says that it is right, or raises a `Hint` that says what to look at.

A check never shows the solution. In Jupyter a hint is one line, not a traceback.
"""

import numpy as np

from seisbook import inspection, statistics
from seisbook.traveltimes import TravelTimes


class Hint(AssertionError):
    """What to think of next, where an answer is not right yet."""

    def _render_traceback_(self):
        """Show the line alone; IPython asks for this."""
        return [f"Not yet: {self}"]


def _require(condition, hint):
    if not condition:
        raise Hint(hint)


# -------------------------------------------------------------------------------------------------- chapter 1: the data


def station_residuals(terms, catalogue, network) -> str:
    """Median residuals of P and S by station (chapter 1).

    Parameters
    ----------
    terms : DataFrame
        A row a station, columns `p_residual_s` and `s_residual_s`.
    catalogue : Catalogue
    network : Network
    """
    residuals = statistics.travel_time_residuals(catalogue, network, TravelTimes(network.velocity_model))
    grouped = residuals.groupby(catalogue.readings.station_code)[["p_residual_s", "s_residual_s"]]
    _require(set(terms.index) == set(grouped.groups), "the rows should be stations: group by `readings.station_code`.")
    _require({"p_residual_s", "s_residual_s"} <= set(terms), "keep both columns, that of P and that of S.")
    found = terms.loc[list(grouped.groups), ["p_residual_s", "s_residual_s"]].to_numpy(float)
    right = grouped.median().to_numpy()
    _require(not np.allclose(found, -right, equal_nan=True), "late is positive: observed minus computed.")
    _require(not np.allclose(found, grouped.mean(), equal_nan=True), "these are means, which one bad pick can move.")
    _require(np.allclose(found, right, equal_nan=True), "these are not the medians of `travel_time_residuals`.")
    ratio = (terms.s_residual_s.abs() > terms.p_residual_s.abs()).mean()
    return f"Right. At {ratio:.0%} of the stations S is off by more than P."


def b_values(values, magnitudes) -> str:
    """Values of b at the estimated completeness and 0.4 below to 1.2 above it, in steps of 0.2 (chapter 1)."""
    estimate = statistics.completeness(magnitudes)
    right = [statistics.b_value(magnitudes, estimate + shift)[0] for shift in np.arange(-0.4, 1.3, 0.2)]
    _require(len(values) == len(right), f"{len(right)} thresholds are asked for, you have {len(values)}.")
    values = np.array([np.ravel(value)[0] for value in values], float)
    _require(not np.allclose(values, right[::-1]), "begin with the lowest threshold.")
    _require(values[0] < values.max(), "where events are missing b comes out too small: is your first threshold low?")
    _require(np.allclose(values, right, atol=0.005), "count from `statistics.completeness`, and cut events below.")
    return f"Right: from {values[0]:.2f} to {values[-1]:.2f}. The question is where to stop."


# ------------------------------------------------------------------------------------------------- chapter 2: the model


def same_graph(index, events, model) -> str:
    """An event whose stations all are neighbours of each other, in every block (chapter 2)."""
    size, k = int(events.start[index + 1] - events.start[index]), model.config.neighbours
    _require(size <= k + 1, f"this event has {size} stations, and each has only {k} neighbours: take a smaller one.")
    rewired = inspection.walk(model, events, index).rewired()
    _require(not any(rewired), "the graph still changes from block to block.")
    return f"Right: {size} stations, {k} neighbours each at most, and the same graph in every block."


def moved(here, there, km=1000.0) -> str:
    """Two predictions of one event, the second with all stations moved to the east (chapter 2)."""
    east, north = (there.epicentre - here.epicentre)[0].tolist()
    _require(abs(east) > 1e-3, "nothing has moved: predict again with the positions changed.")
    _require(abs(north) < 1e-2 * km, "the epicentre has moved north, too: the first column of a position is east.")
    _require(abs(east - km) < 1e-3 * km, f"it has moved by {east:.0f} km: have you moved *all* stations?")
    change = abs((there.magnitude - here.magnitude).item())
    _require(change < 1e-2, "the magnitude has changed: keep the seismograms and amplitudes as they are.")
    return f"Right: {east:.3f} km east, and {change:.1e} in magnitude. What are the last digits due to?"


def warm_start(warm, cold) -> str:
    """A training that began with trained weights, against one that did not (chapter 2)."""
    _require(warm.start_from is not None, "give the trained model: `Locator(..., start_from=model)`.")
    _require(hasattr(warm, "history_"), "fit it, too.")
    first, other = (one.history_[0]["epicentral_km"] for one in (warm, cold))
    _require(first < other, "it should begin ahead: are events and seed those of the chapter?")
    return f"Right: {first:.1f} km after one epoch, against {other:.1f} km from random weights."


def aggregations(errors) -> str:
    """Best validation errors of three trainings of each aggregation, by its name (chapter 2)."""
    _require(set(errors) == {"max", "mean", "softmax"}, "three aggregations: max, mean and softmax.")
    _require(all(len(set(runs)) >= 3 for runs in errors.values()), "three trainings each, with different seeds.")
    table = np.array([list(runs)[:3] for runs in errors.values()], float)
    between, within = table.mean(1).std(ddof=1), np.sqrt(table.var(1, ddof=1).mean() / 3)
    return (
        f"Three times three. Their means differ by {between:.1f} km; by luck alone {within:.1f} km were to be expected."
    )


# ---------------------------------------------------------------------------------------------- chapter 7: your network


def says_where(message) -> str:
    """A message about a mistake in a network's description (chapter 7)."""
    _require("network.yaml" in message, "the message should name the file: is it what `networks.load` has raised?")
    _require(": " in message.partition("network.yaml")[2], "and what is wrong in it.")
    return f"Right: the file, the key and the value, {message.partition('network.yaml: ')[2]}"


def better_terms(better, network, catalogue) -> str:
    """A network whose stations have the delays and site terms that were measured (chapter 7)."""
    _require(len(better.stations) == len(network.stations), "keep all stations.")
    left = statistics.travel_time_residuals(catalogue, better, TravelTimes(better.velocity_model))
    table = better.station_table()
    _require(table.p_term_s.abs().max() > 0, "the stations still have no delays: `replace` returns a new station.")
    terms = table.reindex(catalogue.readings.station_code)
    for phase in "ps":
        rest = left[f"{phase}_residual_s"].to_numpy() - terms[f"{phase}_term_s"].to_numpy()
        medians = [np.nanmedian(rest[catalogue.readings.station_code == code]) for code in table.index]
        _require(np.abs(medians).max() < 0.03, f"some delays of {phase.upper()} are not the medians of the residuals.")
    _require(table.site_term.abs().max() > 0, "the delays are right; add the site terms, too.")
    return "Right: with these terms taken off, no station is early or late any more."


def fewer_stations(fewer, sparse, catalogue) -> str:
    """A catalogue at the stations of a smaller network (chapter 7)."""
    codes = {station.code for station in sparse.stations}
    _require(len(codes) < catalogue.readings.station_code.nunique(), "the network still has all stations.")
    _require(set(fewer.readings.station_code) <= codes, "readings at other stations are left: `at_known_stations`.")
    _require(len(fewer) == len(catalogue), "leave readings out, not events.")
    enough = (fewer.readings.groupby("source_id").station_code.nunique() >= 4).sum()
    return f"Right: {len(catalogue.readings) - len(fewer.readings)} readings fewer; {enough} events keep four stations."
