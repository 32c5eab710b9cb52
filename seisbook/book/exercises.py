"""Checks of the exercises: each takes an answer and returns a confirmation, or raises a `Hint` for the next step.

A check never shows the solution. In Jupyter a hint is one line, not a traceback.
"""

from dataclasses import replace

import numpy as np
from scipy.stats import kendalltau, spearmanr
from sklearn.metrics import roc_auc_score

from seisbook.book.hints import hinting, place_of, require
from seisbook.figures import variance as variance_figures
from seisbook.measures import evaluation, field_structure, perturbations, seismicity, variance, variance_ratio
from seisbook.models import inspection
from seisbook.physics import residuals
from seisbook.physics.traveltimes import TravelTimes

# -------------------------------------------------------------------------------------------------- chapter 1: the data


@hinting
def station_residuals(terms, catalogue, network) -> str:
    """Check the median residuals of P and S by station (chapter 1).

    Parameters
    ----------
    terms : DataFrame
        One row for each station; columns `p_residual_s` and `s_residual_s`.
    catalogue : Catalogue
    network : Network
    """
    table = residuals.travel_time_residuals(catalogue, network, TravelTimes(network.velocity_model))
    grouped = table.groupby(catalogue.readings.station_code)[["p_residual_s", "s_residual_s"]]
    require(set(terms.index) == set(grouped.groups), "the rows should be stations: group by `readings.station_code`.")
    require({"p_residual_s", "s_residual_s"} <= set(terms), "keep both columns, that of P and that of S.")
    answer = terms.loc[list(grouped.groups), ["p_residual_s", "s_residual_s"]].to_numpy(float)
    right = grouped.median().to_numpy()
    require(not np.allclose(answer, -right, equal_nan=True), "late is positive: observed minus computed.")
    require(not np.allclose(answer, grouped.mean(), equal_nan=True), "these are means, which one bad pick can move.")
    require(np.allclose(answer, right, equal_nan=True), "these are not the medians of `travel_time_residuals`.")
    ratio = (terms.s_residual_s.abs() > terms.p_residual_s.abs()).mean()
    return f"Right. At {ratio:.0%} of the stations S is off by more than P."


@hinting
def b_values(values, magnitudes) -> str:
    """Check b values from 0.4 below to 1.2 above the estimated completeness, in steps of 0.2 (chapter 1)."""
    estimate = seismicity.completeness(magnitudes)
    right = [seismicity.b_value(magnitudes, estimate + shift)[0] for shift in np.arange(-0.4, 1.3, 0.2)]
    require(len(values) == len(right), f"{len(right)} thresholds are asked for, you have {len(values)}.")
    values = np.array([np.ravel(value)[0] for value in values], float)
    require(not np.allclose(values, right[::-1]), "begin with the lowest threshold.")
    late = [seismicity.b_value(magnitudes, estimate + shift)[0] for shift in np.arange(0, 1.7, 0.2)]
    require(not np.allclose(values, late, atol=0.005), "your first threshold is the completeness: begin 0.4 below it.")
    cut = "the first values are alike: begin with all magnitudes, and leave out nothing before `b_value` does."
    require(np.ptp(values[:3]) > 0 or np.ptp(right[:3]) == 0, cut)
    errors = [seismicity.b_value(magnitudes, estimate + shift)[1] for shift in np.arange(-0.4, 1.3, 0.2)]
    require(not np.allclose(values, errors, atol=1e-6), "these are the standard errors: b is the first of the two.")
    hint = "`seismicity.b_value(magnitudes, threshold)` of each threshold, counted from `seismicity.completeness`."
    require(np.allclose(values, right, atol=0.005), hint)
    return f"Right: from {values[0]:.2f} to {values[-1]:.2f}. The question is where to stop."


# ------------------------------------------------------------------------------------------------- chapter 2: the model


@hinting
def same_graph(index, events, model) -> str:
    """Check that all stations of an event are neighbours of each other in every block (chapter 2)."""
    index = place_of(index, len(events), "an event")
    size, k = int(events.start[index + 1] - events.start[index]), model.config.neighbours
    require(size <= k + 1, f"this event has {size} stations, and each has only {k} neighbours: take a smaller one.")
    rewired = inspection.walk(model, events, index).rewired()
    require(not any(rewired), "the graph still changes from block to block.")
    return f"Right: {size} stations, {k} neighbours each at most, and the same graph in every block."


@hinting
def moved(here, there, km=1000.0) -> str:
    """Check two predictions of one event, the second with all stations moved to the east (chapter 2)."""
    east, north = (there.epicentre - here.epicentre)[0].tolist()
    require(abs(east - km) < 1e-3 * km or abs(north) < 1e-2 * km, _wrong_way(east, north, km))
    require(abs(east) > 1e-3, "the epicentre has not moved: predict again with the first column of `pos` changed.")
    require(abs(north) < 1e-2 * km, "the epicentre has moved north, too: the first column of a position is east.")
    require(east > 0, "the epicentre has moved west: add to the coordinate, and take `there` after the change.")
    require(abs(east - km) < 1e-3 * km, f"it has moved by {east:.0f} km: {km:.0f} km are asked for, of *all* stations.")
    change = abs((there.magnitude - here.magnitude).item())
    require(change < 1e-2, "the magnitude has changed: keep the seismograms and amplitudes as they are.")
    return f"Right: {east:.3f} km east, and {change:.1e} in magnitude. What are the last digits due to?"


def _wrong_way(east, north, km):
    """Hint for an epicentre that has moved north."""
    if abs(east) < 1e-2 * km:
        return f"it has moved {abs(north):.0f} km {'north' if north > 0 else 'south'}: east is the first column."
    return "it has moved both ways: change the first column alone, by the same amount at all stations."


@hinting
def warm_start(warm, cold) -> str:
    """Check a training that began with trained weights against a training from random weights (chapter 2)."""
    require(warm.start_from is not None, "give the trained model: `Locator(..., start_from=model)`.")
    require(hasattr(warm, "history_"), "fit it, too.")
    warm_km, cold_km = (locator.history_[0]["epicentral_km"] for locator in (warm, cold))
    require(warm_km < cold_km, "it should begin ahead: are events and seed those of the chapter?")
    return f"Right: {warm_km:.1f} km after one epoch, against {cold_km:.1f} km from random weights."


@hinting
def aggregations(errors) -> str:
    """Check the best validation errors of three trainings for each aggregation, by its name (chapter 2)."""
    require(set(errors) == {"max", "mean", "softmax"}, "three aggregations: max, mean and softmax.")
    require(all(np.all(np.asarray(runs, float) > 0) for runs in errors.values()), "errors in km, each above zero.")
    require(all(len(set(runs)) >= 3 for runs in errors.values()), "three trainings each, with different seeds.")
    table = np.array([list(runs)[:3] for runs in errors.values()], float)
    between, within = table.mean(1).std(ddof=1), np.sqrt(table.var(1, ddof=1).mean() / 3)
    return (
        f"Three times three. Their means differ by {between:.1f} km; by luck alone {within:.1f} km were to be expected."
    )


# ---------------------------------------------------------------------------------------------------- chapter 3: luck


@hinting
def fewer_seeds(fewer, runs) -> str:
    """Check the variance components of the dynamic arm's score with two seeds only (chapter 3).

    Parameters
    ----------
    fewer : Components
        Result of `variance.anova_components`.
    runs : DataFrame
        Scores of the crossed design for all arms and seeds.
    """
    ours = runs[runs.arm == "dynamic"]
    require(fewer.n_seeds == 2, f"{fewer.n_seeds} seeds are in it: keep seeds 0 and 1.")
    require(fewer.n_partitions == ours.partition.nunique(), "keep all partitions: it is seeds that are left out.")
    right = variance.anova_components(ours[ours.seed < 2], "epicentral_km")
    hint = (
        "these are components of something else: the score is `epicentral_km`, the arm is dynamic, seeds are 0 and 1."
    )
    require(np.allclose(fewer.mean_squares, right.mean_squares), hint)
    both = variance.anova_components(ours, "epicentral_km").table(), fewer.table()
    before, after = (table.high - table.low for table in both)
    wider = ", ".join(f"{name} {factor:.1f}" for name, factor in (after / before).items())
    return f"Right. The intervals are wider by factors: {wider}. Which one, and why?"


@hinting
def naive_interval(naive, honest, scores, components) -> str:
    """Check two half widths of the interval of a mean score (chapter 3).

    The naive half width treats the trainings as independent. The honest one uses the variance components.

    Parameters
    ----------
    naive, honest : float
    scores : Series
        One score for each training.
    components : mapping
        Components `data`, `seed` and `residual`, from 15 partitions and 5 seeds.
    """
    error, right = scores.std() / np.sqrt(len(scores)), variance_figures.half_width(components, 15, 5)
    swapped = np.isclose(naive, right, rtol=0.01) and np.isclose(honest, 2 * error, rtol=0.03)
    require(not swapped, "you have exchanged the two: the naive one comes first.")
    require(not np.isclose(naive, scores.std(), rtol=0.1), "this is the scatter of one score: what has their mean?")
    require(not np.isclose(naive, error, rtol=0.005), "this is the standard error: the interval goes on to 1.96 of it.")
    require(not np.isclose(naive, 4 * error, rtol=0.03), "this is the whole interval: take one half of it.")
    require(np.isclose(naive, 2 * error, rtol=0.03), "the naive one: standard deviation over the root of the number.")
    require(not np.isclose(honest, 2 * right, rtol=0.01), "the honest one: this is the whole interval: take one half.")
    turned = variance_figures.half_width(components, 5, 15)
    require(
        not np.isclose(honest, turned, rtol=0.01), "the honest one: there are 15 partitions and 5 seeds, not 5 and 15."
    )
    require(
        np.isclose(honest, right, rtol=0.01), "the honest one: see how many partitions, how many seeds; here 15 and 5."
    )
    return f"Right: {honest / naive:.1f} times. As if there were {len(scores) * (naive / honest) ** 2:.0f} trainings."


@hinting
def enough_partitions(needed, design) -> str:
    """Check the number of partitions, 5 doubled repeatedly, that detects a variance reduction of 20 % (chapter 3)."""

    def detectable(n):
        return variance_ratio.minimum_detectable_ratio(replace(design, n_partitions=int(n)))

    require(2 <= needed < 1e6, "a number of partitions: two or more, and not millions.")
    ratio = detectable(needed)
    require(ratio >= 0.8, f"with {needed} partitions only a ratio of {ratio:.3f} would be found: take more.")
    require(detectable(max(needed // 2, 2)) < 0.8, "half as many would do, too.")
    return f"Right: {needed} partitions, which is {2 * needed * design.n_seeds:,} trainings in two arms."


# ----------------------------------------------------------------------------------------------- chapter 4: what breaks


@hinting
def filtered(low, high) -> str:
    """Check an event after low-pass and after high-pass filters, both from `robustness_figures.degrade` (chapter 4)."""
    corners = [[step.severity for step in steps] for steps in (low, high)]
    require(all(corner[0] is None for corner in corners), "keep the first of the steps, the event as it is.")
    require(corners[0][1] > corners[0][-1], "`low` should become harsher with a *lower* corner: is it `low_pass`?")
    require(corners[1][1] < corners[1][-1], "`high` should become harsher with a *higher* corner: is it `high_pass`?")
    require(low[0].error_km == high[0].error_km, "these are two events: filter the same one.")
    worst = [max(step.error_km for step in steps) / steps[0].error_km for steps in (low, high)]
    return f"Right. The largest error grows by {worst[0]:.1f} (low-pass) and by {worst[1]:.1f} (high-pass)."


@hinting
def two_faults(growths, locator, events, sampling_rate_hz) -> str:
    """Check the growths of the median error with noise, without the nearest station, and with both (chapter 4)."""
    require(set(growths) == {"noise", "nearest", "both"}, "three growths: noise, nearest and both.")
    noise, nearest = perturbations.AddedNoise(10.0), perturbations.StationDropout(1, mode="nearest")
    changes = {"noise": noise, "nearest": nearest, "both": perturbations.compose(noise, nearest)}
    calm = _median_error(locator, events)
    right = {name: _growth(locator, events, change, sampling_rate_hz) for name, change in changes.items()}
    given, product = np.array([growths[name] for name in right]), growths["noise"] * growths["nearest"]
    hint = "these are errors in km: divide them by that of the same events unperturbed."
    require(not np.allclose(given, np.multiply(list(right.values()), calm), rtol=0.02), hint)
    hint = "that is the product: apply *both* to the events, with `perturbations.compose`."
    require(np.isclose(product, right["both"], rtol=1e-3) or not np.isclose(growths["both"], product), hint)
    wrong = [name for name in right if not np.isclose(growths[name], right[name], rtol=0.02)]
    require(not wrong, f"{', '.join(wrong)}: 10 dB and one station, all events, medians of `epicentral_km`?")
    return f"Right: both by {growths['both']:.2f}, where the product is {product:.2f}."


@hinting
def breaks(change, locator, events, sampling_rate_hz) -> str:
    """Check that a perturbation at least doubles the median error (chapter 4)."""
    made = "make one of this kind, with a severity: `change = perturbations.AddedNoise(10.0)`, for instance."
    require(not isinstance(change, type), made)
    require(
        isinstance(change, perturbations.Perturbation),
        "a perturbation of `seisbook.measures.perturbations` is asked for.",
    )
    growth = _growth(locator, events, change, sampling_rate_hz)
    require(growth >= 2, f"the error grows by {growth:.2f} only.")
    return f"It does: {growth:.1f} times the error. Would an analyst see it on the seismograms?"


@hinting
def liars(error, ellipse, locator, events, sampling_rate_hz) -> str:
    """Check the growth of error and ellipse when one station of each event is misplaced by 50 km (chapter 4)."""
    change = perturbations.WrongCoordinates(50.0)
    changed = change.apply(events, sampling_rate_hz, progress=False)
    right = _growth(locator, events, change, sampling_rate_hz)
    require(
        np.isclose(error, right, rtol=0.02), "the error: the median with the fault over that without, of all events."
    )
    before, after = (_radius(locator.predict(variant).epicentre_tril) for variant in (events, changed))
    grown = np.median(after) / np.median(before)
    hint = (
        "the ellipse: the root of the diagonal's product, event by event; the median with the fault over that without."
    )
    if np.isclose(ellipse, grown**2, rtol=0.03):
        hint = "this is the growth of the ellipse's area: take the root."
    require(np.isclose(ellipse, grown, rtol=0.03), hint)
    return f"Right: the error grows by {error:.1f}, the ellipse that should cover it by {ellipse:.2f}."


def _median_error(locator, events):
    return evaluation.errors(locator.predict(events), events).epicentral_km.median()


def _growth(locator, events, change, sampling_rate_hz):
    """Ratio of the median epicentral error with a perturbation to that without it."""
    changed = change.apply(events, sampling_rate_hz, progress=False)
    return _median_error(locator, changed) / _median_error(locator, events)


def _radius(tril):
    return tril.diagonal(dim1=1, dim2=2).prod(1).sqrt().numpy()


# ------------------------------------------------------------------------------------------------ chapter 5: attention


@hinting
def nearest_share(share, table) -> str:
    """Check the share of events in which the nearest station has the largest rollout (chapter 5).

    Parameters
    ----------
    share : float
    table : DataFrame
        Table of `attention_study.collect`.
    """
    right = _share_of_events(table, "idxmax")
    require(0 <= share <= 1, "a share of the events: between 0 and 1.")
    hint = "by event: is the largest `rollout` where `epicentral_km` is smallest?"
    if np.isclose(share, _share_of_events(table, "idxmin")):
        hint = "you compare with the station that has the *smallest* rollout."
    require(np.isclose(share, right, atol=1e-6), hint)
    lot = (1 / table.groupby("event").size()).mean()
    return f"Right: {share:.0%} of the events. Chance gives {lot:.0%}."


def _share_of_events(table, extreme):
    events = table.groupby("event")
    return float((getattr(events.rollout, extreme)() == events.epicentral_km.idxmin()).mean())


@hinting
def softmax_gap(z) -> str:
    """Check values with a softmax-weighted mean below their maximum by at least half of the bound (chapter 5)."""
    z = np.asarray(z, float)
    require(z.ndim == 1 and len(z) >= 2, "a list of two values or more.")
    require(np.isfinite(z).all(), "finite values.")
    require(np.ptp(z) > 0, "values that are all alike are their own mean: one has to stand out.")
    reached, wider, closer = (_share_of_bound(factor * z) for factor in (1.0, 1.1, 0.9))
    told = f"{len(z)} values, and {reached:.2f} of the bound"
    require((z == z.max()).sum() == 1 or reached >= 0.5, f"{told}: several share the first place: let one stand out.")
    require(reached >= 0.5 or wider <= 1.01 * reached, f"{told}: the same values farther apart come nearer to it.")
    heavy = "the first gets nearly all the weight: bring it down."
    require(reached >= 0.5 or reached > 0.05 or np.ptp(z) < 5, f"{told}: {heavy}")
    require(reached >= 0.5 or closer <= 1.01 * reached, f"{told}: the first gets too much weight: bring it down.")
    require(reached >= 0.5, f"{told}. If no arrangement does better, try more.")
    return f"Right: with {len(z)} values {reached:.2f} of the bound."


def _share_of_bound(z):
    """Maximum minus softmax-weighted mean, over the logarithm of the number of values."""
    weight = np.exp(z - z.max())
    return (z.max() - weight @ z / weight.sum()) / np.log(len(z))


@hinting
def shuffled(other, model) -> str:
    """Check that a model has the weights of another model in another order (chapter 5)."""
    pairs = list(zip(other.parameters(), model.parameters(), strict=True))
    require(any(not a.equal(b) for a, b in pairs), "these are the trained weights: shuffle them first.")
    same = all(a.flatten().sort().values.equal(b.flatten().sort().values) for a, b in pairs)
    require(same, "these are other weights, not the model's own in another order.")
    return "Right: the same weights in another order. Now draw it, and let somebody else guess."


@hinting
def left_out(tau, table) -> str:
    """Check Kendall's tau of the rollout and the effect of leaving a station out, for one event (chapter 5)."""
    pair = table[["rollout", "leave_one_out_km"]]
    right, pearson, spearman = (pair.corr(method).iloc[0, 1] for method in ("kendall", "pearson", "spearman"))
    require(np.ndim(tau) == 0, "one number: take the entry of the two out of the table.")
    hint = "compare `rollout` with `leave_one_out_km`, station by station."
    if np.isclose(tau, pearson, atol=0.006):
        hint = "a correlation of the values: the order asks for Kendall's."
    elif np.isclose(tau, spearman, atol=0.006):
        hint = "this is Spearman's rank correlation: Kendall's is asked for."
    elif np.isclose(tau, -right, atol=0.006):
        hint = "the sign is wrong: have you turned one of the two orders around?"
    require(np.isclose(tau, right, atol=0.006), hint)
    return f"Right: {tau:.2f} for this event, of {len(table)} stations."


# ------------------------------------------------------------------------------------------ chapter 6: events and texts


@hinting
def own_words(found, classes) -> str:
    """Check the classes of the first ten answers to prompts for volcanic events (chapter 6).

    Parameters
    ----------
    found : array_like of str, shape (10,)
        Classes of the first ten answers.
    classes : array_like of str, shape (events,)
        Classes of all events.
    """
    found, classes = np.asarray(found), np.asarray(classes)
    require(len(found) == 10, f"the first ten answers are asked for, you have {len(found)}.")
    require("volcanic" in classes, "none of these events is volcanic: run the chapter with `source` simulated.")
    require(set(found) <= set(classes), "these are not classes: take `given.classes` at the best answers.")
    right, by_lot = (found == "volcanic").sum(), 10 * (classes == "volcanic").mean()
    require(
        right > by_lot, f"{right} right, no more than by lot: are these the *most* similar, and in words of reports?"
    )
    return f"{right} of ten are right; by lot it would be {by_lot:.1f}."


@hinting
def languages(tau, english, spanish) -> str:
    """Check Kendall's tau between the scores of a question in two languages (chapter 6)."""
    require(not np.allclose(english, spanish), "the two questions are the same: ask one of them in Spanish.")
    right = kendalltau(english, spanish).statistic
    hint = "these are not the two questions' scores of all events, in the order of the events."
    if np.isclose(tau, np.corrcoef(english, spanish)[0, 1], atol=0.006):
        hint = "a correlation of the scores: the order asks for Kendall's."
    elif np.isclose(tau, spearmanr(english, spanish).statistic, atol=0.006):
        hint = "this is Spearman's rank correlation: Kendall's is asked for."
    require(np.isclose(tau, right, atol=0.006), hint)
    return f"Right: {tau:.2f}, where questions that mean the same to the encoder would have 1."


@hinting
def withheld(auc, margin, own) -> str:
    """Check the area under the ROC curve of a withheld class (chapter 6).

    Parameters
    ----------
    auc : float
    margin : ndarray, shape (events,)
        Margins of the class.
    own : ndarray of bool, shape (events,)
        Whether an event belongs to the class.
    """
    require(not np.isnan(margin).any(), "there are events without a margin: has the trial a class that is `withheld`?")
    require(0 < np.sum(own) < len(own), "no event is of that class, or all are.")
    right = roc_auc_score(own, margin)
    hint = "the area: the chance that an event of the class has the larger margin of the two."
    if np.isclose(auc, 1 - right, atol=0.006):
        hint = "the wrong way round: a *large* margin speaks for the class."
    elif np.isclose(auc, np.mean((margin > 0) == own), atol=0.006):
        hint = "this is the share of right answers, which depends on how frequent the class is."
    require(np.isclose(auc, right, atol=0.006), hint)
    return f"Right: {auc:.2f} for {np.sum(own)} events of the class; 0.5 would be chance."


@hinting
def cheats(errors) -> str:
    """Check depth errors after corrections, with texts in full and without places (chapter 6).

    Parameters
    ----------
    errors : DataFrame
        One row for each correction; columns `none` (texts in full) and `places` (texts without places).
    """
    require({"none", "places"} <= set(errors), "two columns: texts in full, `none`, and without places, `places`.")
    require(errors.index.is_unique, "one row a correction: are these errors of depth only?")
    needed = {"estimates", "estimates and text"}
    require(needed <= set(errors.index), "keep the corrections by the estimates alone and by estimates and text.")
    alone, both = errors.loc["estimates"], errors.loc["estimates and text"]
    require(np.isclose(alone.none, alone.places), "the estimates do not read: their rows should be alike.")
    require(alone.none != 1, "these are ratios: take the errors themselves.")
    full, masked = both.none / alone.none, both.places / alone.places
    return f"Right: text in full makes the error {full:.2f} of what it is, without places {masked:.2f}."


# ---------------------------------------------------------------------------------------------- chapter 7: your network


@hinting
def says_where(message) -> str:
    """Check a message about a mistake in a network's description (chapter 7)."""
    require(isinstance(message, str), "keep the text of the error: `message = str(error)`.")
    require("network.yaml" in message, "the message should name the file: is it what `networks.load` has raised?")
    require(": " in message.partition("network.yaml")[2], "and what is wrong in it.")
    return f"Right: the file, the key and the value, {message.partition('network.yaml: ')[2]}"


@hinting
def better_terms(better, network, catalogue) -> str:
    """Check that the stations of a network have the measured delays and site terms (chapter 7)."""
    require(len(better.stations) == len(network.stations), "keep all stations.")
    left = residuals.travel_time_residuals(catalogue, better, TravelTimes(better.velocity_model))
    table = better.station_table()
    require(table.p_term_s.abs().max() > 0, "the stations still have no delays: `replace` returns a new station.")
    terms = table.reindex(catalogue.readings.station_code)
    for phase in "ps":
        corrected = left[f"{phase}_residual_s"].to_numpy() - terms[f"{phase}_term_s"].to_numpy()
        turned = left[f"{phase}_residual_s"].to_numpy() + terms[f"{phase}_term_s"].to_numpy()
        medians = [np.nanmedian(corrected[catalogue.readings.station_code == code]) for code in table.index]
        wrong_sign = [np.nanmedian(turned[catalogue.readings.station_code == code]) for code in table.index]
        require(
            np.abs(medians).max() < 0.03 or np.abs(wrong_sign).max() >= 0.03,
            f"the delays of {phase.upper()} have the wrong sign: late is positive, observed minus computed.",
        )
        require(np.abs(medians).max() < 0.03, f"some delays of {phase.upper()} are not the medians of the residuals.")
    require(table.site_term.abs().max() > 0, "the delays are right; add the site terms, too.")
    return "Right: with these terms taken off, no station is early or late any more."


@hinting
def fewer_stations(fewer, sparse, catalogue) -> str:
    """Check a catalogue with readings at the stations of a smaller network only (chapter 7)."""
    codes = {station.code for station in sparse.stations}
    require(len(codes) < catalogue.readings.station_code.nunique(), "the network still has all stations.")
    require(set(fewer.readings.station_code) <= codes, "readings at other stations are left: `at_known_stations`.")
    require(len(fewer) == len(catalogue), "leave readings out, not events.")
    enough = (fewer.readings.groupby("source_id").station_code.nunique() >= 4).sum()
    return f"Right: {len(catalogue.readings) - len(fewer.readings)} readings fewer; {enough} events keep four stations."


# ---------------------------------------------------------------------------------------------------- chapter 8: fields


@hinting
def far_away(ratio, normal, event, observed) -> str:
    """Check the ratio of scales of peak velocity far from all stations, with their values and without (chapter 8)."""
    far = event.epicentre + np.array([[2000.0, 0.0]])
    given, nothing = (normal.predict_at(event, seen, far).scale[0] for seen in (observed, np.zeros_like(observed)))
    require(np.ndim(ratio) == 0, "one number, of peak velocity: the second of the five measures.")
    require(not np.isclose(ratio, nothing[1] / given[1], rtol=1e-3), "the other way round: with, over without.")
    require(np.isclose(ratio, given[1] / nothing[1], rtol=0.01), "2,000 km east of the epicentre, `scale[0, 1]`.")
    return f"Right: {ratio:.2f}. Nothing is known of the ground there, but the event's term is."


@hinting
def wrong_unit(moved, methods, event, observed) -> str:
    """Check how far each method is moved by one station whose values are ten times too large (chapter 8)."""
    distance = np.hypot(*(event.pos[~observed][:, None] - event.pos[observed][None]).transpose(2, 0, 1))
    hidden, liar = np.unravel_index(distance.argmin(), distance.shape)
    hidden, liar = np.flatnonzero(~observed)[hidden], np.flatnonzero(observed)[liar]
    values = event.values.copy()
    values[liar] += 1
    spoilt = replace(event, values=values)
    for name, method in methods.items():
        require(name in moved, f"no entry for {name!r}: one for each of the methods.")
        before, after = (method.predict(one, observed).mean[hidden, 1] for one in (event, spoilt))
        require(np.isclose(moved[name], after - before, atol=0.01), f"{name}: after minus before, at the hidden one.")
    return "Right: " + ", ".join(f"{name} {moved[name]:+.2f}" for name in methods) + " (log10)."


@hinting
def next_station(index, view, kept) -> str:
    """Check which removed station, brought back, makes the map's uncertainty smallest on average (chapter 8)."""
    index = place_of(index, len(kept), "a station")
    require(not kept[index], "it should be the place of a station that is removed.")
    one_more = {i: kept | (np.arange(len(kept)) == i) for i in np.flatnonzero(~kept)}
    means = {i: field_structure.conditioned(view, now)[1][: len(view.grid)].mean() for i, now in one_more.items()}
    best = min(means, key=means.get)
    require(means[index] <= means[best] + 1e-6, f"{view.codes[index]} is not the best: have you tried all of them?")
    return f"Right: {view.codes[index]}. No value of it was needed: the uncertainty depends on places alone."


# ------------------------------------------------------------------------------------------------ chapter 10: real data


@hinting
def what_kappa_takes(factor) -> str:
    """Check by what kappa of 0.04 s lowers a spectrum at 10 Hz (chapter 10)."""
    require(np.ndim(factor) == 0, "one number: the amplitude that is left at 10 Hz.")
    require(not np.isclose(factor, np.exp(-0.4), rtol=0.02), "a pi is missing in the exponent.")
    right = np.exp(-np.pi * 0.04 * 10)
    require(np.isclose(factor, right, rtol=0.02), "the response of `attenuation` at the frequency nearest to 10 Hz.")
    return f"Right: {right:.2f} of the amplitude is left. Half of it was gone at 5.5 Hz already."


@hinting
def plainest_statistic(name, table) -> str:
    """Check which single statistic tells rendered from real best (chapter 10).

    Parameters
    ----------
    name : str
    table : DataFrame
        Of `seisbook.findings.real.statistics`.
    """
    areas = {}
    for statistic, rows in table.groupby("statistic"):
        area = roc_auc_score(rows.kind == "real", rows.value)
        areas[statistic] = max(area, 1 - area)
    require(name in areas, f"{name!r} is none of the statistics: {', '.join(areas)}.")
    best = max(areas, key=areas.get)
    require(areas[name] >= areas[best] - 1e-9, f"{name} has an area of {areas[name]:.2f}; another one has more.")
    return f"Right: {best}, with an area of {areas[best]:.2f} by itself."


@hinting
def closer(share, ours, theirs) -> str:
    """Check at which share of the events one model is closer than another (chapter 10)."""
    right = float(np.mean(np.asarray(ours) < np.asarray(theirs)))
    require(np.ndim(share) == 0, "one share: events at which the first error is the smaller one, over all events.")
    require(not np.isclose(share, 1 - right) or np.isclose(right, 0.5), "this is the share of the other model.")
    require(np.isclose(share, right, atol=0.002), "compare the errors of the same event, one by one.")
    return f"Right: {right:.0%} of the events. A ratio of medians does not say this."


@hinting
def events_needed(number, errors) -> str:
    """Check how many events would make the interval of a median half as wide (chapter 10)."""
    right = 4 * len(errors)
    require(number > len(errors), "more events are needed than there are.")
    require(0.7 * right < number < 1.4 * right, "a width falls with the root of the number of events.")
    return f"Right: about {right} events, four times as many as there are."
