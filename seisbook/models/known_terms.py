"""The classical pipeline and PyOcto for new events: station terms and depths come from the network's description.

`ClassicalLocator.fit` learns terms from events whose hypocentres are known. New events have none. The description has
measured terms of its stations, and its zones say how deep earthquakes are.
"""

from dataclasses import dataclass, replace

import pandas as pd

from seisbook.errors import UserError
from seisbook.models.classical import ClassicalLocator
from seisbook.models.octo import OctoLocator
from seisbook.physics.traveltimes import TravelTimes

DEEPEST_KM = 30.0  # where a description has no zones


@dataclass
class KnownTermsLocator(ClassicalLocator):
    """The classical locator with the station terms of the network's description; it sizes no event.

    Parameters and attributes are those of `seisbook.models.classical.ClassicalLocator`.
    """

    def fit(self, catalogue):
        """Take terms and depths from the description, and the extent of the search from the stations.

        Parameters
        ----------
        catalogue : Catalogue
            Its readings say which stations there are. Labels are not looked at.

        Raises
        ------
        UserError
            If there is no reading.
        """
        if not len(catalogue.readings):
            raise UserError("there is no reading to locate an event with: check the input")
        self._travel_times = self.travel_times or TravelTimes(self.network.velocity_model)
        self._stations, self._centre = self.network.station_table(), self.network.centre
        self._places = self._stations[["latitude", "longitude", "elevation_m"]].to_numpy(float).T
        terms = {"p_s": self._stations.p_term_s, "s_s": self._stations.s_term_s}
        self.corrections_ = pd.DataFrame(terms).assign(magnitude=0.0) * float(self.station_corrections)
        self.magnitude_constant_ = 0.0
        depths = pd.DataFrame({"source_depth_km": [0.0, deepest_km(self.network)]})
        self._grid = self._first_grid(replace(catalogue, events=depths))
        return self


@dataclass
class KnownTermsOcto(OctoLocator, KnownTermsLocator):
    """PyOcto, as `seisbook.models.octo.OctoLocator`, with the terms and depths of the network's description."""


def deepest_km(network) -> float:
    """Depth above which nearly all earthquakes of a network's zones lie: two standard deviations below each."""
    return max((zone.depth_km + 2 * zone.depth_spread_km for zone in network.zones), default=DEEPEST_KM)
