"""The record of the real catalogues, which chapter 1 and the claims quote."""

from dataclasses import asdict
from pathlib import Path

from seisbook import records
from seisbook.catalogues import bulletins, networks
from seisbook.errors import UserError
from seisbook.measures import seismicity
from seisbook.models import checkpoints
from seisbook.physics.traveltimes import TravelTimes
from seisbook.provenance import code_version

RECORDED_NETWORKS = ("colombia", "ridgecrest")


def record_catalogues() -> Path:
    """Recompute the record that the book's prose quotes: the summary of both real bulletins.

    Raises
    ------
    UserError
        If the bulletins cannot be had.
    """
    content = {"code": code_version(), "made_from": _made_from()}
    for name in RECORDED_NETWORKS:
        network = networks.load(name)
        catalogue = bulletins.read_bulletin(network)
        content[name] = asdict(seismicity.summarise(catalogue, network, TravelTimes(network.velocity_model)))
    return records.write("catalogues", content)


def load_catalogues() -> dict:
    """Read the record of the real catalogues, unless how they are read or summed up has changed since.

    Raises
    ------
    UserError
        If so.
    """
    content = records.read("catalogues")
    if content.get("made_from") != _made_from():
        raise UserError("the catalogues are read or summed up in another way since: run `seisbook data record`")
    return content


def _made_from():
    """Hash, by network, of what its record of catalogues comes from."""
    code = checkpoints.code_of("statistics")
    return {name: checkpoints.recipe("data", name, code)["hash"] for name in RECORDED_NETWORKS}
