"""The claims' verdicts: every one follows from an interval in a record, by a rule in code. Nobody types a verdict.

The rules were written before the records were looked at. `seisbook.measures.estimates.below` serves the claims that
something stays below a level; C3 and C4 have rules of their own, `seisbook.measures.variance_ratio.verdict` and
`seisbook.findings.smoothing.verdict`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from math import floor, inf, log10, nan

import pandas as pd

from seisbook import provenance
from seisbook.catalogues.networks import NETWORKS
from seisbook.errors import UserError
from seisbook.findings import alignment as alignment_results
from seisbook.findings import (
    alignment_robust,
    attention_robust,
    comparison,
    fields,
    fields_attention,
    fields_depth,
    fields_imbalance,
    fields_variance,
    imbalance,
    real,
    robust,
    robustness,
    smoothing,
    summaries,
    variance_robust,
)
from seisbook.findings import attention as attention_results
from seisbook.findings import variance as variance_results
from seisbook.findings.evidence import FIGURES
from seisbook.findings.quotations import place, signed, worded
from seisbook.measures import splits
from seisbook.measures.estimates import Estimate, below
from seisbook.measures.seismicity import Summary
from seisbook.studies import runner

STATEMENTS = {
    "C0": "reconstructs a physical field from sparse sensors at least as well as what is used today",
    "C1": "location errors near those of experts, from about 1,000 events",
    "C2": "magnitude RMSE below 0.15",
    "C3": "rebuilding the graph lowers the variance that the choice of training data causes",
    "C4": "concatenating the embeddings of all blocks counters over-smoothing",
    "C5": "stable under narrow-band filtering",
    "C6": "stable under random time shifts",
    "C7": "holds for large magnitudes that are rare in the training set",
    "C8": "the aggregation attends to the stations that an analyst would pick",
    "C9": "the latent space aligns with textual bulletins: retrieval, zero-shot classification",
    "C10": "text corrects bias",
}
TESTED_BY = {
    "C0": "measured ground motion at hidden stations of two regions, against the conditional normal that ShakeMap uses",
    "C1": "learning curves against the *expert line* of each network; real seismograms against a target",
    "C2": "cross-validation on both networks; real seismograms, calibrated by other events",
    "C3": "the ratio of variances, dynamic to static graph, on the same partitions and seeds",
    "C4": "errors with and without concatenation; effective rank and Dirichlet energy against depth",
    "C5": "the growth of the error, band by band, on rendered and on real seismograms",
    "C6": "shifts of all stations together and of each by itself, apart",
    "C7": "the RMSE of the largest tenth, most of it withheld from training",
    "C8": "rank agreement with real analysts' readings beyond what distance and noise explain; how well the stations "
    "chosen constrain the hypocentre",
    "C9": "recall and balanced accuracy against majority, metadata and shuffled text",
    "C10": "the error before and after, with the same controls",
}
VERDICTS = "supported", "inconclusive", "not supported"
NOT_RUN = "not run"  # in place of a verdict, where a study has no record yet
MAGNITUDE_RMSE = 0.15  # what C2 promises
ALIGNED = {"retrieval": "fig-retrieval", "zero-shot": "fig-zeroshot", "withheld classes": "fig-withheld"}
GAINS = {
    "retrieval": "recall at 5",
    "zero-shot": "zero-shot balanced accuracy",
    "withheld classes": "ROC area of withheld classes",
}
"""What C9 measures, by question."""
CONTROLS = {"estimates": "no text", "shuffled": "shuffled text"}
MOST_DECIMALS = 4
WHERE = "bulletin", "paper"  # source and profile of the studies that decide
ABOVE = ("C8", "C9")  # claims that something is above its threshold; the others say below
SIGNALS = {"bulletin": "rendered", "simulated": "simulated", "measured": "measured", "waveform": "real"}
"""What the signals are that a model sees, by the source of the records."""


@dataclass(frozen=True)
class Claim:
    """One claim, on one network, by one measurement.

    Parameters
    ----------
    id, statement : str
    network, source, profile : str
        Of the records.
    measured : str
        What the estimate is, with its unit.
    estimate, ci_low, ci_high : float
        With its 95 % interval.
    threshold : float
        What the interval is held against.
    verdict : {"supported", "not supported", "inconclusive", "not run"}
        The last of a claim whose study has no record yet; its estimate is NaN.
    evidence : dict
        `chapter` and `figure`.
    n_runs : int
        Trainings.
    commit, state : str
        Commit at which the record was last verified, and its state, see `seisbook.provenance`.
    """

    id: str
    statement: str
    network: str
    source: str
    profile: str
    measured: str
    estimate: float
    ci_low: float
    ci_high: float
    threshold: float
    verdict: str
    evidence: dict
    n_runs: int
    commit: str
    state: str

    @property
    def above(self) -> bool:
        """Whether the claim says that the estimate is above the threshold; otherwise, below."""
        return self.id in ABOVE

    @property
    def relative(self) -> bool:
        """Whether the estimate is an error divided by another error, as `measured` says; then per cent are shown."""
        return "relative to" in self.measured

    @property
    def signals(self) -> str:
        """What the model saw: seismograms rendered from real readings, simulated ones, measured peaks, or real ones."""
        return SIGNALS[self.source]

    @property
    def place(self) -> str:
        """The network, as a page writes it."""
        return place(self.network)

    @property
    def said(self) -> str:
        """The verdict, and that its record is refuted, if it is."""
        return f"{self.verdict} (its record is refuted)" if self.state == "refuted" else self.verdict

    @property
    def found(self) -> str:
        """The estimate with its interval, as text: decimals enough for two digits of half the interval's width."""
        if self.verdict == NOT_RUN:
            return "–"
        shown = Estimate(*map(self.drawn, (self.estimate, self.ci_low, self.ci_high)))
        half = (shown.high - shown.low) / 2
        decimals = min(max(1 - floor(log10(half)), 0), MOST_DECIMALS) if 0 < half < inf else 2
        value, interval = format(shown, f"+z.{decimals}f" if self.relative else f".{decimals}f").split(" ", 1)
        return signed(f"{value}{' %' * self.relative} {interval}").replace("inf", "∞")

    @property
    def against(self) -> str:
        """The threshold as text."""
        level = self.drawn(self.threshold)
        if self.relative:
            return signed(f"{level:+.3g} %") if level else "0 %"
        return f"{level:.3g}"

    def drawn(self, value: float) -> float:
        """A value of the estimate's kind as pages show it: a ratio of errors as the change in per cent."""
        return 100 * (value - 1) if self.relative else value


def claims(*wanted) -> list[Claim]:
    """All claims that have been tested, or those with these identifiers, in their order.

    Raises
    ------
    UserError
        If a claim has not been tested, or a record is missing or out of date.
    """
    if unknown := [name for name in wanted if name not in TESTS]:
        raise UserError(f"no verdict on claim {unknown[0]!r}: choose among {', '.join(TESTS)}")
    read = _Records()
    return [claim for name, test in TESTS.items() if name in (wanted or TESTS) for claim in test(read)]


def table(tested) -> pd.DataFrame:
    """Claims as the book prints them: one row each, by claim and network, the verdict last."""
    rows = []
    for claim in tested:
        row = {"claim": claim.id, "network": claim.place, "measured": claim.measured, "found": claim.found}
        rows.append({**row, "against": claim.against, "runs": claim.n_runs, "verdict": claim.said})
    return worded(pd.DataFrame(rows).set_index(["claim", "network"]))


def measurements(tested) -> str:
    """Each claim's measurements as MyST, in a table that unfolds; intervals do not break."""
    lines = []
    for name in dict.fromkeys(claim.id for claim in tested):
        lines += [f"```{{dropdown}} {name}: {STATEMENTS[name]}"]
        lines += [
            "| network | signals | measured | found | against | verdict | shown in |",
            "|---|---|---|---|---|---|---|",
        ]
        lines += [*(_row(claim) for claim in tested if claim.id == name), "```"]
    return "\n".join(lines) + "\n"


def _row(claim):
    estimate = claim.found.replace(", ", ",\N{NO-BREAK SPACE}")
    figure = f"{{numref}}`{claim.evidence['figure']}`"
    cells = claim.place, claim.signals, claim.measured, estimate, claim.against, f"**{claim.said}**", figure
    return f"| {' | '.join(cells)} |"


class _Records:
    """The records that decide, each read once: `models()`, ..., `fields(region)`, and `study(study, network)`."""

    def __init__(self):
        self.models = cache(comparison.load)
        self.variance = cache(variance_results.load)
        self.attention = cache(attention_results.load)
        self.alignment = cache(alignment_results.load)
        self.fields = cache(fields.published)
        self.alignment_robust = cache(alignment_robust.load)
        self.study = cache(lambda study, network: runner.read(study, network, *WHERE))
        self.real = cache(lambda network: real.load(WHERE[1], network))
        self.measured = cache(lambda study, region: runner.read(study, region, *fields.WHERE))


def _fields(read):
    """C0 by region and by what the methods are told, by the rule of `seisbook.studies.fields`."""
    for region in fields.REGIONS:
        records = read.fields(region)
        shown = {"threshold": fields.THRESHOLD, "figure": "fig-fields-forest"}
        if not records:
            how = {"n_runs": 0, "verified": ("", "missing"), "verdict": NOT_RUN, "source": fields.WHERE[0]}
            yield _claim("C0", region, "error relative to the conditional normal", (nan, nan, nan), **shown, **how)
            continue
        for row in fields.judged(records):
            measured = f"error relative to the conditional normal, {fields.TOLD[row['information']]}"
            how = {"n_runs": row["n_runs"], "verified": _verified(records), "source": fields.WHERE[0]}
            yield _judged("C0", region, measured, row, **shown, **how)


def _near_experts(read):
    catalogues = summaries.load("catalogues")
    experts = {name: Summary.from_record(catalogues[name]).expert_line for name in NETWORKS}
    for entry, folds, shared in _ours(read):
        measured = f"median epicentral error (km), {folds}"
        estimate = entry["epicentral_km"]["median"], *entry["epicentral_km"]["ci"]
        level = experts[entry["network"]].epicentre_km.high
        yield _claim("C1", measured=measured, estimate=estimate, threshold=level, **shared)
    for name, folds, errors, how in _robust_model(read):
        estimate, level = robust.median(errors.epicentral_km), experts[name].epicentre_km.high
        yield _claim(
            "C1", name, f"median epicentral error (km), {folds}, robust model", estimate, level, "fig-arms", **how
        )
    yield from _from_few_events(read, experts)
    yield from _real(read, "C1")


def _ours(read):
    """The model record's entries of `dynamic`, on random folds and on blocks of time."""
    content = read.models()
    for entry in sorted(content["entries"], key=lambda entry: (entry["network"], entry["split"])):
        if entry["model"] == "dynamic" and entry["split"] in ("random", "time"):
            folds = {"random": "random folds", "time": "blocks of time"}[entry["split"]]
            where = {key: entry[key] for key in ("network", "source", "profile")}
            yield (
                entry,
                folds,
                {**where, "figure": "fig-forest", "n_runs": splits.FOLDS, "verified": _verified([content])},
            )


def _robust_model(read):
    """Errors of the robust model of `seisbook.models.robust` on unperturbed events, by network and kind of folds."""
    for name in NETWORKS:
        trials = read.study("robust", name)
        for split, folds in robust.SPLITS.items():
            yield (
                name,
                folds,
                robust.errors_of(trials, split=split),
                {"n_runs": splits.FOLDS, "verified": _verified(trials)},
            )


def _from_few_events(read, experts):
    """C1 with fewer events than it asks for: the whole recipe, tested on the external events of the variance study."""
    content = read.variance()
    for name, network in content["networks"].items():
        few, level = network["few"], experts[name].epicentre_km.high
        measured = f"median epicentral error (km), {few['n_train']} training events"
        estimate = few["value"], few["low"], few["high"]
        how = {"n_runs": few["n_runs"], "verified": _verified([content])}
        yield _claim("C1", name, measured, estimate, level, "fig-learning", **how)


def _magnitude(read):
    for entry, folds, shared in _ours(read):
        estimate = entry["magnitude"]["rmse"], *entry["magnitude"]["ci"]
        measured = f"magnitude RMSE, {folds}"
        yield _claim("C2", measured=measured, estimate=estimate, threshold=MAGNITUDE_RMSE, **shared)
    for name, folds, errors, how in _robust_model(read):
        measured, estimate = f"magnitude RMSE, {folds}, robust model", robust.rmse(errors.magnitude)
        yield _claim("C2", name, measured, estimate, MAGNITUDE_RMSE, "fig-arms", **how)
    yield from _real(read, "C2")


def _variance(read):
    content = read.variance()
    for name, network in content["networks"].items():
        for row in network["ratios"]:
            if (row["split"], row["statistic"]) == ("random", "mean") and row["quantity"] != "depth":
                measured = f"variance ratio of the {row['quantity']}, {row['recipe']} recipe"
                yield _judged("C3", name, measured, row, 1.0, "fig-ratios", row["n_runs"], _verified([content]))
    yield from _variance_robust(read)
    yield from _variance_fields(read)


def _variance_robust(read):
    """C3 of the robust model, by the same rule."""
    for name in NETWORKS:
        trials = read.study("variance-robust", name)
        for row in variance_robust.judged(variance_robust.ratios(trials)).to_dict("records"):
            measured = f"variance ratio of the {row['quantity']}, robust model"
            yield _judged("C3", name, measured, row, 1.0, "fig-ratios-robust", row["n_runs"], _verified(trials))


def _variance_fields(read):
    """C3 on measured fields, by the same rule."""
    study, region, source = fields_variance.STUDY, fields_variance.REGION, fields.WHERE[0]
    records = read.measured(study, region)
    row, measured = fields_variance.judged(records), "variance ratio of the peak velocity at hidden stations"
    yield _judged("C3", region, measured, row, 1.0, f"fig-{study}", row["n_runs"], _verified(records), source)


def _smoothing(read):
    for study, networks in smoothing.STUDIES.items():
        for name in networks:
            trials = read.study(study, name)
            for graph, row in smoothing.verdict(trials).iterrows():
                measured = f"error with all blocks relative to the last one, {graph} graph{smoothing.MODELS[study]}"
                row = {**row, "value": row.error_ratio}
                yield _judged("C4", name, measured, row, 1.0, f"fig-{study}", 2, _verified(trials))
    yield from _depth_fields(read)


def _depth_fields(read):
    """C4 on measured fields, by the same rule."""
    study, region, source = fields_depth.STUDY, fields_depth.REGION, fields.WHERE[0]
    records = read.measured(study, region)
    for graph, row in fields_depth.judged(records).iterrows():
        measured = f"error at hidden stations with all blocks relative to the last one, {graph} graph"
        yield _judged("C4", region, measured, row, 1.0, f"fig-{study}", 2, _verified(records), source)


def _filtering(read):
    yield from _robust(read, "C5", {"octave bands": robustness.NARROW_BANDS}, "fig-bands")
    yield from _informative(read, "C5", {"band_pass": "octave bands"})
    yield from _real(read, "C5")


def _shifts(read):
    axes = {"joint shifts": robustness.JOINT_SHIFTS, "clock errors": robustness.OWN_SHIFTS}
    yield from _robust(read, "C6", axes, "fig-shifts")
    yield from _informative(read, "C6", {"joint_shift": "joint shifts", "independent_shift": "clock errors"})
    yield from _real(read, "C6")


def _robust(read, name, axes, figure):
    """Growth of the error at the worst severity; see `seisbook.findings.robustness.stability`."""
    for network in NETWORKS:
        trials = read.study("robustness", network)
        for what, chosen in axes.items():
            row = robustness.stability(trials, "dynamic", chosen)
            measured = f"growth of the epicentral error, {what}, worst at {row['severity']:g}"
            yield _judged(name, network, measured, row, robustness.DOUBLED, figure, 1, _verified(trials))


def _informative(read, name, axes):
    """The same where the data hold an answer, of the paper's model and of the robust one."""
    for network in NETWORKS:
        ours, others = read.study("robust", network), read.study("robustness", network)
        known = read.study("informative", network)
        trials, chosen = robust.joined(ours, others), robust.informative(known)
        for axis, what in axes.items():
            for model in (robust.PAPER, robust.MAIN):
                row = robust.stable(trials, chosen, model, axis)
                where = f"informative {what}, {robust.TITLES[model]}, worst at {row['severity']:g}"
                measured, states = f"growth of the epicentral error, {where}", _verified([*ours, *others, *known])
                yield _judged(name, network, measured, row, robustness.DOUBLED, "fig-accuracy", 1, states)


def _real(read, name):
    """A claim on real seismograms, by the rules of `seisbook.studies.real`."""
    for network in (real.NETWORK, real.OUTSIDE):
        records = read.real(network)
        rows = real.verdicts(records, MAGNITUDE_RMSE) if network == real.NETWORK else real.outside_verdicts(records)
        for row in rows:
            if row["claim"] == name:
                shown = "fig-real-verdicts", row["n_runs"], _verified(records), real.SOURCE
                yield _judged(name, network, row["measured"], row, row["threshold"], *shown)


def _rare(read):
    """The paper's model, and the robust one by the same rule."""
    measured = "magnitude RMSE of the largest tenth, one in five left in training"
    for study, figure, model in (
        ("imbalance", "fig-imbalance", ""),
        ("imbalance-robust", "fig-imbalance-robust", ", robust model"),
    ):
        for name in NETWORKS:
            trials = read.study(study, name)
            row = imbalance.verdict(trials, MAGNITUDE_RMSE)
            shown = figure, row["n_runs"], _verified(trials)
            yield _judged("C7", name, measured + model, row, MAGNITUDE_RMSE, *shown)
    yield from _rare_fields(read)


def _rare_fields(read):
    """C7 on measured fields, by the two rules of its study."""
    study, region, source = fields_imbalance.STUDY, fields_imbalance.REGION, fields.WHERE[0]
    records = read.measured(study, region)
    for row in fields_imbalance.judged(records):
        shown = f"fig-{study}", row["n_runs"], _verified(records), source
        yield _judged("C7", region, fields_imbalance.SAID[row["rule"]], row, row["threshold"], *shown)


def _attention(read):
    content = read.attention()
    for row in attention_results.verdicts(content):
        figure = {"emphasis": "fig-agreement", "design": "fig-design"}[row["rule"]]
        yield _judged("C8", row["network"], row["measured"], row, 0.0, figure, 1, _verified([content]))
    for name in NETWORKS:
        trials = read.study("attention-robust", name)
        for row in attention_robust.verdicts(trials):
            if row["kind"] == "emergent":  # the claim speaks of no other
                shown = "fig-rests-on", len(trials), _verified(trials)
                yield _judged("C8", name, row["measured"], row, 0.0, *shown)
    yield from _attention_fields(read)


def _attention_fields(read):
    """C8 on measured fields: the stations' purpose, by design."""
    study, source = fields_attention.STUDY, fields.WHERE[0]
    for region in fields.REGIONS:
        records = read.measured(study, region)
        for row in fields_attention.judged(records):
            shown = f"fig-{study}", row["n_runs"], _verified(records), source
            yield _judged("C8", region, row["measured"], row, 0.0, *shown)


def _aligned(read):
    """C9 by corpus and question, on texts in full and without numbers and places."""
    for content, corpus, tower in _corpora(read):
        for row in corpus["verdicts"]:
            if row["masking"] != "numbers":
                texts, against = _texts(corpus, row["masking"]), CONTROLS.get(row["against"], row["against"])
                measured = f"{GAINS[row['question']]}, minus that of {against}, {texts}{tower}"
                figure = "fig-towers" if tower else ALIGNED[row["question"]]
                shown = figure, row["n_runs"], _verified([content]), corpus["source"]
                yield _judged("C9", corpus["network"], measured, row, 0, *shown)


def _corrected(read):
    """C10 by corpus and quantity, texts without numbers and places."""
    for content, corpus, tower in _corpora(read):
        for row in corpus["corrected"]:
            if row["masking"] == "places":
                texts, against = _texts(corpus, "places"), CONTROLS[row["against"]]
                measured = f"{row['quantity']} error corrected with text, relative to {against}, {texts}{tower}"
                figure = "fig-correction-robust" if tower else "fig-correction"
                shown = figure, splits.FOLDS, _verified([content]), corpus["source"]
                yield _judged("C10", corpus["network"], measured, row, 1, *shown)


def _corpora(read):
    """Corpora of the paper's model and of the robust one: the record, the corpus, and what tells the latter."""
    for content, tower in ((read.alignment(), ""), (read.alignment_robust(), ", robust model")):
        for corpus in content["corpora"].values():
            yield content, corpus, tower


def _texts(corpus, masking):
    """Which events and which texts a corpus consists of."""
    events = {"bulletin": "real events", "simulated": "the twin's events"}[corpus["source"]]
    return f"{events}, {corpus['kind']} texts {alignment_results.MASKED[masking]}"


def _verified(records) -> tuple[str, str]:
    """Commits at which the records that decide were last verified, and the worst of their states."""
    states = {record["state"] for record in records}
    worst = max(states, key=provenance.STATES.index)
    return ", ".join(sorted({record["commit"] for record in records})), worst


def _judged(name, network, measured, row, threshold, figure, n_runs, verified, source=WHERE[0]):
    """A claim with a rule of its own, whose verdict stands in `row` beside `value`, `low` and `high`."""
    estimate = row["value"], row["low"], row["high"]
    how = {"n_runs": n_runs, "verified": verified, "verdict": row["verdict"], "source": source}
    return _claim(name, network, measured, estimate, threshold, figure, **how)


def _claim(
    name,
    network,
    measured,
    estimate,
    threshold,
    figure,
    *,
    n_runs,
    verified,
    verdict=None,
    source=WHERE[0],
    profile=WHERE[1],
):
    """A claim; where no other rule has given the verdict, it is that on the estimate being below the threshold."""
    value, low, high = (float(number) for number in estimate)
    return Claim(
        id=name,
        statement=STATEMENTS[name],
        network=network,
        source=source,
        profile=profile,
        measured=measured,
        estimate=value,
        ci_low=low,
        ci_high=high,
        threshold=float(threshold),
        verdict=verdict or below(low, high, threshold),
        evidence={"chapter": FIGURES[figure].chapter, "figure": figure},
        n_runs=n_runs,
        commit=verified[0],
        state=verified[1],
    )


TESTS: dict[str, Callable[[_Records], Iterable[Claim]]] = {
    "C0": _fields,
    "C1": _near_experts,
    "C2": _magnitude,
    "C3": _variance,
    "C4": _smoothing,
    "C5": _filtering,
    "C6": _shifts,
    "C7": _rare,
    "C8": _attention,
    "C9": _aligned,
    "C10": _corrected,
}
