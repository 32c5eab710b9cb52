import numpy as np
import pytest

from seisbook.figures import robustness as robustness_figures
from seisbook.findings import transfer
from seisbook.studies import transfer as transfer_study

FACTORS = {"other": 2.0, "twin": 1.0, "random": 4.0, "resampled": 30.0}  # of the error with as many events


@pytest.fixture
def records():
    """Errors fall with the square root of the number of events, from different heights, by event alike."""
    rng = np.random.default_rng(0)
    base = rng.uniform(1, 3, 150)
    found = []
    for trial in transfer_study.trials("colombia", "bulletin", "paper"):
        n = 800 if trial["n_train"] is transfer_study.ALL else max(trial["n_train"], 10)
        size = FACTORS[trial["start"]] * np.sqrt(100 / n) * base * (1 + 0.05 * trial["partition"])
        result = {"epicentral_km": size.tolist(), "depth_km": (-2 * size).tolist(), "magnitude": (0.1 * size).tolist()}
        found.append({"trial": trial, "result": result, "commit": "abc"})
    return found


def test_the_table_finds_what_was_put_in(records):
    table = transfer.tabulate(records)
    found = table.set_index(["quantity", "start", "n_train"]).estimate
    assert found["epicentral_km", "other", 100].value == pytest.approx(2 * found["epicentral_km", "twin", 100].value)
    assert found["depth_km", "twin", 25].value == pytest.approx(2 * found["epicentral_km", "twin", 25].value)
    one = found["magnitude", "random", 50]
    assert one.low < one.value < one.high


def test_rules_are_paired(records):
    table = transfer.verdicts(records)
    assert table.verdict.tolist() == ["supported"] * 3
    assert [one.value for one in table.found] == pytest.approx([0.5, 0.5, np.sqrt(0.1) * 1.025])
    assert table.found[0].high - table.found[0].low < 1e-9  # every event and draw alike: nothing to resample
    swapped = [{**one, "trial": {**one["trial"], "start": SWAPPED.get(one["trial"]["start"])}} for one in records]
    assert transfer.verdicts(swapped).verdict[0] == "not supported"


def test_prose_quotes_the_table(records):
    texts = transfer.quoted({"colombia": records})
    assert texts["colombia-transfer-helps"] == "0.50 [0.50, 0.50]"
    twin, other = (float(texts[f"colombia-{start}-100"].split()[0]) for start in ("twin", "other"))
    assert other == pytest.approx(2 * twin, rel=0.05)
    assert {"colombia-twin-all", "colombia-resampled-0-magnitude"} < set(texts)


SWAPPED = {"other": "random", "random": "other", "twin": "twin", "resampled": "resampled"}


def test_the_figure_has_a_column_a_network(records):
    figure = robustness_figures.transfer(transfer.tabulate(records))
    assert len(figure.axes) == 3
    assert [text.get_text() for text in figure.axes[-1].get_xticklabels()] == ["0", "25", "50", "100", "200", "all"]
