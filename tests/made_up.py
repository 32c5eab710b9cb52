"""Small networks, predictions and scores with known effects, which several test files use."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
from scipy import stats

from seisbook.catalogues import networks, schema
from seisbook.measures import evaluation
from seisbook.models.error_model import TAIL
from seisbook.models.graph import Prediction

TOY = networks.Network(
    name="toy",
    title="Toy",
    reference="made up",
    utc_offset_h=-5,
    velocity_model=schema.VelocityModel([0.0], [6.0], 1.75, "half-space"),
    magnitude=schema.MagnitudeRelation(1.11, 0.00189, -2.09, 0.2, "IASPEI"),
    window=schema.Window(30.0, 50.0, (2.0, 5.0)),
    pick_scatter_s=(0.05, 0.1),
    pick_scatter_per_100km_s=0.1,
    dominant_period_s=(0.2, 1.2),
    minimum_stations=5,
    stations=[
        schema.Station(
            f"S{i:02d}",
            latitude,
            longitude,
            500.0,
            site_term=0.4 * (i == 0),
            p_term_s=0.5 * (i == 1),
            s_term_s=0.9 * (i == 1),
        )
        for i, (latitude, longitude) in enumerate(np.random.default_rng(0).uniform(9.5, 10.5, (15, 2)).tolist())
    ],
    zones=[schema.Zone("fault", "tectonic", 10.0, 10.0, 8.0, 20.0, 10.0, 3.0, 1.0, 1.0, 5.0, 1.0, strike_deg=45.0)],
)


def cross():
    """A network of four stations at known places around 4 N, 74 W."""
    stations = [
        schema.Station(code="NOR", latitude=4.5, longitude=-74.0, elevation_m=0),
        schema.Station(code="EAS", latitude=4.0, longitude=-73.0, elevation_m=2000, site_term=0.3),
        schema.Station(code="SOU", latitude=3.0, longitude=-74.0, elevation_m=0),
        schema.Station(code="WES", latitude=4.0, longitude=-74.2, elevation_m=0),
    ]
    return networks.Network(
        name="cross",
        title="Cross",
        reference="made up",
        utc_offset_h=0,
        velocity_model=schema.VelocityModel([0.0], [6.0], 1.75, "made up"),
        magnitude=schema.MagnitudeRelation(1.1, 0.002, -2.0, 0.2, "made up"),
        window=schema.Window(60, 20, (2, 5)),
        pick_scatter_s=(0.1, 0.2),
        pick_scatter_per_100km_s=0.1,
        dominant_period_s=(0.2, 1.3),
        minimum_stations=3,
        stations=stations,
    )


class HalfSpace:
    """Straight rays at 6 km/s."""

    def p(self, epicentral_km, depth_km, elevation_m=0.0):
        return np.hypot(epicentral_km, depth_km + np.asarray(elevation_m) / 1000) / 6

    def s(self, *path):
        return 1.75 * self.p(*path)


def event(source_id, **columns):
    place = {
        "source_latitude_deg": 4.0,
        "source_longitude_deg": -74.0,
        "source_depth_km": 10.0,
        "source_magnitude": 2.0,
    }
    return {"source_id": source_id, "source_origin_time": pd.Timestamp("2018-02-01", tz="UTC"), **place, **columns}


def reading(source_id, code, p=1.0, **columns):
    return {"source_id": source_id, "station_code": code, "path_p_travel_s": p, **columns}


def predicted(epicentre, depth, magnitude, tril, depth_scale, magnitude_scale):
    """A `Prediction` of float32 tensors, as a model returns it."""
    values = (np.asarray(v, np.float32) for v in (epicentre, depth, magnitude, tril, depth_scale, magnitude_scale))
    n = len(epicentre)
    return Prediction(*(torch.from_numpy(v) for v in values), torch.zeros(n, 2), torch.zeros(n, 1, 3))


def labelled(y, names=None):
    y = np.asarray(y, np.float32)
    return SimpleNamespace(y=torch.from_numpy(y), source_id=np.array(names or [f"e{i}" for i in range(len(y))]))


def simulated(n, sure=1.0, seed=0):
    """Errors of a model whose labels follow its own Student-t, `sure` times narrower than that in truth."""
    rng = np.random.default_rng(seed)
    tril = np.zeros((n, 2, 2))
    tril[:, 0, 0], tril[:, 1, 1] = rng.uniform(1, 5, (2, n))
    tril[:, 1, 0] = rng.uniform(-3, 3, n)
    scale = rng.uniform(0.5, 2, (2, n))
    student = rng.standard_normal((n, 2, 1)) / np.sqrt(rng.chisquare(TAIL, (n, 1, 1)) / TAIL)
    estimate = rng.uniform(-50, 50, (n, 4))
    y = estimate.copy()
    y[:, :2] += sure * (tril @ student)[..., 0]
    y[:, 2:] += sure * scale.T * stats.t.rvs(TAIL, size=(n, 2), random_state=rng)
    prediction = predicted(estimate[:, :2], estimate[:, 2], estimate[:, 3], tril, *scale)
    return evaluation.errors(prediction, labelled(y))


def trainings(seed, p=10, s=5, data=1.0, of_seed=0.5, residual=0.7, mean=5.0):
    """Scores with known effects, given as standard deviations."""
    rng = np.random.default_rng(seed)
    score = mean + rng.normal(0, data, (p, 1)) + rng.normal(0, of_seed, (1, s)) + rng.normal(0, residual, (p, s))
    partition, number = np.mgrid[:p, :s]
    return pd.DataFrame({"partition": partition.ravel(), "seed": number.ravel(), "score": score.ravel()})


def two_arms(seed, ratio=0.6, events=80, p=10, s=3, rank=4, of_seed=0.7, residual=0.8):
    """Predictions (events, p, s, 2) of two arms; a training set moves all events, along `rank` common directions."""
    rng = np.random.default_rng(seed)
    scale = np.exp(rng.normal(0, 0.6, events))[:, None, None, None]
    loading = rng.normal(size=(events, 2, rank)) / np.sqrt(2 * rank)
    common, arms = rng.normal(size=(p, rank)), []
    for factor in (ratio, 1.0):
        effect = np.sqrt(factor) * (0.7 * common + np.sqrt(0.51) * rng.normal(size=(p, rank)))
        a = np.einsum("ecr,pr->epc", loading, effect)[:, :, None]
        b = of_seed * rng.normal(size=(events, 1, s, 2)) / np.sqrt(2)
        e = residual * rng.normal(size=(events, p, s, 2)) / np.sqrt(2)
        arms.append(scale * (a + b + e))
    return arms


def compared(seed=0, gain=0.3):
    static = trainings(seed)
    noise = np.random.default_rng(seed + 1000).normal(0, 0.1, len(static))
    return pd.concat([static.assign(arm="static"), static.assign(arm="dynamic", score=static.score - gain + noise)])


SIZES = np.repeat([100, 200, 400, 800, 1600], 8)


def learnt(seed=0, a=2.0, b=60.0, c=0.7, scatter=0.04):
    return (a + b * SIZES**-c) * np.exp(np.random.default_rng(seed).normal(0, scatter, len(SIZES)))
