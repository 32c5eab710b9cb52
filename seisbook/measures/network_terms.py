"""What a bulletin says of a network's stations and onsets: site terms, noise, delays, scatter, dominant periods.

The simulated twin needs these numbers, and so do the rendered seismograms. Each function takes a network and a
catalogue of its readings; those of the first part return the network with the number entered.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from obspy.signal.spectral_estimation import get_nhnm, get_nlnm
from scipy.optimize import nnls

from seisbook.catalogues.geodesy import path_geometry
from seisbook.catalogues.networks import Network
from seisbook.measures.estimates import robust_std
from seisbook.physics.residuals import amplitude_residuals, travel_time_residuals
from seisbook.physics.traveltimes import TravelTimes

ENOUGH_READINGS = 5  # of a station, for a term of its own
ENOUGH_AMPLITUDES = 10  # of a station, for a noise level of its own
ENOUGH_PERIODS = 50  # of a half unit of magnitude, for its median period
BINS = 8  # of distance, in which the scatter of onsets is measured
LEAST_SCATTER_S = 0.02, 0.03  # of P and S: no onset is read better


def measured(network: Network, catalogue) -> Network:
    """The network with site terms, noise levels, onset terms and the scatter of onsets of its bulletin.

    Parameters
    ----------
    network : Network
        Its velocity model and magnitude relation are taken as they are.
    catalogue : Catalogue
        With readings at stations of the network alone.
    """
    network = with_onset_terms(with_noise_levels(with_site_terms(network, catalogue), catalogue), catalogue)
    scatter, growth = onset_scatter(network, catalogue)
    return replace(network, pick_scatter_s=scatter, pick_scatter_per_100km_s=growth)


def with_site_terms(network: Network, catalogue) -> Network:
    """Site term: median residual of log10 amplitude against the magnitude relation; 0 with fewer than five readings."""
    residual = amplitude_residuals(catalogue, network).amplitude_residual
    terms = residual.groupby(catalogue.readings.station_code).agg(["median", "count"])
    terms = terms["median"].where(terms["count"] >= ENOUGH_READINGS, 0.0).clip(-1, 1).round(2)
    stations = [replace(s, site_term=float(terms.get(s.code, 0.0)) + 0.0) for s in network.stations]
    network = replace(network, stations=stations)
    scatter = robust_std(amplitude_residuals(catalogue, network).station_residual)
    return replace(network, magnitude=replace(network.magnitude, scatter=round(scatter, 2)))


def with_noise_levels(network: Network, catalogue) -> Network:
    """Noise level from the smallest amplitudes read: an analyst reads down to about three times the noise.

    The 5th percentile of a station's amplitudes over three is taken for the rms of its noise in the Wood-Anderson band,
    and placed, in dB, between those of Peterson's models. Fewer than ten amplitudes: the median of the other stations.
    """
    amplitudes = catalogue.readings.groupby("station_code").trace_amplitude_nm
    smallest = amplitudes.quantile(0.05).where(amplitudes.count() >= ENOUGH_AMPLITUDES).dropna()
    low, high = np.log10([noise_rms_nm(model) for model in (get_nlnm, get_nhnm)])
    level = ((np.log10(smallest / 3) - low) / (high - low)).clip(0.05, 0.95).round(2)
    median = round(float(level.median()), 2)
    stations = [replace(s, noise_level=float(level.get(s.code, median))) for s in network.stations]
    return replace(network, stations=stations)


def noise_rms_nm(model, lowest_hz=1.25, highest_hz=10.0):
    """Root mean square ground displacement (nm) of a Peterson model above the Wood-Anderson's natural frequency."""
    period, db = model()
    frequency = np.linspace(lowest_hz, highest_hz, 1000)
    acceleration = np.interp(np.log(1 / frequency), np.log(period), db)
    displacement = 10 ** (acceleration / 10) / (2 * np.pi * frequency) ** 4
    return 1e9 * np.sqrt(np.trapezoid(displacement, frequency))


def with_onset_terms(network: Network, catalogue) -> Network:
    """Onset terms: median delay of a station's trusted P and S, at most 3 s; 0 with fewer than five readings."""
    residual = event_centred(network, catalogue)
    codes = catalogue.readings.station_code
    terms = {}
    for phase, values in residual.items():
        group = values.groupby(codes).agg(["median", "count"])
        terms[phase] = group["median"].where(group["count"] >= ENOUGH_READINGS, 0.0).clip(-3, 3).round(2)
    stations = [
        replace(s, p_term_s=float(terms["p"].get(s.code, 0.0)) + 0.0, s_term_s=float(terms["s"].get(s.code, 0.0)) + 0.0)
        for s in network.stations
    ]
    return replace(network, stations=stations)


# -------------------------------------------------------------------------------------------------- what they rest on


def event_centred(network: Network, catalogue) -> dict[str, pd.Series]:
    """Residuals of trusted P and S onsets (s), less the median P residual of their event.

    That median is the error of the event's origin time, and shared by all stations.
    """
    readings = catalogue.readings
    residual = travel_time_residuals(catalogue, network, TravelTimes(network.velocity_model))
    common = residual.p_residual_s.groupby(readings.source_id).transform("median")
    return {
        phase: (residual[f"{phase}_residual_s"] - common).where(readings[f"trace_{phase}_weight"] > 0) for phase in "ps"
    }


def onset_scatter(network: Network, catalogue) -> tuple[tuple[float, float], float]:
    r"""Scatter of onsets about the 1-D model: near the source (P, S), and its growth per 100 km.

    Robust standard deviations in bins of distance are fitted with

    .. math:: \sigma^2(r) = \sigma_0^2 + (k r / 100\,\mathrm{km})^2

    after the error of each event's origin time and the stations' terms are taken off.
    """
    stations = network.station_table().reindex(catalogue.readings.station_code)
    distances = path_geometry(catalogue, network).path_ep_distance_km
    rows, squares = [], []
    for column, (phase, residual) in enumerate(event_centred(network, catalogue).items()):
        value = (residual - stations[f"{phase}_term_s"].to_numpy()).dropna()
        for _, group in value.groupby(pd.qcut(distances[value.index], BINS, duplicates="drop")):
            near = float(distances[group.index].median())
            rows.append([column == 0, column == 1, (near / 100) ** 2])
            squares.append(max(robust_std(group), LEAST_SCATTER_S[0]) ** 2)
    # a variance is known to a fraction of itself, so near bins weigh as much as far ones
    p, s, growth = np.sqrt(nnls(np.array(rows, float) / np.array(squares)[:, None], np.ones(len(squares)))[0])
    least_p, least_s = LEAST_SCATTER_S
    return (round(max(p, least_p), 2), round(max(s, least_s), 2)), round(growth, 2)


def dominant_period(catalogue) -> tuple[float, float]:
    """Median period of the amplitude readings at magnitude 0 (s), and its factor per unit of magnitude."""
    readings = catalogue.readings[catalogue.readings.trace_amplitude_period_s > 0]
    magnitude = readings.source_id.map(catalogue.events.source_magnitude)
    groups = readings.trace_amplitude_period_s.groupby((2 * magnitude).round() / 2)
    medians = groups.median()[groups.size() >= ENOUGH_PERIODS]
    slope, intercept = np.polyfit(medians.index, np.log10(medians), 1)
    return round(float(10**intercept), 3), round(float(10**slope), 2)
