import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run in parallel; set before torch is imported

from pathlib import Path

import matplotlib
import pytest

matplotlib.use("Agg")


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real bulletins; tests that need it are skipped where it is not given."""
    folder = Path(os.environ.get("SEISBOOK_DATA_DIR", ""))
    if not os.environ.get("SEISBOOK_DATA_DIR") or not folder.is_dir():
        pytest.skip("SEISBOOK_DATA_DIR does not name a folder with the real bulletins")
    return folder


@pytest.fixture(scope="session")
def dataset(tmp_path_factory):
    """Sixty simulated events, built once for all that only need some."""
    from seisbook.datasets import build
    from seisbook.datasets.graphs import EventDataset

    out = tmp_path_factory.mktemp("set") / "twin"
    return EventDataset(build.build("ridgecrest", "simulated", out, n_events=60, progress=False))


@pytest.fixture(scope="session")
def events(dataset):
    from seisbook.datasets.events import Events

    return Events.from_dataset(dataset, progress=False)
