"""The alignment study: claims C9 and C10 on a common space of events and reports, with controls.

The controls are simpler methods that could explain the same results.

The vector of an *event* holds the principal components of the model's multi-scale embedding and the model's estimates
of hypocentre and magnitude. This model, the *event tower*, is trained on the network's simulated twin alone. No real
event and no simulated test event takes part in its training. The *texts* are described in `seisbook.datasets.reports`.
They are `observed` for the Colombian bulletin (February 2018, and Puerto Gaitan 1997 to 2015) and `templated` for
Ridgecrest's bulletin and both twins. All numbers are out of fold: the projections that judge an event were not trained
on it.

The rules were written before the study was run.

- C9, retrieval: supported if events find their own text among the first five more often than with two controls. The
  control *popularity* ranks texts by their number in the training set. The other control is projections trained on
  shuffled texts. The 95 % intervals over events of both paired differences must lie above zero.
- C9, zero-shot classification of unseen events: supported if the balanced accuracy of the prompts is above that of each
  control: a majority vote, a classifier trained on metadata alone (hour, weekday, number of stations), shuffled texts.
- C9, withheld classes: the training set has no text of the class. Supported if the area under the ROC curve (of the
  class's prompt against the best other prompt), averaged over the classes, is above one half and above the area with
  shuffled texts.
- C10: a correction of the model's residuals is learnt from the estimates *and* the text without numbers and places.
  Supported if its absolute errors out of fold are smaller than those of two other corrections: one learnt from the
  estimates alone, and one learnt from the estimates and shuffled texts. The ratios of the mean errors must have 95 %
  intervals below one.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seisbook import provenance
from seisbook.catalogues import bulletins, networks, sources
from seisbook.datasets import reports
from seisbook.datasets.library import load_events
from seisbook.measures import evaluation, splits
from seisbook.measures.retrieval import JUDGED
from seisbook.models import alignment
from seisbook.models.alignment import Aligner, AlignmentConfig
from seisbook.models.graph import GraphModel
from seisbook.models.training import Locator
from seisbook.studies import recipes, runner, runs
from seisbook.studies.arms import FEWEST_OF_CLASS, PLAIN
from seisbook.studies.fold import SEED, SIMULATED
from seisbook.studies.pretraining import pretrain, pretrained

SEEDS = {"quick": 1, "paper": 2}
COMPONENTS = 16  # of the embedding; chosen on the Colombian twin, like all values of `AlignmentConfig`
WITHHELD = {"quick": 2, "paper": None}  # number of classes that are withheld, one at a time; None: all
PAIRED = (0.1, 0.3)  # shares of the training events whose text is known
OLDER = "colombia/rsnc-puerto-gaitan-1997-2015.out"
RARE = {("colombia", "bulletin"): ("volcanic", "quarry_blast"), ("ridgecrest", "simulated"): ("volcanic",)}
CONTROLS = ("popularity", "metadata", "text", "supervised")  # arms in which nothing is aligned


# --------------------------------------------------------------------------------------------------------------- trials


def trials(network, source, profile) -> list[dict]:
    """The aligned model and its controls on each masking, ablations, partial pairing, withheld regions and classes."""
    common = {"network": network, "source": source, "profile": profile}
    settings = [{"masking": masking, "seed": seed} for masking in reports.MASKS for seed in range(SEEDS[profile])]
    settings += [
        {"masking": masking, "arm": arm} for masking in reports.MASKS for arm in ("shuffled", "popularity", "text")
    ]
    settings += [{"arm": arm} for arm in ("metadata", "supervised")]
    settings += [{"arm": arm} for arm in ("single positive", "random words", "embedding", "estimates", "untrained")]
    settings += [{"paired": share, "transport": transport} for share in PAIRED for transport in (False, True)]
    if (network, source) != ("ridgecrest", "bulletin"):  # its events are all near the same few towns
        settings += [{"split": "region", "arm": arm} for arm in ("aligned", "shuffled", "popularity")]
    withheld = _class_names(network, source)[: WITHHELD[profile]]
    settings += [{"withheld": name, "masking": masking} for name in withheld for masking in ("none", "places")]
    settings += [{"withheld": name, "arm": "shuffled"} for name in withheld]
    residuals = [{"part": "residuals", "fold": fold} for fold in range(splits.FOLDS)]
    rows = [{**common, **PLAIN, **trial} for trial in settings]
    return rows + ([{**common, **trial} for trial in residuals] if source == "bulletin" and profile == "paper" else [])


def _class_names(network, source):
    """Classes with a prompt and enough events.

    The list is empty for Ridgecrest's bulletin, whose events are all of one class.
    """
    if (network, source) == ("ridgecrest", "bulletin"):
        return []
    return [name for name in reports.PROMPTS[network] if name not in RARE.get((network, source), ())]


def run(trials) -> list[dict]:
    """Results of the trials: projections are fitted to each fold's training events and judged on its test events."""
    return [
        _located(**_without(trial, "part", "source")) if trial["part"] == "residuals" else _judged(trial)
        for trial in trials
    ]


def _without(trial, *names):
    return {key: value for key, value in trial.items() if key not in names}


def _located(network, profile, fold):
    """Estimates for the test events of one fold of the bulletin, by the whole recipe trained on the other folds."""
    twin, card = pretrained(network, "dynamic", profile)
    events = load_events(networks.load(network), "bulletin", None, 0, False)
    train, test = splits.folds(events.source_id, events.origin_time, "random")[fold]
    training = recipes.PROFILES[profile].training
    training = replace(training, learning_rate=card.training.learning_rate / 2)
    locator = Locator("dynamic", twin.config, training, fold, start_from=twin).fit(events.select(train), progress=False)
    estimates = evaluation.estimates(locator.predict(events, test))
    return {"source_id": events.source_id[test].tolist(), "estimates": np.round(estimates, 4).tolist()}


def config(trial) -> dict:
    """Configuration of a trial: of the alignment, or of the training if the trial is of the residuals."""
    if trial["part"] == "residuals":
        return {"recipe": recipes.PROFILES[trial["profile"]]}
    return {"alignment": AlignmentConfig(), "components": COMPONENTS}


def prepare(network, source, profile):
    """Train the event tower on the twin and read the events, before the workers start."""
    pretrain(network, "dynamic", profile, False)
    corpus(network, source, profile)


def summary(result) -> dict[str, float]:
    """Numbers that a second run must reproduce: recall at five, accuracy of the prompts, and median estimates."""
    numbers = {}
    if result.get("rank"):
        numbers["recall at 5"] = float(np.mean([rank is not None and rank <= JUDGED for rank in result["rank"]]))
    if result.get("predicted"):
        numbers["accuracy"] = float(np.mean(np.array(result["predicted"]) == np.array(result["truth"])))
    if "estimates" in result:
        numbers["median estimates"] = float(np.nanmedian(np.abs(np.array(result["estimates"], float))))
    return numbers


STUDY = runner.Study("alignment", trials, run, config, prepare, summary=summary)


# --------------------------------------------------------------------------------------------------------------- corpus


@dataclass(frozen=True)
class Corpus:
    """Events with their texts.

    Parameters
    ----------
    source_id : ndarray of str, shape (events,)
    origin_time : ndarray of datetime64, shape (events,)
    kind : {"observed", "templated"}
        Kind of the texts.
    texts, classes : ndarray of str, shape (events,)
    labels, estimates : ndarray, shape (events, 4)
        East, north, depth in km and magnitude: from the catalogue, and as the event tower estimates them.
    embedding, untrained : ndarray, shape (events, f)
        Embedding by the event tower, and by the same model with random weights.
    metadata : ndarray, shape (events, 4)
        Sine and cosine of the hour, weekday, and number of stations.
    region : ndarray of str, shape (events,)
        Nearest town.
    """

    source_id: np.ndarray
    origin_time: np.ndarray
    kind: str
    texts: np.ndarray
    classes: np.ndarray
    labels: np.ndarray
    estimates: np.ndarray
    embedding: np.ndarray
    untrained: np.ndarray
    metadata: np.ndarray
    region: np.ndarray

    @property
    def names(self) -> list[str]:
        """Classes with enough events to be classified, in the order of `seisbook.datasets.reports.CLASSES`."""
        frequent = [name for name in reports.CLASSES if (self.classes == name).sum() >= FEWEST_OF_CLASS]
        return frequent if len(frequent) > 1 else []


@provenance.remember
def corpus(network, source, profile="paper") -> Corpus:
    """The events of a network's source that have a text, with the twin model's embeddings and estimates.

    Raises
    ------
    UserError
        If the source is the bulletin and its data are not available.
    """
    model, card = pretrained(network, "dynamic", profile)
    place = networks.load(network)
    catalogue, parts = _events_of(place, source, profile)
    classes = reports.event_classes(catalogue, place)
    observed = (catalogue.events.source_text_kind == "observed").any()
    texts = catalogue.events.source_text if observed else reports.templated(catalogue.events, classes, place)
    torch.manual_seed(0)
    untrained = GraphModel(card.config)
    rows = []
    for events in parts:
        seen = runs.as_locator(model, card).predict(events)
        blank = runs.as_locator(untrained, card).predict(events)
        rows.append((events, evaluation.estimates(seen), seen.embedding.numpy(), blank.embedding.numpy()))
    ids, times = (np.concatenate([getattr(part[0], key) for part in rows]) for key in ("source_id", "origin_time"))
    stations = np.concatenate([np.diff(part[0].start) for part in rows])
    hour = pd.DatetimeIndex(times).hour + pd.DatetimeIndex(times).minute / 60
    metadata = [np.sin(np.pi * hour / 12), np.cos(np.pi * hour / 12), pd.DatetimeIndex(times).day_of_week, stations]
    has = np.flatnonzero(texts.loc[ids] != "")
    has = has[np.argsort(ids[has])]
    towns = pd.Series(reports.nearest_town(catalogue.events, place), catalogue.events.index)
    return Corpus(
        ids[has],
        times[has],
        "observed" if observed else "templated",
        *(part.loc[ids[has]].to_numpy(str) for part in (texts, classes)),
        np.concatenate([part[0].y.numpy() for part in rows])[has],
        *(np.concatenate([part[i] for part in rows])[has] for i in (1, 2, 3)),
        np.column_stack(metadata)[has],
        towns.loc[ids[has]].to_numpy(str),
    )


def _events_of(network, source, profile):
    """Catalogue and sets of events of a source; the Colombian bulletin has two files, so it gives two sets."""
    if source == "simulated":
        from seisbook.datasets import build  # imported here, so that computing keys does not load ObsPy

        size = SIMULATED[profile]
        return build.read(network, source, size, SEED), [load_events(network, source, size, SEED, False)]
    parts = [load_events(network, source, None, 0, False)]
    if network.name != "colombia":
        return bulletins.read_bulletin(network), parts
    older = load_events(network, source, None, 0, False, [sources.fetch(OLDER)])
    return bulletins.read_bulletin(network, "all"), [*parts, older]


# ----------------------------------------------------------------------------------------------------------- one trial


@dataclass
class _Judgement:
    """Results of a trial for all events; each fold fills in its test events."""

    rank: np.ndarray
    seen: np.ndarray
    predicted: np.ndarray
    margin: np.ndarray
    text_rank: list
    gallery: list
    gap: list
    centred: np.ndarray


def _judged(trial):
    """Result of one trial, over all folds."""
    given = corpus(trial["network"], trial["source"], trial["profile"])
    texts = np.array(reports.mask(given.texts, trial["masking"], given.kind))
    n = len(texts)
    judgement = _Judgement(
        np.full(n, np.nan), np.zeros(n, bool), np.full(n, -1), np.full(n, np.nan), [], [], [], np.full(n, np.nan)
    )
    for train, test in _split(given, trial["split"]):
        judgement.seen[test] = np.isin(texts[test], texts[train])
        (_control if trial["arm"] in CONTROLS else _fold)(trial, given, texts, train, test, judgement)
    names = given.names
    result = {
        "classes": names,
        "truth": [names.index(event_class) if event_class in names else -1 for event_class in given.classes],
    }
    result |= {
        "n_texts": len(np.unique(texts)),
        "gallery": judgement.gallery,
        "gap": np.round(judgement.gap, 3).tolist(),
    }
    for name in ("rank", "centred", "margin"):
        values = getattr(judgement, name)
        result[name] = None if np.isnan(values).all() else [None if np.isnan(v) else round(float(v), 3) for v in values]
    result |= {"text_rank": judgement.text_rank, "seen": judgement.seen.astype(int).tolist()}
    return {**result, "predicted": judgement.predicted.tolist() if (judgement.predicted >= 0).any() else None}


def _split(given, split):
    if split == "region":
        return list(GroupKFold(splits.FOLDS).split(given.texts, groups=given.region))
    return splits.folds(given.source_id, given.origin_time, "random")


def _fold(trial, given, texts, train, test, found):
    """Fit the projections to the training events of a fold, and judge its test events."""
    if trial["withheld"]:
        train = train[given.classes[train] != trial["withheld"]]
    encoder = alignment.RANDOM_WORDS if trial["arm"] == "random words" else "wordllama"
    events = vectors_of(given, trial["arm"], train)
    aligner, said = aligned(trial, events[train], texts[train], encoder)
    placed = aligner.embed_events(events[test])
    gallery, of_text = np.unique(texts[test], return_inverse=True)
    answers = aligner.embed_texts(alignment.encode(gallery.tolist(), encoder))
    correct = of_text[:, None] == np.arange(len(gallery))
    found.gallery.append(len(gallery))
    if len(gallery) > 1:
        found.rank[test] = alignment.ranks(placed @ answers.T, correct)
        found.text_rank += alignment.ranks(answers @ placed.T, correct.T).tolist()
        of_training = [aligner.embed_events(events[train]).mean(0), aligner.embed_texts(said).mean(0)]
        moved = [
            alignment.centred(embedded, mean) for embedded, mean in zip((placed, answers), of_training, strict=True)
        ]
        found.centred[test] = alignment.ranks(moved[0] @ moved[1].T, correct)
        found.gap.append([alignment.modality_gap(placed, answers), alignment.modality_gap(*moved)])
    if given.names:
        prompts = reports.PROMPTS[trial["network"]]
        vectors = [aligner.embed_texts(alignment.encode(list(prompts[name]), encoder)) for name in given.names]
        _scored(trial, given.names, alignment.class_scores(placed, vectors), test, found)


def _scored(trial, names, scores, test, found):
    found.predicted[test] = scores.argmax(1)
    if trial["withheld"]:
        own = names.index(trial["withheld"])
        found.margin[test] = scores[:, own] - np.delete(scores, own, 1).max(1)


def vectors_of(given, arm, train):
    """Event vectors of an arm; the principal components are computed from the training events."""
    if arm == "estimates":
        return given.estimates
    embedding = given.untrained if arm == "untrained" else given.embedding
    reduce = make_pipeline(StandardScaler(), PCA(min(COMPONENTS, len(train) - 1), whiten=True, random_state=0))
    embedding = reduce.fit(embedding[train]).transform(embedding)
    return embedding if arm in ("embedding", "untrained") else np.hstack([embedding, given.estimates])


def aligned(trial, events, texts, encoder):
    """An aligner fitted to these events and texts, and the vectors of the distinct texts."""
    rng = np.random.default_rng([trial["seed"], len(events)])
    if trial["arm"] == "shuffled":
        texts = rng.permutation(texts)
    distinct, text_of = np.unique(texts, return_inverse=True)
    said = alignment.encode(distinct.tolist(), encoder)
    known, pool = _paired(text_of, trial["paired"], rng)
    config = AlignmentConfig(multi_positive=trial["arm"] != "single positive", transport=trial["transport"])
    pool = pool if trial["transport"] else ()
    return Aligner(config, trial["seed"]).fit(events, said, known, pool), said


def _paired(text_of, share, rng):
    """Number of each event's text, -1 where the text is hidden; and the numbers of the hidden texts in random order."""
    order = rng.permutation(len(text_of))
    hidden = order[max(2, round(share * len(order))) :]
    known = text_of.copy()
    known[hidden] = -1
    return known, rng.permutation(text_of[hidden])


def _control(trial, given, texts, train, test, found):
    """Judge a control, in which nothing is aligned.

    The controls are the popularity of texts, and classifiers of the metadata, of the texts and of the event vectors.
    """
    if trial["arm"] == "popularity":
        gallery, of_text = np.unique(texts[test], return_inverse=True)
        said = pd.Series(texts[train]).value_counts().reindex(gallery, fill_value=0).to_numpy()
        found.gallery.append(len(gallery))
        found.rank[test] = alignment.ranks(np.tile(said, (len(test), 1)), of_text[:, None] == np.arange(len(gallery)))
    elif given.names:
        found.predicted[test] = _controlled(trial, given, texts, train, test)


def _controlled(trial, given, texts, train, test):
    if trial["arm"] == "text":
        prompts = [alignment.encode(list(reports.PROMPTS[trial["network"]][name])) for name in given.names]
        return alignment.class_scores(alignment.encode(texts[test].tolist()), prompts).argmax(1)
    train = train[np.isin(given.classes[train], given.names)]
    if trial["arm"] == "metadata":
        model, values = RandomForestClassifier(200, class_weight="balanced", random_state=0), given.metadata
    else:
        model = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=2000))
        values = vectors_of(given, "aligned", train)
    said = model.fit(values[train], given.classes[train]).predict(values[test])
    return [given.names.index(event_class) for event_class in said]
