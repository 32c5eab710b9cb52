"""What chapter 7 says of a description that was measured."""

from dataclasses import replace

from seisbook.catalogues.schema import VelocityModel
from seisbook.studies import own_network
from tests.made_up import TOY


def test_a_description_stands_beside_the_truth():
    slow = replace(TOY, velocity_model=VelocityModel([0.0], [5.0], 1.8, "made up"))
    table = own_network.described(measured=slow, true=TOY)
    assert table.loc["Vp/Vs"].tolist() == [1.8, 1.75]
    times = table.loc["P over 30 km from a depth of 10 km (s)"]
    assert times.tolist() == [6.32, 5.27]
    same = [name for name in table.index if name[:4] in ("scat", "magn")]
    assert len(same) == 4
    assert (table.measured[same] == table.true[same]).all()
