"""Seconds to fit each method of fields to one fold, processor time on one thread: `python benchmarks/fields.py`."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import platform
import time

import torch

from seisbook.models.conditional_normal import ConditionalNormal
from seisbook.models.field_training import FieldNetwork
from seisbook.studies import fields

REGIONS = ("italy", "greece")


def seconds(method, train) -> float:
    """Processor time of a fit."""
    start = time.process_time()
    method.fit(train)
    return time.process_time() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", default="measured", choices=["measured", "simulated"])
    parser.add_argument("--profile", default="paper", choices=["quick", "paper"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    told = fields.INFORMATION["all"]
    methods = {"conditional normal": lambda: ConditionalNormal(told)}
    for arm, config in fields.ARMS.items():
        methods[arm] = lambda config=config: FieldNetwork(told, config, fields.TRAINING[given.profile])
    parts = {region: fields.parts(region, given.source, given.profile)[0][0] for region in REGIONS}
    print(f"{platform.machine()}, Python {platform.python_version()}, {given.source} values, profile {given.profile}")
    sizes = (f"{region.title()}: {len(train)} events, {len(train.values)} records" for region, train in parts.items())
    print("; ".join(sizes))
    print(f"\n| method | {' | '.join(region.title() for region in REGIONS)} |\n|---|---|---|")
    for name, make in methods.items():
        print(f"| {name} | {' | '.join(f'{seconds(make(), train):.0f}' for train in parts.values())} |", flush=True)


if __name__ == "__main__":
    main()
