r"""The robustness study of the learned peers, on the perturbed events of `seisbook.studies.robustness`.

The peers are those of `seisbook.models.peers`, trained on the first random fold by the recipe that all models share.
The book ships them. Their test events and perturbations are those of our model, so errors are paired by event. This is
a separate study: the results of our models and of the classical pipeline do not depend on it.

Two rules were written before the study was run, both for each peer, network and group of axes (`GROUPS`). With
:math:`e_{a,s}` the median epicentral error of our model along axis :math:`a` at severity :math:`s`, :math:`e_0` the
error on unperturbed events, and a prime for the errors of the peer,

.. math:: \rho = \exp \operatorname{mean}_a \Bigl(\ln \max_s \frac{e_{a,s}}{e_0}
    - \ln \max_s \frac{e'_{a,s}}{e'_0}\Bigr)

compares the growths of the two errors over the axes of the group, each at the severity that harms that model most. Our
model is *more robust* than the peer if the 95 % interval of :math:`\rho` lies below one, and *less robust* if it lies
above one. Otherwise the comparison is undecided. The interval resamples events, the same for both models, and chooses
the severities again in each sample. A model with large errors has little left to lose, so a small growth can mislead.
The second rule therefore leaves :math:`e_0` out: our model is *more accurate* at its worst severities if the interval
of the ratio of the errors, not of their growths, lies below one.

The intervals are not corrected for the number of comparisons. A rule has forty of them (two networks, four groups, five
peers). Without any difference, two of the forty would be decided by chance. Each model is trained once. The intervals
do not include the scatter between seeds.
"""

from seisbook import provenance
from seisbook.catalogues import networks
from seisbook.measures import perturbations
from seisbook.models.names import PEERS
from seisbook.studies import robustness as robustness_study
from seisbook.studies import runner
from seisbook.studies.robustness import _events, _predicted, _trained

MODELS = PEERS


def run(trials) -> list[dict]:
    """Results of the trials: for each peer, `epicentral_km`, `depth_km` and `magnitude` error of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, axis, severity):
    events = _events(network, source, profile)
    if axis != "none":
        rate = networks.load(network).window.sampling_rate_hz
        events = perturbations.AXES[axis].make(severity).apply(events, rate, progress=False)
    return {model: _predicted(*_trained(network, model), events) for model in MODELS}


def config(trial) -> dict:
    """Configuration of a trial: the names of the peers."""
    return {"models": MODELS}


STUDY = runner.Study(
    "robustness-peers",
    robustness_study.trials,
    run,
    config,
    robustness_study.prepare,
    tolerance=provenance.SAME_WEIGHTS.quantiles,
)
