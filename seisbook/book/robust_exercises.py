"""Checks of the exercises of chapter 9, a model made for trouble; see `seisbook.book.exercises`."""

import numpy as np

from seisbook.book.hints import hinting, require
from seisbook.models import one_clock
from seisbook.models.gauss_newton import NU


@hinting
def tenth_of_the_weight(residual_s) -> str:
    """Check the residual at which an onset has a tenth of a perfect one's weight (chapter 9)."""
    deviations = residual_s / one_clock.READING_S
    require(not np.isclose(deviations, -np.sqrt(9 * NU)), "take the positive root.")
    hint = "that is in standard deviations: multiply it by that of a reading."
    require(not np.isclose(residual_s, np.sqrt(9 * NU), rtol=0.01), hint)
    hint = "that is a tenth of the weight in *least squares*: divide by the weight of a perfect onset, at r = 0."
    require(not np.isclose(deviations, np.sqrt(10 * (NU + 1) - NU), rtol=0.01), hint)
    require(not np.isclose(deviations, np.sqrt(NU), rtol=0.01), "there the weight is a *half*.")
    hint = "solve nu sigma^2 / (nu sigma^2 + r^2) = 1/10, with nu = 2."
    require(np.isclose(deviations, np.sqrt(9 * NU), rtol=0.01), hint)
    return f"Right: {residual_s:.2f} s, or {deviations:.1f} standard deviations."


@hinting
def two_clocks(medians, place) -> str:
    """Check the median errors by least squares and by redescending weights where two of four clocks lie (chapter 9).

    Parameters
    ----------
    medians : mapping of bool to float
        By whether the weights redescend.
    place : seisbook.catalogues.networks.Network
    """
    require(set(medians) == {False, True}, "two medians: with the keys False and True.")
    right, alone = (_by_weights(place, late_s) for late_s in ((2.0, 2.0, 0.0, 0.0), (0.0, 2.0, 0.0, 0.0)))
    given = np.array([float(medians[kind]) for kind in (False, True)])
    require(not np.allclose(given, alone, rtol=0.02), "there only one clock is late: `(2.0, 2.0, 0.0, 0.0)`.")
    hint = "both are the same: locate once with `redescending=False` and once with True."
    require(not np.isclose(*given, rtol=1e-6), hint)
    turned = np.allclose(given, right[::-1], rtol=0.02) and not np.allclose(given, right, rtol=0.02)
    require(not turned, "you have exchanged the two: False is least squares.")
    hint = "the first two of four stations two seconds late, 200 events, the median of `one_clock.errors`?"
    require(np.allclose(given, right, rtol=0.02), hint)
    return f"Right: {given[0]:.1f} km and {given[1]:.1f} km. Two against two is no majority."


def _by_weights(place, late_s, number=200):
    found = one_clock.readings(place, late_s, number)
    return [float(one_clock.errors(found, one_clock.locate(found, kind)).median()) for kind in (False, True)]


@hinting
def foreign_model(needed, by_start) -> str:
    """Check the number of events with which random weights are as good as a transferred model (chapter 9).

    The transferred model is that of the other network, after training on 25 events.

    Parameters
    ----------
    needed : mapping
        For each network, one of the tested numbers of events, or None if none of them is enough.
    by_start : DataFrame
        Table of `seisbook.findings.transfer.tabulate`.
    """
    for network, rows in by_start[by_start.quantity == "epicentral_km"].groupby("network"):
        require(network in needed, f"give a number for {network}, too, or None.")
        errors = {(row.start, row.n_train): row.estimate.value for row in rows.itertuples()}
        enough = [n for start, n in errors if start == "random" and errors[start, n] <= errors["other", 25]]
        tried = sorted({n for start, n in errors if start == "random"})
        right, answer = min(enough, default=None), needed[network]
        require(answer in (None, *tried), f"{network}: one of the numbers that were tried, {tried}, or None.")
        require(answer is not None or right is None, f"{network}: one of the numbers is enough: look again.")
        early = answer is not None and (right is None or answer < right)
        require(not early, f"{network}: with {answer} events, training from random weights is not there yet.")
        require(answer == right, f"{network}: fewer would do.")
    return "Right, by the estimates. Their intervals are wide: read them, too."


@hinting
def nearest_to_the_floor(over_floor, perturbed) -> str:
    """Check the largest multiple of the floor that the robust model has at informative severities (chapter 9).

    Parameters
    ----------
    over_floor : mapping of str to float
        By network.
    perturbed : DataFrame
        Tables of `seisbook.findings.robust.under_trouble`.
    """
    for network, rows in perturbed[perturbed.model == "robust"].groupby("network"):
        require(network in over_floor, f"give a number for {network}, too.")
        ratio = rows.epicentral_km.map(lambda error: error.value) / rows.floor_km
        right, every, answer = ratio[rows.informative].max(), ratio.max(), over_floor[network]
        hint = f"{network}: this severity is not informative: choose rows by `informative` first."
        require(np.isclose(right, every) or not np.isclose(answer, every, rtol=0.01), hint)
        hint = f"{network}: that is the smallest multiple: where is the model *farthest* from its floor?"
        require(not np.isclose(answer, ratio[rows.informative].min(), rtol=0.01), hint)
        hint = f"{network}: error over floor, of the rows of the robust model that are informative; the largest."
        require(np.isclose(answer, right, rtol=0.01), hint)
    return "Right: at these severities no method that reads arrival times could do much better."
