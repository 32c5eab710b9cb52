"""Time and peak memory of building datasets; prints the table that README.md holds.

    python benchmarks/data.py [--out DIR]

The bulletin rows need the real bulletins (`seisbook data fetch`, or SEISBOOK_DATA_DIR).
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

BUILDS = {
    "Colombia, bulletin, all events": ("colombia", "bulletin", None),
    "Ridgecrest, bulletin, all events": ("ridgecrest", "bulletin", None),
    "Colombia, simulated, 1,000 events": ("colombia", "simulated", 1000),
    "Ridgecrest, simulated, 1,000 events": ("ridgecrest", "simulated", 1000),
    "Colombia, simulated, 20,000 events": ("colombia", "simulated", 20_000),
}


def measure(network, source, events, jobs, out):
    """Wall time (s) and peak memory (MB) of one `seisbook data build`, worker processes included."""
    command = [sys.executable, "-m", "seisbook.cli", "data", "build", "--network", network, "--source", source]
    command += ["--jobs", str(jobs), "--out", str(out)] + (["--events", str(events)] if events else [])
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, resident_mb(process.pid))
        time.sleep(0.1)
    if process.returncode:
        sys.exit(process.stderr.read())
    size = sum(path.stat().st_size for path in out.rglob("*")) / 1e6
    return time.perf_counter() - start, peak, size


def resident_mb(pid):
    """Resident memory of a process and its descendants, shared pages counted once (Linux)."""
    try:
        parent = psutil.Process(pid)
        family = [parent, *parent.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in family) / 1e6
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError):
        return 0.0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, help="where to build (default: a temporary folder)")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {arguments.jobs} job(s)\n"
    )
    print("| dataset | seconds | events/s | peak memory (MB) | size (MB) |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(dir=arguments.out) as folder:
        for name, (network, source, events) in BUILDS.items():
            out = Path(folder) / "dataset"
            seconds, peak, size = measure(network, source, events, arguments.jobs, out)
            n = json.loads((out / "dataset.json").read_text())["n_events"]
            print(f"| {name} | {seconds:.0f} | {n / seconds:.0f} | {peak:.0f} | {size:.0f} |", flush=True)
            shutil.rmtree(out)


if __name__ == "__main__":
    main()
