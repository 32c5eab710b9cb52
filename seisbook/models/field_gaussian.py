r"""Gaussian process regression of fields with gpytorch, as one more method of reconstruction.

For each measure, the residuals from the attenuation law and the stations' terms are one process with the kernel

.. math:: k(i, j) = \tau^2 + \sum_{k=1}^{2} \sigma_k^2\, e^{-d_{ij} / a_k} + \bigl(\sigma_0^2 + n_i\bigr) [i = j]

of two stations of one event at a distance `d`: a constant for the event's term, two Matérn kernels with
:math:`\nu = 1/2`, and the noise of the station. Its part `n` is the variance of the station's term that other events
left open, as far as it exceeds the usual one. All other parameters maximise the exact marginal likelihood, summed over
the training events.

The measures are independent outputs. Nearly every station reports all five. If all covariances, that of the noise, too,
were multiples of one function, as in an intrinsic coregionalisation, then the other measures would add nothing to the
prediction of one (Helterbrand & Cressie 1994). Independent outputs may have ranges of their own, and an event costs a
25th of what all measures at once would. `seisbook.models.conditional_normal` uses the covariance between measures.

References
----------
J. R. Gardner et al. (2018), GPyTorch: blackbox matrix-matrix Gaussian process inference with GPU acceleration, Advances
in Neural Information Processing Systems 31.
J. D. Helterbrand and N. Cressie (1994), Universal cokriging under intrinsic coregionalization, Math. Geol. 26(2),
doi:10.1007/BF02082764.
"""

from dataclasses import dataclass, field

import gpytorch
import numpy as np
import torch
from gpytorch.constraints import GreaterThan
from gpytorch.distributions import MultivariateNormal
from gpytorch.kernels import ConstantKernel, MaternKernel, ScaleKernel
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood, GaussianLikelihood

from seisbook.catalogues.ground_motion import MEASURES
from seisbook.models.conditional_normal import UNKNOWN, ConditionalNormal
from seisbook.models.coregionalisation import LEAST, Coregionalisation

PIECE = 500  # places at a time: gpytorch keeps the covariances of all of them
RANGES_KM, SHARES = (10.0, 60.0), (0.3, 0.3)  # with which the fit begins; the rest is the station's own


@dataclass(frozen=True)
class LikelihoodFit:
    """How the parameters are fitted: Adam on their logarithms.

    Parameters
    ----------
    epochs : int
        Passes through the training events.
    events : int
        Of a step; they have about the same number of stations.
    most_stations : int
        Of an event, drawn anew in each pass: the cost grows with their cube.
    rate : float
        Length of the first step. The steps shrink to zero.
    """

    epochs: int = 15
    events: int = 16
    most_stations: int = 64
    rate: float = 0.1


class Process(gpytorch.models.ExactGP):
    """The processes of all measures, conditioned on residuals (5, n) of one event at places (n, 2) in km."""

    def __init__(self, pos, residual, noise, kernel):
        super().__init__(pos.expand(len(residual), -1, -1), residual, FixedNoiseGaussianLikelihood(noise))
        self.kernel = kernel

    def forward(self, pos):
        """Mean zero, and the kernel."""
        return MultivariateNormal(pos.new_zeros(pos.shape[:-1]), self.kernel(pos))


@dataclass
class GaussianProcess(ConditionalNormal):
    """A Gaussian process for each measure, fitted by its marginal likelihood and conditioned on the observed values.

    Outliers are treated as by the conditional normal: training residuals are cut at three standard deviations, and an
    observed station that deviates more is not used.

    Parameters
    ----------
    information : Information
    fitting : LikelihoodFit
    random_state : int
        Of the order of the events, and of the stations of large events that a pass sees.

    Attributes
    ----------
    covariance_ : Coregionalisation
        The fitted kernels, as a model without covariances between measures.
    kernel_ : gpytorch.kernels.Kernel
        The same without the noise, with a batch of five.
    """

    fitting: LikelihoodFit = field(default_factory=LikelihoodFit)
    random_state: int = 0

    def _chosen(self, residual, fields):
        spread, ones = self._spread(self.usual_left_) ** 2, np.ones(len(MEASURES))
        scales, ranges = ([one * part for one in start] for start, part in ((SHARES, spread), (RANGES_KM, ones)))
        self.kernel_ = kernel_of(self.law_.event_sd_**2, scales, ranges)
        likelihood = _likelihood_of((1 - sum(SHARES)) * spread)
        noise = _noise(residual, self._extra(self._site_terms(fields)[1]))
        self._maximise(likelihood, (fields.pos, np.nan_to_num(residual), noise), fields.start)
        return _as_normal(self.kernel_, likelihood)

    def _maximise(self, likelihood, arrays, start):
        """Fit the parameters of the kernel and of the noise."""
        rng, fitting = np.random.default_rng(self.random_state), self.fitting
        batches = np.array_split(np.argsort(np.diff(start), kind="stable"), -(-(len(start) - 1) // fitting.events))
        optimiser = torch.optim.Adam([*self.kernel_.parameters(), *likelihood.parameters()], fitting.rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, fitting.epochs * len(batches))
        for _ in range(fitting.epochs):
            for number in rng.permutation(len(batches)):
                pos, residual, noise = _padded(arrays, start, batches[number], fitting.most_stations, rng)
                loss = -self._likelihood(pos, residual, noise + likelihood.noise) / (noise < UNKNOWN).sum()
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()

    def _likelihood(self, pos, residual, noise):
        """Log of the marginal likelihood of events with residuals (events, 5, n)."""
        covariance = self.kernel_(pos[:, None]).add_diagonal(noise)
        return MultivariateNormal(torch.zeros_like(residual), covariance).log_prob(residual).sum()

    def _extra(self, left):
        """Variance (n, 5) that stations have more than the usual one."""
        return self.law_.site_sd_**2 * (left - self.usual_left_)

    def _predicted(self, scene):
        extra, at = self._extra(scene.left), scene.observed
        mean, variance = np.zeros_like(extra), self.covariance_.variance + extra
        if at.any():
            used = self.used(scene)[at]
            noise = _noise(used, extra[at]) + np.diag(self.covariance_.own)
            given = (_tensor(part) for part in (scene.pos[at], np.nan_to_num(used).T, noise.T))
            process = Process(*given, self.kernel_).eval()
            with torch.no_grad(), gpytorch.settings.debug(False):
                mean[at], variance[at] = _left_out(process)
                mean[~at], known = _elsewhere(process, scene.pos[~at])
            variance[at] -= np.where(np.isfinite(used), 0, UNKNOWN)
            variance[~at] -= known
        return scene.prior + mean, np.sqrt(np.maximum(variance, LEAST))


def kernel_of(event, scales, ranges_km) -> gpytorch.kernels.AdditiveKernel:
    """The kernel without the noise.

    Parameters
    ----------
    event : array_like, shape (5,)
        Variance of the event's term.
    scales, ranges_km : sequence of array_like, each of shape (5,)
        Variance and range of each Matérn kernel.
    """
    batch = torch.Size([len(MEASURES)])
    parts = [ConstantKernel(batch, constant_constraint=_above(0)).double()]
    parts[0].constant = _tensor(event)
    for scale, range_km in zip(scales, ranges_km, strict=True):
        matern = MaternKernel(0.5, batch_shape=batch, lengthscale_constraint=_above(0))
        parts.append(ScaleKernel(matern, batch_shape=batch, outputscale_constraint=_above(0)).double())
        parts[-1].outputscale, matern.lengthscale = _tensor(scale), _tensor(range_km)[:, None, None]
    return gpytorch.kernels.AdditiveKernel(*parts)


def _likelihood_of(own):
    """A likelihood whose noise is the variance (5,) that each station keeps for itself."""
    likelihood = GaussianLikelihood(noise_constraint=_above(LEAST), batch_shape=torch.Size([len(own)])).double()
    likelihood.noise = _tensor(own)[:, None]
    return likelihood


def _above(least):
    """The constraint of a parameter of which the logarithm is fitted."""
    return GreaterThan(least, torch.exp, torch.log)


def _as_normal(kernel, likelihood):
    """The same model as matrices: each measure has ranges of its own."""
    with torch.no_grad():
        constant, *scaled = kernel.kernels
        scales = torch.cat([part.outputscale for part in scaled]).numpy()
        ranges = torch.cat([part.base_kernel.lengthscale.ravel() for part in scaled]).numpy()
        event, own = constant.constant.ravel().numpy(), likelihood.noise.ravel().numpy()
    each = np.arange(len(scales))
    spatial = np.zeros((len(scales), len(own), len(own)))
    spatial[each, each % len(own), each % len(own)] = scales
    return Coregionalisation(np.diag(event), spatial, np.diag(own), ranges)


def _padded(arrays, start, batch, most, rng):
    """Places (events, n, 2), residuals and noise (events, 5, n); where there is no station, no weight."""
    rows = [np.sort(start[i] + rng.permutation(start[i + 1] - start[i])[:most]) for i in batch]
    size = max(len(one) for one in rows)
    pos, residual, noise = (np.zeros((len(rows), size, array.shape[1])) for array in arrays)
    noise += UNKNOWN
    for number, one in enumerate(rows):
        for padded, array in zip((pos, residual, noise), arrays, strict=True):
            padded[number, : len(one)] = array[one]
    return _tensor(pos), _tensor(residual).mT, _tensor(noise).mT


def _noise(residual, extra):
    """Variance (n, 5) beside that of every station; a value that nobody observed has no weight."""
    return np.where(np.isfinite(residual), np.maximum(extra, 0), UNKNOWN)


def _left_out(process):
    """Mean and variance (n, 5) of each observed value, from the other stations."""
    (pos,), residual = process.train_inputs, process.train_targets
    covariance = process.likelihood(process.forward(pos)).covariance_matrix
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(covariance))
    variance = 1 / inverse.diagonal(dim1=-2, dim2=-1)
    mean = residual - variance * (inverse @ residual[..., None])[..., 0]
    return mean.T.numpy(), variance.T.numpy()


def _elsewhere(process, pos):
    """Mean (m, 5) at other places, and what the observed values take from the variance, some places at a time."""
    parts = [
        process(_tensor(some).expand(len(MEASURES), -1, -1)) for some in np.split(pos, range(PIECE, len(pos), PIECE))
    ]
    prior = process.kernel(process.train_inputs[0][:, :1]).diagonal(dim1=-2, dim2=-1)
    mean, left = (torch.cat([getattr(part, name) for part in parts], -1) for name in ("mean", "variance"))
    return mean.T.numpy(), (prior - left).T.numpy()


def _tensor(values):
    return torch.as_tensor(np.asarray(values, float))
