import os
import subprocess
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run in parallel; set before torch is imported

from functools import cache
from pathlib import Path

import matplotlib
import pytest

from tests.breaking import Breaker

matplotlib.use("Agg")


@pytest.fixture(scope="session")
def real_data():
    """Folder of the real bulletins; tests that need it are skipped where it is not given."""
    folder = Path(os.environ.get("SEISBOOK_DATA_DIR", ""))
    if not os.environ.get("SEISBOOK_DATA_DIR") or not folder.is_dir():
        pytest.skip("SEISBOOK_DATA_DIR does not name a folder with the real bulletins")
    return folder


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; tests that use it are marked with `tests.chromium.needed`."""
    from playwright.sync_api import sync_playwright

    from tests.chromium import CHROMIUM

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def tested():
    """All claims with their verdicts, from the committed records."""
    from tests.judged import every

    return list(every())


@pytest.fixture(scope="session")
def bulletin():
    """Reads each real bulletin once, for all that only look at it."""
    from seisbook.catalogues.bulletins import read_bulletin

    return cache(read_bulletin)


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


@pytest.fixture(scope="session")
def travel_times(tmp_path_factory):
    """Of the toy network; the table is not looked for in the user's cache."""
    import seisbook.physics.traveltimes
    from tests.made_up import TOY

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seisbook.physics.traveltimes.pooch, "os_cache", lambda name: tmp_path_factory.mktemp("cache"))
        return seisbook.physics.traveltimes.TravelTimes(TOY.velocity_model, 200, 60)


@pytest.fixture(scope="session")
def catalogue(travel_times):
    """Three hundred events of the toy network."""
    from seisbook.physics import simulation
    from tests.made_up import TOY

    return simulation.simulate(TOY, 300, 0, travel_times)


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """What tests write need not outlive a power cut; waiting for a busy disk takes minutes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: None)
        yield


@pytest.fixture(scope="session")
def breaker():
    return Breaker()


@pytest.fixture
def small_disk(tmp_path):
    """Folder of a disk of 64 kB; `mount -o remount,size=...` changes its size."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.getuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only the super-user of a Linux machine can mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
