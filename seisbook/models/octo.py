r"""PyOcto, the associator that many people run today, as a locator on an analyst's picks.

An associator gets picks without being told which belong together. It finds the events and locates each of them on the
way. PyOcto does so by dividing space and time into ever smaller cells. It keeps a cell if enough picks fit an origin
inside it. It then locates the event from differences between onsets, and looks for further picks that fit.

Here PyOcto gets all picks of a catalogue's events at once, with their absolute times. It is not told which event a pick
belongs to. Its travel times :math:`T(r, z)` are those of `seisbook.physics.traveltimes` in the network's layered model,
so that it differs from `seisbook.models.classical` in its method alone. There are no false picks and few overlapping
events, which makes association easy: what is tested is location.

References
----------
J. Münchmeyer (2024), PyOcto: A high-throughput seismic phase associator, Seismica 3(1), 10.26443/seismica.v3i1.1130.
"""

import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from seisbook import files
from seisbook.catalogues.geodesy import to_geographic
from seisbook.errors import UserError
from seisbook.models.classical import ClassicalLocator

FEWEST = {"n_picks": 4, "n_p_picks": 2, "n_s_picks": 1, "n_p_and_s_picks": 0}  # of an event: four unknowns
NODE, LOCATION_NODE, TABLE = 1 / 3, 1 / 50, 1 / 32  # sizes of cells over the step of the classical search's first grid
MOST_KM = 10.0  # of a cell, PyOcto's own default
INTEREVENT_S = 1.5  # least time between two events
TRUSTED = 4  # onsets of positive weight, without which an event's other onsets are used as well


@dataclass
class OctoLocator(ClassicalLocator):
    """PyOcto's locations, with station terms and local magnitudes as the classical pipeline has them.

    Parameters
    ----------
    network, travel_times, station_corrections, progress
        As for `seisbook.models.classical.ClassicalLocator`.
    tolerance_s : float
        Largest residual of a pick that PyOcto takes for one of an event.

    Attributes
    ----------
    corrections_, magnitude_constant_
        As for `seisbook.models.classical.ClassicalLocator`.
    """

    tolerance_s: float = 1.5  # PyOcto's own default

    def fit(self, catalogue):
        """Learn station terms, the magnitude's constant and the extent of the search; compute the travel times.

        Raises
        ------
        UserError
            If the catalogue has no reading.
        """
        super().fit(catalogue)
        nodes, _, _, spacing = self._grid
        self._low, self._high, self._step = nodes.min(0), nodes.max(0), float(spacing[0])
        east, north = self.network.to_local(self._stations.latitude.to_numpy(), self._stations.longitude.to_numpy())
        height = self._stations.elevation_m.to_numpy() / 1000
        self._places_km = pd.DataFrame({"id": self._stations.index, "x": east, "y": north, "z": -height})
        self._table = self._travel_time_table()
        return self

    def _travel_time_table(self):
        """P times (distances, depths) from a station at sea level to every place of the search."""
        step = self._step * TABLE
        corners = np.maximum(
            np.abs(self._places_km[["x", "y"]] - self._low[:2]), np.abs(self._places_km[["x", "y"]] - self._high[:2])
        )
        r = step * np.arange(np.hypot(*corners.to_numpy().T).max() // step + 3)
        z = step * np.arange(self._high[2] // step + 3)
        return self._travel_times.p(r[:, None], z)

    def predict(self, catalogue):
        """Associate the picks, locate the events, and compute their magnitudes.

        Parameters
        ----------
        catalogue : Catalogue
            Only the times of the onsets are used, and the amplitudes. Onsets of weight 0 are left out if four others of
            the event remain.

        Returns
        -------
        DataFrame
            Indexed by `source_id`, in the catalogue's order: `east_km`, `north_km`, `latitude`, `longitude`,
            `depth_km`; `n_onsets` that were associated; `magnitude` and `magnitude_uncertainty`. A catalogue's event is
            the one of PyOcto's that has most of its picks. An event that PyOcto did not find is NaN.

        Raises
        ------
        UserError
            If the locator has not been fitted, or PyOcto is not installed.
        """
        if not hasattr(self, "_table"):
            raise UserError("the locator has no travel times yet: call fit first")
        picks = self._picks(catalogue)
        found, members = self._associated(picks)
        table = _matched(found, members, picks).reindex(catalogue.events.index)
        table["latitude"], table["longitude"] = to_geographic(table.east_km, table.north_km, self._centre)
        return table.join(self._magnitudes(catalogue, table))

    def _picks(self, catalogue):
        """All onsets of the catalogue, in order of time (s after the first event), without the stations' terms."""
        readings = catalogue.readings[catalogue.readings.station_code.isin(self._stations.index)]
        origin = pd.to_datetime(catalogue.events.source_origin_time, utc=True)
        origin_s = readings.source_id.map((origin - origin.min()).dt.total_seconds())
        waves = []
        for wave in "ps":
            term = readings.station_code.map(self.corrections_[f"{wave}_s"])
            columns = {"source_id": readings.source_id, "station": readings.station_code, "phase": wave.upper()}
            columns["time"] = origin_s + readings[f"path_{wave}_travel_s"] - term
            columns["weight"] = readings[f"trace_{wave}_weight"].fillna(1.0)
            waves.append(pd.DataFrame(columns).dropna(subset="time"))
        picks = pd.concat(waves)
        trusted = picks.weight > 0
        few = trusted.groupby(picks.source_id).transform("sum") < TRUSTED
        return picks[trusted | few].sort_values("time", kind="stable", ignore_index=True)

    def _associated(self, picks):
        """PyOcto's tables of events and of the picks of each."""
        pyocto = _library()
        model, (low, high) = self.network.velocity_model, (self._low, self._high)
        surface = {"surface_p_velocity": model.vp_km_s[0], "surface_s_velocity": model.vp_km_s[0] / model.vp_vs}
        across = float(np.hypot(*(high - low)[:2]))
        with tempfile.TemporaryDirectory() as folder:
            path = files.write_whole(Path(folder) / "travel_times", self._write_table)
            search = pyocto.OctoAssociator(
                xlim=(float(low[0]), float(high[0])),
                ylim=(float(low[1]), float(high[1])),
                zlim=(0.0, float(high[2])),  # PyOcto has no travel times to places above sea level
                velocity_model=pyocto.VelocityModel1D(path, self.tolerance_s, **surface),
                time_before=float(self._travel_times.s(across, 0.0)),
                min_node_size=min(self._step * NODE, MOST_KM),
                min_node_size_location=self._step * LOCATION_NODE,
                pick_match_tolerance=self.tolerance_s,
                min_interevent_time=INTEREVENT_S,
                min_pick_fraction=0.0,  # analysts do not read every station near an event
                n_threads=1,
                **FEWEST,
            )
            return search.associate(picks[["station", "phase", "time"]], self._places_km)

    def _write_table(self, file):
        """Write the travel times as PyOcto reads them: numbers of nodes, their step, P and then S times."""
        file.write(struct.pack("iid", *self._table.shape, self._step * TABLE))
        file.write(self._table.tobytes())
        file.write((self._table * self.network.velocity_model.vp_vs).tobytes())


def _library():
    try:
        import pyocto
    except ImportError:
        raise UserError("PyOcto is not installed: pip install 'seisbook[associators]'") from None
    return pyocto


def _matched(found, members, picks):
    """Hypocentres by `source_id`: each found event belongs to the event of most of its picks, each of these to one."""
    if not len(found):  # PyOcto's tables then have no columns
        return pd.DataFrame(columns=["n_onsets", "east_km", "north_km", "depth_km"], dtype=float)
    of_pick = members.assign(source_id=picks.source_id.to_numpy()[members.pick_idx.to_numpy(int)])
    shared = of_pick.groupby(["event_idx", "source_id"]).size().rename("n_onsets").reset_index()
    shared = shared.sort_values("n_onsets", ascending=False, kind="stable")
    shared = shared.drop_duplicates("event_idx").drop_duplicates("source_id")
    places = found.set_index("idx").rename(columns={"x": "east_km", "y": "north_km", "z": "depth_km"})
    table = shared.join(places[["east_km", "north_km", "depth_km"]], on="event_idx").set_index("source_id")
    return table.drop(columns="event_idx")
