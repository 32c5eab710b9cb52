"""The conditional normal without stations that contradict their neighbours.

ShakeMap's rule, which `ConditionalNormal` has, leaves out a station that is far from the law. Here each observed
station is also predicted from the other observed ones. Stations that are far from that prediction are left out, and the
rest is predicted again. With each round the prediction is spoilt by fewer of them.
"""

import numpy as np

from seisbook.models.conditional_normal import DEVIATION, ConditionalNormal, condition

ROUNDS = 3


class ScreenedNormal(ConditionalNormal):
    """The conditional normal, with a station left out if any of its values is `DEVIATION` sd from its prediction."""

    def used(self, scene) -> np.ndarray:
        """Residuals (n, 5) without those that deviate too much from the law, and from the other stations."""
        residual = super().used(scene)
        extra = self.law_.site_sd_**2 * (scene.left - self.usual_left_)
        for _ in range(ROUNDS):
            at = np.isfinite(residual).any(1)
            if at.sum() < 3:
                break
            seen = np.ones(at.sum(), bool)
            mean, variance = condition(self.covariance_, residual[at], scene.pos[at], seen, extra[at])
            far = (np.abs(residual[at] - mean) > DEVIATION * np.sqrt(variance)).any(1)
            if not far.any() or at.sum() - far.sum() < 2:
                break
            residual[np.flatnonzero(at)[far]] = np.nan
        return residual
