"""A study of six short trials, for runs that are killed."""

import time

import numpy as np

from seisbook.studies import runner


def trials(network, source, profile):
    return [{"network": network, "seed": seed} for seed in range(6)]


def config(trial):
    return {"size": 1000}


def run(given):
    time.sleep(0.1)
    return [{"error_km": np.random.default_rng(one["seed"]).normal(size=1000).tolist()} for one in given]


STUDY = runner.Study("torture", trials, run, config)
