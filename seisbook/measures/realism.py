"""How easily rendered seismograms are told from real ones: a critic of trace statistics, and its ROC area."""

import numpy as np
import pandas as pd
import scipy.fft

CRITIC_FOLDS = 4
BAND_HZ = 1.5, 20.0
FLOOR = 1e-6  # of the peak


def statistics(traces, onset_s, sampling_rate_hz) -> pd.DataFrame:
    """What a critic looks at, one row for each record; nothing depends on the scale of a record.

    Parameters
    ----------
    traces : ndarray, shape (records, 3, samples)
        Displacement, Z, N, E.
    onset_s : ndarray, shape (records, 2)
        P and S in seconds after the first sample.
    sampling_rate_hz : float

    Returns
    -------
    DataFrame
        Mean frequencies of noise, P and S (logarithms), peakedness (kurtosis) of noise and S, logarithms of the ratios
        of P to S, of late to early S coda, of noise to S, and of the vertical to the horizontals in P, S and noise, and
        the time of the largest motion after S.
    """
    return pd.DataFrame([_of_record(x, *onset, sampling_rate_hz) for x, onset in zip(traces, onset_s, strict=True)])


def _of_record(x, p, s, rate):
    x = np.asarray(x, float) / np.abs(x).max()
    parts = {
        "noise": x[:, : max(8, round((p - 0.2) * rate))],
        "P": x[:, round(p * rate) : round((p + min(1.0, s - p)) * rate)],
        "S": x[:, round(s * rate) : round((s + 1.5) * rate)],
        "coda": x[:, round((s + 3) * rate) : round((s + 5) * rate)],
    }
    level = {name: np.log(np.sqrt((part**2).mean(-1)) + FLOOR) for name, part in parts.items()}
    row = {f"frequency of {name}": _mean_frequency(parts[name], rate) for name in ("noise", "P", "S")}
    row |= {f"kurtosis of {name}": _kurtosis(parts[name]) for name in ("noise", "S")}
    row |= {f"vertical of {name}": level[name][0] - level[name][1:].mean() for name in ("noise", "P", "S")}
    row |= {f"{name} over S": level[name].mean() - level["S"].mean() for name in ("noise", "P", "coda")}
    return {**row, "time of the peak": float(np.abs(x[:, round(s * rate) :]).max(0).argmax() / rate)}


def _mean_frequency(part, rate):
    frequency = scipy.fft.rfftfreq(256, 1 / rate)
    power = (np.abs(scipy.fft.rfft(part * np.hanning(part.shape[-1]), 256, axis=-1)) ** 2).mean(0)
    inside = (frequency >= BAND_HZ[0]) & (frequency <= BAND_HZ[1])
    return float(np.log((power * frequency)[inside].sum() / power[inside].sum()))


def _kurtosis(part):
    centred = part - part.mean(-1, keepdims=True)
    return float(np.log((centred**4).mean() / (centred**2).mean() ** 2))


def critic(rendered, real, group, random_state=0) -> dict:
    """ROC area of a critic (gradient boosting) that tells rendered from real, tested on groups that it has not seen.

    Parameters
    ----------
    rendered, real : DataFrame
        Of `statistics`, of the same onsets in the same order.
    group : sequence, shape (records,)
        What stays together, such as the station.
    random_state : int

    Returns
    -------
    dict
        `area`, 0.5 where nothing tells them apart and 1 where anything does, and the `scores` of all records, those of
        the rendered ones first.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier  # a second to load
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import GroupKFold, cross_val_predict

    features = pd.concat([rendered, real], ignore_index=True)
    is_real = np.repeat([0, 1], [len(rendered), len(real)])
    groups = np.concatenate([group, group])
    judge = HistGradientBoostingClassifier(max_iter=60, min_samples_leaf=8, random_state=random_state)
    scores = cross_val_predict(
        judge, features, is_real, groups=groups, cv=GroupKFold(CRITIC_FOLDS), method="predict_proba"
    )[:, 1]
    return {"area": float(roc_auc_score(is_real, scores)), "scores": [round(float(score), 4) for score in scores]}
