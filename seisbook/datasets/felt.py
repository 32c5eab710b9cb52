"""Felt reports of the events of a region, as arrays beside `seisbook.datasets.fields.Fields`."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from seisbook import provenance
from seisbook.catalogues import felt_reports, regions
from seisbook.catalogues.ground_motion import MEASURES
from seisbook.datasets.fields import Fields
from seisbook.physics.felt_intensity import WORDEN

FEWEST_CELLS = 3  # of an event whose reports are used
MERGED_KM, MOST_CELLS = 5.0, 40
PGV = MEASURES.index("pgv")
TWIN_SHARE, TWIN_ANSWERS, TWIN_SD = 0.5, 8, 0.25  # of a twin's stations that have a cell; answers of a cell, and sd
NOTICED = 2.0  # intensity of a twin below which nobody answers


class Cells(NamedTuple):
    """Felt cells of one event: `pos` (n, 2) in km, and `intensity`, `answers` and `sd` of the mean intensity (n,)."""

    pos: np.ndarray
    intensity: np.ndarray
    answers: np.ndarray
    sd: np.ndarray

    def at(self, index) -> "Cells":
        """Some of the cells."""
        return Cells(*(values[index] for values in self))

    def merged(self) -> "Cells":
        """Means of the cells in squares of `MERGED_KM`, weighted by answers: the `MOST_CELLS` with the most answers.

        A city has hundreds of cells of one kilometre. Their errors are not independent, and one normal distribution of
        all of them costs minutes.
        """
        _, square = np.unique(np.floor(self.pos / MERGED_KM), axis=0, return_inverse=True)
        square = square.ravel()
        total = np.bincount(square, self.answers)
        share = self.answers / total[square]
        columns = (*self.pos.T, self.intensity)
        east, north, intensity = (np.bincount(square, share * values) for values in columns)
        sd = np.sqrt(np.bincount(square, (share * self.sd) ** 2))
        kept = np.sort(np.argsort(-total, kind="stable")[:MOST_CELLS])
        return Cells(np.column_stack([east, north]), intensity, total, sd).at(kept)


@dataclass(frozen=True)
class Felt:
    """Felt cells by the name of the event: `felt[name]`; an event without reports has none.

    Parameters
    ----------
    cells : dict of str to Cells
    remarks : list of str
        What was left out.
    """

    cells: dict[str, Cells]
    remarks: list[str]

    def __getitem__(self, name) -> Cells:
        return self.cells.get(str(name), Cells(np.zeros((0, 2)), np.zeros(0), np.zeros(0), np.zeros(0)))

    def reported(self, fields) -> np.ndarray:
        """Places of the events that have reports in `FEWEST_CELLS` cells or more."""
        return np.flatnonzero([len(self[name].intensity) >= FEWEST_CELLS for name in fields.source_id])


def load_felt(region, source, fields) -> Felt:
    """Felt reports of the events of a region.

    Parameters
    ----------
    region : str or path
        As `seisbook.catalogues.regions.load` takes it.
    source : {"measured", "simulated"}
        Reports of the archive, or of the region's simulated twin.
    fields : Fields
        The events. Cells beyond the region's farthest distance of their epicentre are left out.
    """
    if source == "simulated":
        return simulated(fields)
    place = regions.load(region)
    reports = _all_reports()
    rows = reports.cells[reports.cells.source_id.isin(fields.source_id)]
    pos = np.column_stack(place.to_local(rows.latitude.to_numpy(), rows.longitude.to_numpy()))
    number = {name: i for i, name in enumerate(fields.source_id)}
    event = np.array([number[name] for name in rows.source_id], int)
    near = np.hypot(*(pos - fields.epicentre[event]).T) <= place.farthest_km
    every = Cells(pos, *(rows[name].to_numpy(float) for name in ("intensity", "answers", "sd")))
    cells = {str(fields.source_id[i]): every.at((event == i) & near) for i in np.unique(event[near])}
    return Felt(cells, [*reports.remarks, f"{(~near).sum()} cells left out, beyond {place.farthest_km:g} km"])


@provenance.remember
def _all_reports():
    return felt_reports.read()


def simulated(fields: Fields) -> Felt:
    """Reports of a simulated twin: it stands in for people near half of the stations that measured a peak velocity.

    Their intensity is what the published equation makes of that velocity, plus its scatter. Nobody answers below an
    intensity of `NOTICED`. Real people answer where they live; here they answer beside stations.
    """
    cells = {}
    for i, name in enumerate(fields.source_id):
        rng = np.random.default_rng([0, *str(name).encode()])
        rows = fields.rows(i)
        at = np.flatnonzero(np.isfinite(fields.values[rows, PGV]) & (rng.random(fields.sizes[i]) < TWIN_SHARE))
        mean = WORDEN.intensity(fields.values[rows][at, PGV]) + WORDEN.intensity_sd * rng.normal(size=len(at))
        at, mean = at[mean >= NOTICED], mean[mean >= NOTICED]
        answers, sd = np.full(len(at), float(TWIN_ANSWERS)), np.full(len(at), TWIN_SD)
        cells[str(name)] = Cells(fields.pos[rows][at].astype(float), mean, answers, sd)
    return Felt(cells, [])
