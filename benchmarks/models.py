"""Speed of the models, as ratios of times taken in turn; prints the tables that README.md holds.

    python benchmarks/models.py [--part PART] [--repeats N]

The inputs are random numbers of the shapes of the Colombian network: windows of 120 s at 20 Hz, 4 to 16 stations an
event, 10 on average. No data set is needed, and nothing here says how well a model locates. What is compared runs in
turn (A B A B ...), one round untimed, so that whatever else the machine does slows all alike; ratios are medians of the
rounds' ratios, with the quartiles in brackets. One thread is timed by the processor's clock, more by the wall's: run it
on a machine that does nothing else if the second matters.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # before torch: threads that spin while they wait would, on a busy
# machine, wait for each other's time slices, and two threads take ten times as long as one

import argparse
import multiprocessing
import platform
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import torch
from ragged import RaggedLocator, RaggedModel, event_graphs, largest_difference
from torch import nn
from torch.utils.flop_counter import FlopCounterMode
from torch_geometric.data import Batch
from tqdm import tqdm

from seisbook.catalogues import networks
from seisbook.datasets.events import Events, NodeFeatures
from seisbook.models import peers
from seisbook.models.augmentation import TrainingConfig, augment
from seisbook.models.ensembles import EnsembleLocator
from seisbook.models.graph import ModelConfig
from seisbook.models.robust import RobustConfig, RobustModel
from seisbook.models.robust_training import RobustLocator
from seisbook.models.training import Locator

CONFIG = ModelConfig(window_s=120.0, sampling_rate_hz=20.0)
TRAINING = TrainingConfig(epochs=0, graph_epochs=1, batch_size=16, validation=0.0)
MODELS = ("dynamic", "static", "none", *peers.PEERS)
THREADS = (1,)  # add 2 on a machine that does nothing else
STATIONS = (8, 16, 32, 64, 128, 256)
EVENTS = (100, 1000, 5000, 20_000)
SAMPLES = (600, 1200, 2400, 4800, 9600)
REPLICAS = (1, 4, 16)
DRAWN = 960  # events of an epoch that are timed, if it has more
MATRIX = 1536  # side of the matrices whose product measures the machine


# ------------------------------------------------------------------------------------------------------- measurements


def seconds_of(task):
    """Processor time on one thread, which other work hardly changes; wall time on more, where waiting counts."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    task()
    return clock() - start


def in_turn(tasks, repeats, threads=1, label=""):
    """Seconds of each task, by name, in each round; tasks take turns."""
    torch.set_num_threads(threads)
    for task in tasks.values():
        task()
    rounds = tqdm(range(repeats), desc=f"{label}, {threads} thread(s)", leave=False)
    taken = [{name: seconds_of(task) for name, task in tasks.items()} for _ in rounds]
    return {name: np.array([one[name] for one in taken]) for name in tasks}


def ratio(seconds, base):
    """Median and quartiles of the rounds' ratios, as text."""
    if seconds is base:
        return "1"
    low, median, high = np.quantile(seconds / base, [0.25, 0.5, 0.75])
    return f"{median:.2f} ({low:.2f}–{high:.2f})"


def multiply_adds(task):
    """How many multiply-adds the matrix products and convolutions of a task have."""
    counter = FlopCounterMode(display=False)
    with counter:
        task()
    return counter.get_total_flops() / 2


def table(title, columns, rows):
    print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join(str(value) for value in row)} |", flush=True)


# -------------------------------------------------------------------------------------------------------------- tasks


def random_events(n, config=CONFIG, stations=None, read=False):
    """Random events, with seismograms, or with what a stem would have found in them (`read`)."""
    rng = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    start = np.cumsum([0, *(np.full(n, stations) if stations else rng.integers(4, 17, n))])
    total, samples = start[-1], round(config.window_s * config.sampling_rate_hz)
    normal, uniform = partial(torch.randn, generator=generator), partial(torch.rand, generator=generator)
    x, features, onset_s = None, None, uniform(total, 2) * config.window_s
    if read:
        state = normal(total, -(-samples // 256), config.channels)
        features = NodeFeatures(state, onset_s, -uniform(total, 2), 3 * uniform(total))
    else:
        x = (normal(total, 3, samples) / 5).half()
    return Events(
        x=x,
        pos=normal(total, 3) * torch.tensor([150.0, 150.0, 1.0]),
        amplitude=3 * uniform(total),
        onset_s=onset_s,
        start=start,
        y=normal(n, 4) * torch.tensor([100.0, 100.0, 20.0, 1.0]) + torch.tensor([0.0, 0.0, 40.0, 3.0]),
        source_id=np.arange(n).astype(str),
        origin_time=np.zeros(n, "datetime64[ns]"),
        features=features,
    )


def alike(events, size):
    """`size` events with about the median number of stations: training and prediction sort events by it."""
    order = np.argsort(np.diff(events.start), kind="stable")
    middle = (len(order) - size) // 2
    return order[middle : middle + size]


def locator(name="dynamic", config=CONFIG):
    """An untrained `Locator`, with its model and optimiser."""
    torch.manual_seed(0)
    return equipped(Locator(name, config, TRAINING), peers.build(name, config))


def equipped(one, model):
    one.model_ = model
    one.optimiser, one.schedule = one._optimiser(100_000, 1)  # as `fit` does; so long a schedule has no end here
    return one


def training_step(one, batch):
    """One step as `Locator` takes it, without augmentation, which is the same for all models."""
    one.model_.train()
    one.optimiser.zero_grad(set_to_none=True)
    one.loss(batch).backward()
    update(one)


def update(one):
    nn.utils.clip_grad_norm_(one.model_.parameters(), TRAINING.clip)
    one.optimiser.step()
    one.schedule.step()


@torch.no_grad()
def inference(one, batch):
    one.model_.eval()
    one._forward(batch)


def product():
    """A product of two large matrices: the fastest arithmetic that the machine has."""
    one = torch.ones(MATRIX, MATRIX)
    return lambda: one @ one


# -------------------------------------------------------------------------------------------------------------- parts


def compare_peers(repeats):
    """Training and inference of all models on the same batches."""
    events = random_events(256)
    locators = {name: locator(name) for name in MODELS}
    uses = {"A training step, 16 events": (training_step, 16), "Inference, 64 events": (inference, 64)}
    for title, (use, size) in uses.items():
        batch = events.batch(alike(events, size))
        tasks = {name: partial(use, one, batch) for name, one in locators.items()}
        arithmetic = {name: multiply_adds(task) / size / 1e6 for name, task in tasks.items()}
        taken = [in_turn(tasks, repeats, threads, title) for threads in THREADS]
        rows = []
        for name, one in locators.items():
            parameters = sum(p.numel() for p in one.model_.parameters()) / 1e3
            row = [name, f"{parameters:.0f}", f"{arithmetic[name]:.0f}"]
            rows.append(row + speeds(taken, name, "dynamic", size))
        columns = ["model", "parameters (thousands)", "multiply-adds an event (millions)", *speed_columns("dynamic")]
        table(f"{title}.", columns, rows)


def speeds(taken, name, base, size):
    """Events per second and ratio of times, for each number of threads."""
    return [
        text
        for seconds in taken
        for text in (f"{size / np.median(seconds[name]):.0f}", ratio(seconds[name], seconds[base]))
    ]


def compare_robust(repeats):
    """Prediction by the robust model against the paper's."""
    network, events = networks.load("colombia"), random_events(256)
    chosen = events.select(alike(events, 64))
    batch = chosen.batch(np.arange(64))
    robust = untrained_robust(network, RobustConfig(**asdict(CONFIG)))
    attention = untrained_robust(network, RobustConfig(**asdict(CONFIG), mixing="attention"))
    tasks = {
        "dynamic": partial(inference, locator(), batch),
        "robust": partial(robust.predict, chosen),
        "robust, attention": partial(attention.predict, chosen),
    }
    taken = in_turn(tasks, repeats, label="robust")
    rows = []
    for name, seconds in taken.items():
        milliseconds = 1e3 * np.median(seconds) / 64
        rows.append([name, f"{milliseconds:.2f}", ratio(seconds, taken["dynamic"])])
    table("Prediction, 64 events a batch.", ["model", "ms an event", "time / dynamic"], rows)


def untrained_robust(network, config):
    """An untrained `RobustLocator` with its model."""
    torch.manual_seed(0)
    one = RobustLocator(network, config)
    one.model_ = RobustModel(config, network).eval()
    return one


def speed_columns(base):
    return [text for n in THREADS for text in (f"events/s, {threads(n)}", f"time / {base}, {threads(n)}")]


def threads(n):
    return f"{n} thread" if n == 1 else f"{n} threads"


def compare_ragged(repeats):
    """The dense model against the same network written the usual PyG way."""
    events = random_events(256)
    dense = locator()
    ragged = equipped(RaggedLocator("dynamic", CONFIG, TRAINING), RaggedModel.from_dense(dense.model_))
    indices = {"sizes alike": alike(events, 16), "sizes mixed": np.arange(16), "64 events": alike(events, 64)}
    pairs = {name: batches(events, index) for name, index in indices.items()}
    largest = max(largest_difference(dense.model_, ragged.model_, *pair) for pair in pairs.values())
    print(f"\nThe largest difference of the two models' predictions is {largest:.1e}.")
    uses = {f"training step, 16 events, {name}": (training_step, name) for name in ("sizes alike", "sizes mixed")}
    uses["inference, 64 events, sizes alike"] = (inference, "64 events")
    tasks = {
        title: [partial(use, one, batch) for one, batch in zip((dense, ragged), pairs[name], strict=True)]
        for title, (use, name) in uses.items()
    }
    tasks |= graph_parts(dense.model_, ragged.model_, *pairs["sizes alike"])
    tasks["collating 16 events"] = [partial(events.batch, indices["sizes alike"]), collate(events)]
    compare_pairs(tasks, repeats)


def batches(events, index):
    """The same events as a dense and as a ragged batch."""
    return events.batch(index), Batch.from_data_list(event_graphs(events.select(index)))


def collate(events):
    graphs = event_graphs(events.select(alike(events, 16)))
    return lambda: Batch.from_data_list(graphs)


def graph_parts(model, ragged, dense, data):
    """The graph part alone, forwards and backwards, on what the stem found; and finding the neighbours alone."""
    with torch.no_grad():
        features = model.encode(dense.traces, dense.amplitude, dense.mask)
        flat = ragged.encode(data.x, data.amplitude)
    u, place = features.state.mean(2), dense.pos / CONFIG.distance_scale_km
    u_flat, place_flat = flat.state.mean(1), data.pos / CONFIG.distance_scale_km
    return {
        "graph part, forward and backward": [
            lambda: model.locate(features, dense.pos, dense.mask).estimates.sum().backward(),
            lambda: ragged.locate(flat, data.pos, data.batch).estimates.sum().backward(),
        ],
        "neighbours of one block": [
            lambda: model.blocks[0].neighbours(u, place, dense.mask),
            lambda: ragged.blocks[0].neighbours(u_flat, place_flat, data.batch),
        ],
    }


def compare_pairs(tasks, repeats):
    flat = {(title, kind): task for title, pair in tasks.items() for kind, task in zip("dr", pair, strict=True)}
    taken = [in_turn(flat, repeats, n, "dense and ragged") for n in THREADS]
    rows = []
    for title in tasks:
        row = [title]
        for seconds in taken:
            one, other = seconds[title, "d"], seconds[title, "r"]
            row += [f"{1e3 * np.median(one):.2f}", f"{1e3 * np.median(other):.2f}", ratio(other, one)]
        rows.append(row)
    columns = [f"{text}, {threads(n)}" for n in THREADS for text in ("dense (ms)", "ragged (ms)", "ragged / dense")]
    table("Dense against ragged.", ["what", *columns], rows)


def against_stations(repeats):
    """Cost of a station, by how many an event has."""
    tasks, size, one = {}, 4, locator()
    for stations in STATIONS:
        events = random_events(size, stations=stations)
        read = random_events(size, stations=stations, read=True)
        tasks["training step", stations] = partial(training_step, one, events.batch(np.arange(size)))
        tasks["its graph part", stations] = partial(training_step, one, read.batch(np.arange(size)))
    per = {key: size * key[1] for key in tasks}
    scaling(tasks, per, STATIONS, repeats, f"Cost of a station, {size} events a batch.", ("stations", "station"))


def against_samples(repeats):
    """Cost of a sample, by the length of the seismograms."""
    tasks, size = {}, 16
    for samples in SAMPLES:
        config = replace(CONFIG, window_s=samples / CONFIG.sampling_rate_hz)
        batch = random_events(size, config, stations=10).batch(np.arange(size))
        tasks["training step", samples] = partial(training_step, locator(config=config), batch)
        tasks["inference", samples] = partial(inference, locator(config=config), batch)
    per = {key: size * 10 * key[1] for key in tasks}
    title = f"Cost of a sample of three components, {size} events of 10 stations a batch."
    scaling(tasks, per, SAMPLES, repeats, title, ("samples", "sample"))


def scaling(tasks, per, sizes, repeats, title, units):
    """Table of time per unit, and its ratio to that of the smallest size, one row a size."""
    kinds = list(dict.fromkeys(kind for kind, _ in tasks))
    taken = [in_turn(tasks, repeats, n, title) for n in THREADS]
    rows = []
    for size in sizes:
        row = [f"{size:,}"]
        for kind in kinds:
            cost = 1e6 * np.median(taken[0][kind, size]) / per[kind, size]
            row.append(f"{cost:,.0f}" if cost >= 100 else f"{cost:.3g}")
            for seconds in taken:
                cost = {each: seconds[kind, each] / per[kind, each] for each in (size, sizes[0])}
                row.append(ratio(cost[size], cost[sizes[0]]))
        rows.append(row)
    columns = [units[0]]
    for kind in kinds:
        columns.append(f"{kind}: µs a {units[1]}, {threads(THREADS[0])}")
        columns += [f"ratio to {sizes[0]}, {threads(n)}" for n in THREADS]
    table(title, columns, rows)


def against_events(repeats):
    """Epoch of the graph part on read features, and its memory; one process a number of events, in turn."""
    context = multiprocessing.get_context("spawn")  # memory of one size is not that of another
    rounds = max(1, repeats // 3)
    pools = {n: ProcessPoolExecutor(1, context, initializer=prepare, initargs=(n,)) for n in EVENTS}
    taken = {(n, count): [] for n in EVENTS for count in THREADS}
    bar = tqdm(total=rounds * len(taken), desc="epochs", leave=False)
    for _ in range(rounds):
        for n, count in taken:
            taken[n, count].append(pools[n].submit(epoch, count).result())
            bar.update()
    bar.close()
    memory = {n: pool.submit(peak_memory).result() for n, pool in pools.items()}
    for pool in pools.values():
        pool.shutdown()
    events_table(taken, memory)


def events_table(taken, memory):
    rows = []
    for n in EVENTS:
        row = [f"{n:,}"]
        for count in THREADS:
            seconds, base = np.array(taken[n, count]), np.array(taken[EVENTS[0], count])
            row += [f"{np.median(seconds):.2f}", "1" if n == EVENTS[0] else ratio(seconds / n, base / EVENTS[0])]
        before, features, peak = memory[n]
        rows.append([*row, f"{features:.1f}", f"{peak - before:.0f}", f"{peak:.0f}"])
    columns = [
        text for n in THREADS for text in (f"epoch (s), {threads(n)}", f"per event, ratio to {EVENTS[0]}, {threads(n)}")
    ]
    memories = ["features (MB)", "peak memory above the libraries' (MB)", "peak memory (MB)"]
    title = f"Epoch of the graph part on features that a stem has read (above {DRAWN} events, timed on so many)."
    table(title, ["events", *columns, *memories], rows)


STATE = {}  # of a process of `against_events`


def prepare(n):
    before = psutil.Process().memory_info().rss / 1e6
    STATE.update(before=before, events=random_events(n, read=True), locator=locator())
    epoch(1, 64)


def epoch(count, most=DRAWN):
    """Seconds of an epoch on `count` threads: of at most so many events, drawn from all, scaled up."""
    torch.set_num_threads(count)
    one, events, rng = STATE["locator"], STATE["events"], np.random.default_rng(0)
    kept = rng.choice(len(events), min(most, len(events)), replace=False)
    times = max(1, DRAWN // len(events))  # a short epoch is repeated
    run = partial(one._epoch, events, kept, one.optimiser, one.schedule, torch.Generator().manual_seed(0))
    return seconds_of(lambda: [run() for _ in range(times)]) / times * len(events) / len(kept)


def peak_memory():
    """Memory before the events were made, size of the features, peak memory of the process, in MB (Linux)."""
    features = sum(value.numel() * value.element_size() for value in STATE["events"].features[:4])
    status = Path("/proc/self/status").read_text().splitlines()  # getrusage would count the parent's memory, too
    peak = 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return STATE["before"], features / 1e6, peak / 1e6


def take_apart(repeats):
    """Where the time of one training step goes, and how far that is from the arithmetic."""
    events, one = random_events(256), locator()
    index = alike(events, 16)
    work = {name: multiply_adds(task) for name, task in step_parts(one, events, index).items()}
    for count in THREADS:
        # the parts in their order, each on what the one before it made
        taken = in_turn(step_parts(one, events, index) | {"product": product()}, 3 * repeats, count, "one step")
        seconds = {name: np.median(values) for name, values in taken.items()}
        apart_table(seconds, work, 2 * MATRIX**3 / seconds.pop("product") / 1e9, count)


def step_parts(one, events, index):
    """The parts of one training step, to be run in their order."""
    one.model_.train()
    made, generator = {}, torch.Generator().manual_seed(0)

    def stem():
        batch = made["batch"]
        features = one.model_.encode(batch.traces, batch.amplitude, batch.mask)
        made["read"] = replace(batch, features=features)

    def optimise():
        update(one)
        one.optimiser.zero_grad(set_to_none=True)

    return {
        "collating": lambda: made.update(raw=events.batch(index)),
        "augmentation": lambda: made.update(batch=augment(made["raw"], TRAINING, CONFIG.sampling_rate_hz, generator)),
        "stem, forward": stem,
        "graph part and losses, forward": lambda: made.update(loss=one.loss(made["read"])),
        "backward, both": lambda: made["loss"].backward(),
        "optimiser": optimise,
    }


def apart_table(seconds, work, peak, count):
    total, arithmetic = sum(seconds.values()), sum(work.values())
    rows = []
    for name, value, products in zip(
        [*seconds, "all"], [*seconds.values(), total], [*work.values(), arithmetic], strict=True
    ):
        speed = 2 * products / value / 1e9
        speeds = [f"{speed:.1f}", f"{100 * speed / peak:.0f}"] if products else ["", ""]
        rows.append([name, f"{1e3 * value:.1f}", f"{100 * value / total:.0f}", f"{products / 1e6:.0f}", *speeds])
    columns = ["part", "ms", "share of time (%)", "multiply-adds (millions)", "GFLOP/s", "of the machine's (%)"]
    factor = total * peak * 1e9 / (2 * arithmetic)
    machine = f"a product of {MATRIX} x {MATRIX} matrices: {peak:.0f} GFLOP/s"
    title = f"One training step, 16 events, {threads(count)}; {machine}; the step takes {factor:.1f} times what its"
    table(f"{title} arithmetic would at that speed.", columns, rows)


def compare_recipes(repeats):
    """R trainings of the graph part in one pass against R, one by one."""
    events, n = random_events(512, read=True), 96
    subsets = [np.random.default_rng(r).choice(512, n, replace=False) for r in range(max(REPLICAS))]
    tasks = {"single": partial(single_training, events, subsets[0])}
    for replicas in REPLICAS:
        ensemble = EnsembleLocator("dynamic", CONFIG, TRAINING, tuple(range(replicas)))
        tasks[replicas] = partial(ensemble.fit, events, subsets[:replicas], progress=False)
    taken = [in_turn(tasks, repeats, count, "trainings") for count in THREADS]
    rows = [["one by one (`Locator`)"], *([f"together, R = {r} (`EnsembleLocator`)"] for r in REPLICAS)]
    for row, name in zip(rows, tasks, strict=True):
        share = 1 if name == "single" else name
        for seconds in taken:
            cost = seconds[name] / share if share > 1 else seconds[name]
            row += [f"{1e3 * np.median(cost):.0f}", ratio(cost, seconds["single"])]
    columns = [text for n in THREADS for text in (f"ms a training, {threads(n)}", f"ratio, {threads(n)}")]
    table(f"One epoch of the graph part on {n} events, batches of 16, per training.", ["trainings", *columns], rows)


def single_training(events, subset):
    """What `Locator` does after its stem has read the events, from a new model on."""
    one = locator()
    one._epoch(events, subset, one.optimiser, one.schedule, torch.Generator().manual_seed(0))


PARTS = {
    "peers": compare_peers,
    "robust": compare_robust,
    "ragged": compare_ragged,
    "stations": against_stations,
    "events": against_events,
    "samples": against_samples,
    "step": take_apart,
    "recipe": compare_recipes,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=PARTS, help="one part (default: all)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: %(default)s)")
    arguments = parser.parse_args()
    load, _, _ = os.getloadavg()
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, torch {torch.__version__}"
    )
    print(f"Other work on the machine before the start (load): {load:.1f}")
    for part in [arguments.part] if arguments.part else PARTS:
        start = time.perf_counter()
        PARTS[part](arguments.repeats)
        print(f"\n({part}: {time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
