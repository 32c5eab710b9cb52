"""Seismograms: record sections, and how one is rendered."""

import matplotlib.pyplot as plt
import numpy as np

from seisbook.figures.style import DARK, HALO, P_COLOUR, PLAIN, S_COLOUR, styled


@styled
def record_section(traces, codes, distance_km, p_s, s_s, sampling_rate_hz):
    """Seismograms of one event from the nearest station down to the farthest, with the P and S onsets.

    Traces are evenly spaced and scaled to their own peak: at their true distances they would overlap.

    Parameters
    ----------
    traces : ndarray, shape (stations, samples)
        One component.
    codes : list of str
    distance_km : array_like, shape (stations,)
        Epicentral distances.
    p_s, s_s : array_like, shape (stations,)
        Onsets in seconds after the first sample; NaN where there is none.
    sampling_rate_hz : float

    Returns
    -------
    Figure
    """
    order = np.argsort(distance_km)
    traces = np.asarray(traces, float)[order]
    onsets = {"P": np.asarray(p_s, float)[order], "S": np.asarray(s_s, float)[order]}
    fig, axis = plt.subplots(figsize=(7.4, 1.2 + 0.32 * len(order)))
    wiggles(axis, traces, sampling_rate_hz)
    for phase, hue in (("P", P_COLOUR), ("S", S_COLOUR)):
        within = np.flatnonzero((onsets[phase] >= 0) & (onsets[phase] * sampling_rate_hz < traces.shape[1]))
        axis.vlines(onsets[phase][within], within - 0.42, within + 0.42, color=hue, linewidth=2, label=f"{phase} onset")
    axis.set_yticks(range(len(order)), [f"{codes[i]}  {distance_km[i]:.0f}" for i in order])
    axis.set_ylim(len(order) - 0.4, -0.6)
    axis.set_ylabel("station and epicentral distance (km)")
    axis.set_xlabel("time after the first sample (s)")
    axis.grid(False)
    fig.legend(loc="outside upper right", ncols=2)
    return fig


def wiggles(axis, traces, sampling_rate_hz):
    """Draw each trace on a line of its own, scaled to its peak, upwards on an axis that points down.

    Parameters
    ----------
    axis : Axes
    traces : ndarray, shape (stations, samples)
    sampling_rate_hz : float
    """
    time = np.arange(traces.shape[1]) / sampling_rate_hz
    peak = np.nanmax(np.abs(traces), axis=1, keepdims=True)
    scaled = 0.48 * traces / np.where(peak > 0, peak, 1)
    for row, trace in enumerate(scaled):
        axis.plot(time, row - trace, color=DARK, linewidth=0.5, rasterized=True)
    axis.set_xlim(0, time[-1])


@styled
def rendering_steps(steps, real=None):
    """How a seismogram was rendered, step by step, beside one that an instrument recorded.

    Parameters
    ----------
    steps : dict
        `noise`, `envelope`, `signal`, `trace`: arrays of one length, the white noise that rendering starts from, the
        envelope that windows it, the shaped and scaled signal (nm) and the signal with the station's noise (nm);
        `sampling_rate_hz`; `p_s`, `s_s`: onsets in seconds after the first sample.
    real : dict, optional
        `trace` in any unit, its `sampling_rate_hz`, `p_s` and `s_s`.

    Returns
    -------
    Figure
    """
    fig = plt.figure(figsize=(7.4, 6.0))
    axes = fig.subplot_mosaic(
        [["noise", "spectrum"], ["window", "spectrum"], ["signal", "real"], ["trace", "real"]], width_ratios=[1.15, 1]
    )
    window, peak = steps["envelope"] * steps["noise"], np.max(steps["envelope"])
    _trace(axes["noise"], steps["noise"], steps, "a  white noise", "amplitude (σ)")
    _trace(axes["window"], window / peak, steps, "b  windowed by the envelope", "amplitude (σ)")
    time = np.arange(len(window)) / steps["sampling_rate_hz"]
    for sign in (-3, 3):
        axes["window"].plot(time, sign * steps["envelope"] / peak, color="black", linewidth=1)
    _trace(axes["signal"], steps["signal"], steps, "c  spectrum shaped, peak scaled", "trace (nm)")
    _trace(axes["trace"], steps["trace"], steps, "d  with the station's noise", "trace (nm)")
    if real is None:
        axes["real"].set_axis_off()
        axes["real"].text(0.5, 0.5, "recorded seismogram:\nnot on this machine", ha="center", va="center")
    else:
        relative = real["trace"] / np.max(np.abs(real["trace"]))
        _trace(axes["real"], relative, real, "f  recorded seismogram", "relative to its peak (1)")
    _spectra(axes["spectrum"], steps, real)
    for name in ("trace", "real"):
        axes[name].set_xlabel("time after the first sample (s)")
    fig.align_ylabels([axes[name] for name in ("noise", "window", "signal", "trace")])
    return fig


def _trace(axis, trace, onsets, title, unit):
    """One seismogram with its onsets marked."""
    time = np.arange(len(trace)) / onsets["sampling_rate_hz"]
    axis.plot(time, trace, color=DARK, linewidth=0.5, rasterized=True)
    for phase, hue in (("P", P_COLOUR), ("S", S_COLOUR)):
        axis.axvline(onsets[f"{phase.lower()}_s"], color=hue, linewidth=1.6)
        place = {"xycoords": axis.get_xaxis_transform(), "xytext": (3, -1), "textcoords": "offset points", "va": "top"}
        axis.annotate(phase, (onsets[f"{phase.lower()}_s"], 1), color=hue, weight="bold", path_effects=HALO, **place)
    axis.set(title=title, ylabel=unit, xlim=(0, time[-1]))
    axis.grid(False)


def _spectra(axis, steps, real):
    """Amplitude spectra from the P onset on, rendered and recorded, each relative to its maximum."""
    for seismogram, hue, text in ((steps, "#0072B2", "rendered"), (real, DARK, "recorded")):
        if seismogram is None:
            continue
        trace = seismogram["trace"][round(seismogram["p_s"] * seismogram["sampling_rate_hz"]) :]
        frequency = np.fft.rfftfreq(len(trace), 1 / seismogram["sampling_rate_hz"])
        amplitude = np.abs(np.fft.rfft(trace * np.hanning(len(trace))))
        edges = np.geomspace(0.2, frequency[-1], 40)
        bins = np.digitize(frequency, edges)
        filled = [i for i in range(1, len(edges)) if (bins == i).any()]
        smooth = np.array([np.sqrt(np.mean(amplitude[bins == i] ** 2)) for i in filled])
        axis.plot([np.sqrt(edges[i - 1] * edges[i]) for i in filled], smooth / smooth.max(), color=hue, label=text)
    axis.set(title="e  spectra of d and f", xscale="log", yscale="log", xlabel="frequency (Hz)")
    axis.set_ylabel("relative to its maximum (1)")
    axis.xaxis.set_major_formatter(PLAIN)
    axis.legend(loc="lower left")
