"""The robust model under trouble on the folds that the study `robust` tests without trouble.

The study `robust` strikes the test events of the first random fold, at all severities. The design of the model was
found on that fold. Here the same model, trained on each of the other random folds, meets one severity of each kind of
trouble (three octaves). `CONDITIONS` was fixed before any other fold was struck. Together with the first fold every
event of the bulletin is struck once.

The rule was written before the study was run. For each condition, let the growth be the median epicentral error over
that without trouble. What the first fold says is *confirmed* if its growth lies within the 95 % interval of the growth
over the other four folds, which resamples events.
"""

from seisbook.catalogues import networks
from seisbook.measures import perturbations, splits
from seisbook.studies import robust, robust_models, runner
from seisbook.studies.robust_models import MAIN

CONDITIONS = (
    *(("band_pass", 0.5), ("band_pass", 1.0), ("band_pass", 2.0), ("joint_shift", 8.0), ("independent_shift", 1.0)),
    *(("added_noise", -5.0), ("clipping", 0.05), ("spike", 100.0), ("dead_channel", 3), ("wrong_coordinates", 50.0)),
    ("nearest_dropout", 3),
)
"""Perturbations of the test events, each with its severity."""
FOLDS = {"quick": (1,), "paper": tuple(range(1, splits.FOLDS))}


def trials(network, source, profile) -> list[dict]:
    """The robust model on each fold, without trouble and under each condition that the network's sampling allows."""
    rate = networks.load(network).window.sampling_rate_hz
    possible = [(axis, severity) for axis, severity in CONDITIONS if severity in perturbations.severities(axis, rate)]
    common = {"network": network, "source": source, "profile": profile, "arm": MAIN, "split": "random"}
    return [
        {**common, "fold": fold, "seed": 0, "axis": axis, "severity": severity}
        for fold in FOLDS[profile]
        for axis, severity in (("none", None), *possible)
    ]


def prepare(network, source, profile) -> None:
    """Train the model on the twin before the workers start."""
    robust_models.of_the_twin(network, MAIN, profile)


STUDY = runner.Study("robust-folds", trials, robust.run, robust.config, prepare, robust.group, batch=20)
