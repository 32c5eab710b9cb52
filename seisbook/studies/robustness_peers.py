r"""The learned peers on the perturbed events of `seisbook.studies.robustness`: who bears more, our model or theirs?

The peers are those of `seisbook.models.peers`, trained on the first random fold by the recipe that all models share;
the book ships them. They see the very events, perturbed in the very way, that our model has seen, so that errors are
paired by event. It is a study of its own: what our models and the classical pipeline gave does not depend on it.

Two rules were written before the study was run, both for each peer, network and group of axes (`GROUPS`). With
:math:`e_{a,s}` the median epicentral error of our model along axis :math:`a` at severity :math:`s`, :math:`e_0` that on
unperturbed events, and the peer's primed,

.. math:: \rho = \exp \operatorname{mean}_a \Bigl(\ln \max_s \frac{e_{a,s}}{e_0}
    - \ln \max_s \frac{e'_{a,s}}{e'_0}\Bigr)

compares the growths of the two, each at the severity that harms that model most, over the axes of the group. Our model
is *more robust* than the peer if the 95 % interval of :math:`\rho` lies below one, *less robust* if above, else neither
can be said. The interval resamples events, the same for both models, and picks the severities anew each time. A growth
flatters whoever starts from large errors, so that the second rule leaves :math:`e_0` out: our model is *more accurate*
where it is worst if the interval of the ratio of the errors, not of their growths, lies below one.

No interval is corrected for how many there are: of the forty comparisons of a rule (two networks, four groups, five
peers) two would come out decided if there were no difference at all. Each model is one training: that another seed
would have given another growth is in no interval.
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
    """Errors of each peer on the events of each trial: `epicentral_km`, `depth_km`, `magnitude` of each event."""
    return [_tested(**trial) for trial in trials]


def _tested(network, source, profile, axis, severity):
    events = _events(network, source, profile)
    if axis != "none":
        rate = networks.load(network).window.sampling_rate_hz
        events = perturbations.AXES[axis].make(severity).apply(events, rate, progress=False)
    return {model: _predicted(*_trained(network, model), events) for model in MODELS}


def config(trial) -> dict:
    """What a trial is carried out with."""
    return {"models": MODELS}


STUDY = runner.Study(
    "robustness-peers",
    robustness_study.trials,
    run,
    config,
    robustness_study.prepare,
    tolerance=provenance.SAME_WEIGHTS.quantiles,
)
