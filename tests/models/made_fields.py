"""Fields of a simulated twin, for the tests of the methods that reconstruct them."""

from functools import cache

from seisbook.catalogues import regions
from seisbook.datasets.fields import Fields
from seisbook.physics import field_simulation

REGION = regions.load("greece")


@cache
def twin():
    """Two hundred events of the twin of Greece, and its truth."""
    motion, truth = field_simulation.simulate(REGION, 200, 7)
    return Fields.from_motion(motion, REGION), truth


@cache
def parts():
    """Training and test events of the twin."""
    fields, _ = twin()
    return fields.select(range(150)), fields.select(range(150, 200))
