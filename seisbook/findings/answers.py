"""What the book found: a few plain sentences for its first page, all of which follow from the claims' verdicts."""

from seisbook.findings.claims import NOT_RUN, VERDICTS

LOCATED = "median epicentral error (km), random folds"
SIZED = "magnitude RMSE, random folds"
ROBUST = ", robust model"
PLACES = {"colombia": "in Colombia", "ridgecrest": "at Ridgecrest"}


def answers(tested) -> str:
    """Answers as a list in MyST: a question, what most measurements say, and the numbers that matter most.

    Parameters
    ----------
    tested : list of Claim
        All claims, from `seisbook.findings.claims.claims`.

    Raises
    ------
    KeyError
        If a measurement that is quoted is not among them.
    """
    items = []
    for question, (names, quoted) in QUESTIONS.items():
        if chosen := [claim for claim in tested if claim.id in names and claim.verdict != NOT_RUN]:
            items.append(f"1. **{question}** {said(chosen)} {quoted(chosen)}".rstrip())
    return "\n".join(items) + "\n"


def said(claims) -> str:
    """Sentence on what the measurements say, with how many say so."""
    number = {word: sum(claim.verdict == word for claim in claims) for word in VERDICTS}
    total = len(claims)
    counts = f"{total} measurements: " + ", ".join(f"{n} {word}" for word, n in number.items() if n)
    if number["supported"] == total:
        lead = "Yes, by every measurement"
    elif number["supported"] > total / 2:
        lead = "Mostly, yes"
    elif number["not supported"] > total / 2:
        lead = "Mostly, no"
    elif number["inconclusive"] > total / 2:
        lead = "Most measurements cannot decide"
    else:
        lead = "In part"
    return f"{lead} ({counts})."


def _located(claims):
    """Epicentral errors of both models on random folds, with what they are held against."""
    parts = []
    for network, place in PLACES.items():
        ours, paper = (_found(claims, network, LOCATED + model) for model in (ROBUST, ""))
        parts.append(
            f"Half of the events {place} are located within {ours.estimate:.2g} km by the robust model, and within "
            f"{paper.estimate:.2g} km by the paper's model; experts differ by up to {ours.threshold:.2g} km."
        )
    return " ".join(parts)


def _sized(claims):
    """The robust model's magnitude error on random folds."""
    sizes = [f"{_found(claims, network, SIZED + ROBUST).estimate:.3g} {place}" for network, place in PLACES.items()]
    return f"The robust model's RMSE is {' and '.join(sizes)}; the paper promises {claims[0].threshold:g}."


def _found(claims, network, measured):
    return {(claim.network, claim.measured): claim for claim in claims}[network, measured]


def _worst(claims):
    """The largest growth of the error of each model, where the data still hold an answer."""
    parts = []
    for model in ("paper's model", "robust model"):
        informative = [claim for claim in claims if "informative" in claim.measured and model in claim.measured]
        worst = max(informative, key=lambda claim: claim.estimate)
        parts.append(f"by a factor of {worst.estimate:.1f} for the {model} ({PLACES[worst.network]})")
    return f"As long as the data hold an answer, the location error grows at worst {', '.join(parts)}."


def _nothing(claims):
    return ""


QUESTIONS = {
    "Are about a thousand events enough to locate as experts do?": (("C1",), _located),
    "Are they enough for magnitudes?": (("C2",), _sized),
    "Does it matter that the graph is rebuilt, and that all blocks are kept?": (("C3", "C4"), _nothing),
    "Is the model stable under narrow bands, shifted times and rare large events?": (("C5", "C6", "C7"), _worst),
    "Does the aggregation attend to the stations that an analyst would pick?": (("C8",), _nothing),
    "Do events and their bulletins share a space?": (("C9",), _nothing),
    "Does text correct bias?": (("C10",), _nothing),
    "Can a field be filled in between sensors as well as by today's method?": (("C0",), _nothing),
}
"""Question, the claims that answer it, and what is quoted of them."""
