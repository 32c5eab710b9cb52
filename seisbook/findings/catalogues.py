"""The record of the real catalogues, which chapter 1 and the claims quote."""

from dataclasses import asdict

from seisbook.catalogues.networks import NETWORKS
from seisbook.findings import summaries

NAME = "catalogues"


def compute(progress=True) -> dict:
    """Summary of both real bulletins.

    Raises
    ------
    UserError
        If the bulletins cannot be had.
    """
    from seisbook.catalogues import bulletins, networks  # not loaded by who only reads the record
    from seisbook.measures import seismicity
    from seisbook.physics.traveltimes import TravelTimes

    content = {}
    for name in NETWORKS:
        network = networks.load(name)
        catalogue = bulletins.read_bulletin(network)
        content[name] = asdict(seismicity.summarise(catalogue, network, TravelTimes(network.velocity_model)))
    return content


def load() -> dict:
    """Read the record, see `seisbook.provenance.load`."""
    return summaries.load(NAME)
