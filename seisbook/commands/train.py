"""The command `seisbook train`: models of the shipped networks, of regions, and of a network of one's own."""

import sys
from pathlib import Path

from seisbook.errors import UserError

FOLDS = 5  # of a bulletin
ROBUST = "robust"


def add_options(parser) -> None:
    """Give a parser the options of the command."""
    parser.description = (
        "Train a model on the twin, then on each fold's training part; what is already recorded is kept."
    )
    parser.add_argument("--network", help="colombia, ridgecrest, or the YAML file of your own (default: the first two)")
    parser.add_argument("--dataset", type=Path, help="your own network's events, of `seisbook data build`")
    parser.add_argument(
        "--model",
        nargs="+",
        default=[ROBUST],
        help="robust (default), or dynamic, ..., classical (see the model chapter); conditional-normal: of a region",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change your own network's model or its training, such as neighbours=6; may be repeated",
    )
    parser.add_argument(
        "--folds",
        type=int,
        choices=range(1, FOLDS + 1),
        default=1,
        help="of your own events: train and test on so many of five folds, and keep the first model (default: 1)",
    )
    parser.add_argument("--split", choices=("random", "time", "twin"), default="random", help="default: random")
    parser.add_argument("--fold", type=int, choices=range(5), nargs="+", default=range(5), help="default: all five")
    parser.add_argument("--profile", choices=("quick", "paper"), default="paper", help="default: paper")
    parser.add_argument("--force", action="store_true", help="replace published results that are out of date unasked")
    parser.set_defaults(command=_train)


def _train(arguments):
    from seisbook.catalogues.networks import NETWORKS
    from seisbook.studies import field_runs, pretraining, runs

    if str(arguments.network).endswith((".yaml", ".yml")):
        return _train_own(arguments)
    _refuse_own_options(arguments)
    may_replace = (lambda question: True) if arguments.force else _agreed
    if arguments.model == [field_runs.NAME]:
        for region in [arguments.network] if arguments.network else field_runs.PUBLISHED:
            print(f"{region}: {field_runs.train(region, may_replace=may_replace)}")
        return
    for network in [arguments.network] if arguments.network else NETWORKS:
        for model in arguments.model:
            if model == ROBUST:
                _train_robust(network, arguments, may_replace)
                continue
            if arguments.split == "twin" and model != "classical":
                path = pretraining.pretrain(network, model, arguments.profile, may_replace=may_replace)
                print(f"{network} {model}: {path}")
            for fold in [0] if arguments.split == "twin" else arguments.fold:
                record = runs.run(network, model, arguments.split, fold, arguments.profile, may_replace=may_replace)
                errors = record["errors"]["epicentral_km"]
                middle = sorted(errors)[len(errors) // 2]
                print(f"{network} {model} {arguments.split} {fold}: median epicentral error {middle:.2f} km")


def _refuse_own_options(arguments):
    """Published models have one configuration, that of their records."""
    if arguments.dataset:
        raise UserError("--dataset goes with the YAML file of your own network: shipped ones have their bulletin")
    if arguments.set or arguments.folds != 1:
        raise UserError(
            "--set and --folds go with the YAML file of your own network: to change the model of a shipped one, copy "
            "its file from data/networks"
        )


def _train_robust(network, arguments, may_replace):
    from seisbook.studies import robust_runs, runs

    for fold in [0] if arguments.split == "twin" else arguments.fold:
        where = network, arguments.split, fold
        path = robust_runs.train(*where, arguments.profile, may_replace=may_replace)
        middle = runs.load(path)[1].metrics["epicentral_km"]["median"]
        print(f"{' '.join(map(str, where))}: {path}: median epicentral error {middle:.2f} km")


def _train_own(arguments):
    from seisbook.studies import own_robust

    usual = {"model": [ROBUST], "split": "random", "fold": range(5), "force": False}
    if given := [f"--{name}" for name, value in usual.items() if getattr(arguments, name) != value]:
        raise UserError(f"{arguments.network}: {', '.join(given)}: for shipped networks; yours gets one robust model")
    if arguments.folds > 1 and not arguments.dataset:
        raise UserError("--folds goes with --dataset: without events of your own there is nothing to fold")
    how = {"settings": arguments.set, "n_folds": arguments.folds}
    path = own_robust.train(arguments.network, arguments.dataset, arguments.profile, **how)
    print(f"{path}\n{_tested_on(arguments.dataset)}; in brackets, intervals of 95 %\n{own_robust.describe(path)}")


def _tested_on(dataset):
    """Which events the errors are of: those of simulated events say little of real ones."""
    if dataset is None:
        return "errors on new simulated events: the model has seen no real event, and on real ones it errs more"
    return f"errors on the events of {dataset} that were held back"


def _agreed(question):
    """Ask whoever sits at the terminal; nobody else agrees to anything."""
    return sys.stdin is not None and sys.stdin.isatty() and input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
