import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from seisbook import provenance, records
from seisbook.catalogues import networks
from seisbook.errors import UserError
from seisbook.figures import model as model_figures
from seisbook.findings import comparison, results, summaries
from seisbook.measures import seismicity, strata
from seisbook.physics import simulation


def made_run(network, model, split, fold, scale, n=40):
    """A run's record with errors of a known size; the events are the same for all models."""
    rng = np.random.default_rng(fold)
    shift = np.random.default_rng([fold, len(model)]).normal(0, 0.02 * scale, n)
    errors = {
        "source_id": [f"{fold}-{i}" for i in range(n)],
        "epicentral_km": (scale * rng.uniform(0.5, 1.5, n) + abs(shift)).tolist(),
        "depth_km": (scale * rng.normal(size=n)).tolist(),
        "hypocentral_km": (scale * rng.uniform(1, 2, n)).tolist(),
        "magnitude": (0.1 * scale * rng.normal(size=n)).tolist(),
    }
    about = {"network": network, "model": model, "split": split, "fold": fold, "source": "bulletin", "profile": "paper"}
    about["learning_rate"] = None if model == "classical" else 1e-3
    return {**about, "errors": errors, "parameters": 10, "train_s": 1.0, "commit": "abc"}


@pytest.fixture(scope="module")
def runs():
    sizes = {"dynamic": 1.0, "static": 1.001, "gcn": 3.0, "classical": 0.5}
    return [made_run("colombia", model, "random", fold, size) for model, size in sizes.items() for fold in range(5)]


def test_tests_tell_a_worse_model_from_an_equal_one(runs):
    tests = {(one["model"], one["quantity"]): one for one in comparison.paired_tests(runs)}
    assert tests["gcn", "epicentral_km"]["mean"] == pytest.approx(-2, abs=0.3)
    assert tests["gcn", "epicentral_km"]["p"] < 0.01
    assert tests["classical", "epicentral_km"]["mean"] > 0
    assert tests["static", "epicentral_km"]["low"] < 0 < tests["static", "epicentral_km"]["high"]
    assert ("dynamic", "epicentral_km") not in tests


def test_a_model_without_all_folds_is_not_tested(runs):
    some = [run for run in runs if not (run["model"] == "gcn" and run["fold"] == 4)]
    assert {one["model"] for one in comparison.paired_tests(some)} == {"static", "classical"}


def test_table_has_the_best_first_and_signs(runs):
    entries, tests = results.entries(runs), comparison.paired_tests(runs)
    table = comparison.table(entries, tests, "colombia", "random")
    assert table.index.tolist()[0] == "classical"
    assert table.index.tolist()[-1] == comparison.TITLES["gcn"]
    assert table.p[comparison.TITLES["gcn"]].startswith("−")
    assert table.p["classical"].startswith("+")
    assert comparison.costs(entries, "colombia")["training (s)"].tolist() == ["1"] * 3
    assert table.p[comparison.TITLES["dynamic"]] == ""


def test_error_map_sums_up_and_shows_no_single_event():
    network = networks.load("ridgecrest")
    twin = simulation.simulate(network, 300, 0)
    errors = pd.DataFrame({"epicentral_km": np.arange(300.0)}, index=twin.events.index)
    cells = comparison.error_map(errors, twin, network)
    assert cells
    assert min(one["n"] for one in cells) >= 4
    assert sum(one["n"] for one in cells) <= 300
    assert {one["side_km"] for one in cells} == {cells[0]["side_km"]}
    events = twin.events
    assert not {(one["latitude"], one["longitude"]) for one in cells} & set(
        zip(events.source_latitude_deg.round(4), events.source_longitude_deg.round(4), strict=True)
    )


def test_a_record_of_other_runs_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    inputs = {"run:colombia-dynamic-random-0": "another"}
    records.write(tmp_path / "models.json", {}, provenance.provenance(summaries.key("models"), inputs))
    with pytest.raises(UserError, match=r"models\.json: stale: an input has changed: run:colombia-dynamic-random-0"):
        comparison.load()


def test_the_shipped_record_is_current_and_quoted():
    content = comparison.load()
    texts = comparison.quoted(content)
    for name in networks.NETWORKS:
        entry = next(
            one
            for one in content["entries"]
            if (one["network"], one["model"], one["split"]) == (name, "dynamic", "random")
        )
        assert texts[f"{name}-dynamic-epicentre"] == f"{entry['epicentral_km']['median']:.2f}"
        assert entry["n_events"] > 1000
        found = content["networks"][name]
        quantiles = found["quantiles"]["dynamic"]["epicentral_km"]
        assert quantiles[50] == pytest.approx(entry["epicentral_km"]["median"], rel=0.01)


def test_figures_of_the_comparison(runs):
    entries = results.entries(runs)
    fig = model_figures.forest(entries, "random")
    labels = [text.get_text() for text in fig.axes[0].get_yticklabels()]
    assert labels[-1] == "classical"  # the best on top
    tables = {model: {by: _strata(by) for by in strata.STRATA} for model in comparison.CLOSE_UP}
    assert len(model_figures.strata(tables).axes) == 4


def _strata(by):
    row = {"n": 9, "epicentral_km": 1.0, "low_km": 0.5, "high_km": 2.0, "magnitude_rmse": 0.1}
    return [{strata.STRATA[by].title: name, **row} for name in "ab"]


def shipped_figures():
    content = comparison.load()
    found = content["networks"]
    experts = {name: seismicity.Summary.from_record(summaries.load("catalogues")[name]).expert_line for name in found}
    history = [{"loss": 5.0 - i, "epicentral_km": 50.0 / (i + 1)} for i in range(4)]
    return {
        "forest": model_figures.forest(content["entries"], "random", experts),
        "distributions": model_figures.error_distributions({n: found[n]["quantiles"] for n in found}, experts),
        "strata": model_figures.strata(found["colombia"]["strata"]),
        "maps": model_figures.error_maps(found["colombia"]["maps"], networks.load("colombia")),
        "calibration": model_figures.calibration({n: found[n]["calibration"] for n in found}),
        "training": model_figures.training_curve(history, 2),
    }


def test_shipped_figures_are_legible_and_within_their_page():
    for name, fig in shipped_figures().items():
        renderer = FigureCanvasAgg(fig).get_renderer()
        for axis in fig.axes:
            for text in (axis._left_title, axis.xaxis.label, axis.yaxis.label, *axis.texts):
                box = text.get_window_extent(renderer)
                if text.get_text().strip() and text.get_visible() and axis.bbox.overlaps(box.padded(60)):
                    assert text.get_fontsize() >= 8, (name, text.get_text())
                    assert min(box.x0, box.y0) >= -1, (name, text.get_text())
                    assert box.x1 <= fig.bbox.x1 + 1, (name, text.get_text())
                    assert box.y1 <= fig.bbox.y1 + 1, (name, text.get_text())


def test_colours_tell_the_kinds_of_method_apart():
    assert model_figures.hue("dynamic") != model_figures.hue("static") == model_figures.hue("last")
    assert len({model_figures.hue(name) for name in ("dynamic", "static", "gcn", "classical")}) == 4
