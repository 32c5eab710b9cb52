"""What the book found: a few plain sentences for its first page, all of which follow from the claims' verdicts."""

from seisbook.findings import real
from seisbook.findings.claims import NOT_RUN, VERDICTS

LOCATED = "median epicentral error (km), random folds"
SIZED = "magnitude RMSE, random folds"
ROBUST = ", robust model"
PLACES = {"colombia": "in Colombia", "ridgecrest": "at Ridgecrest"}


def answers(tested, say=str) -> str:
    """Answers as a list in MyST: a question, what most measurements say, and the numbers that matter most.

    Parameters
    ----------
    tested : list of Claim
        All claims, from `seisbook.findings.claims.claims`.
    say : callable
        Gets an English phrase, with fields for numbers, and returns it in the language of the page.

    Raises
    ------
    KeyError
        If a measurement that is quoted is not among them.
    """
    items = []
    for question, (names, quoted) in QUESTIONS.items():
        if chosen := [claim for claim in tested if claim.id in names and claim.verdict != NOT_RUN]:
            items.append(f"1. **{say(question)}** {said(chosen, say)} {quoted(chosen, say)}".rstrip())
    return "\n".join(items) + "\n"


def said(claims, say=str) -> str:
    """Sentence on what the measurements say, with how many say so."""
    number = {word: sum(claim.verdict == word for claim in claims) for word in VERDICTS}
    total = len(claims)
    counts = ", ".join(f"{n} {say(word)}" for word, n in number.items() if n)
    if number["supported"] == total:
        lead = say("Yes, by every measurement")
    elif number["supported"] > total / 2:
        lead = say("Mostly, yes")
    elif number["not supported"] > total / 2:
        lead = say("Mostly, no")
    elif number["inconclusive"] > total / 2:
        lead = say("Most measurements cannot decide")
    else:
        lead = say("In part")
    return say("{lead} ({total} measurements: {counts}).").format(lead=lead, total=total, counts=counts)


def _located(claims, say):
    """Epicentral errors of both models on random folds, with what they are held against."""
    parts = []
    for network, place in PLACES.items():
        ours, paper = (_found(claims, network, LOCATED + model) for model in (ROBUST, ""))
        sentence = say(
            "Half of the events {place} are located within {ours} km by the robust model, and within {paper} km by the "
            "paper's model; experts differ by up to {experts} km."
        )
        numbers = {"ours": ours.estimate, "paper": paper.estimate, "experts": ours.threshold}
        parts.append(sentence.format(place=say(place), **{key: f"{number:.2g}" for key, number in numbers.items()}))
    sentence = say(
        "These seismograms are rendered. On real ones of Iceland, the robust model locates half of the events within "
        "{displacement} km from displacement and within {counts} km from counts."
    )
    measured = {unit: f"{real.LOCATED}, {name}{ROBUST}" for unit, name in real.UNITS.items()}
    found = {unit: f"{_found(claims, real.NETWORK, text).estimate:.2g}" for unit, text in measured.items()}
    return " ".join([*parts, sentence.format(**found)])


def _sized(claims, say):
    """The robust model's magnitude error on random folds."""
    sizes = {name: f"{_found(claims, name, SIZED + ROBUST).estimate:.3g}" for name in PLACES}
    sentence = say(
        "The robust model's RMSE is {colombia} in Colombia and {ridgecrest} at Ridgecrest; "
        "the paper promises {promise}."
    )
    more = say("On real seismograms of Iceland it is {real}.")
    recorded = _found(claims, real.NETWORK, f"{real.SIZED}, {real.UNITS['displacement']}{ROBUST}")
    said = sentence.format(promise=f"{claims[0].threshold:g}", **sizes)
    return f"{said} {more.format(real=f'{recorded.estimate:.2g}')}"


def _found(claims, network, measured):
    return {(claim.network, claim.measured): claim for claim in claims}[network, measured]


def _worst(claims, say):
    """The largest growth of the error of each model, where the data still hold an answer."""
    fields = {}
    for key, model in (("paper", "paper's model"), ("ours", "robust model")):
        worst = max(_informative(claims, "rendered", model), key=lambda claim: claim.estimate)
        fields |= {key: f"{worst.estimate:.1f}", f"{key}_place": say(PLACES[worst.network])}
    sentence = say(
        "As long as the data hold an answer, the location error grows at worst by a factor of {paper} for the paper's "
        "model ({paper_place}), by a factor of {ours} for the robust model ({ours_place})."
    )
    recorded = max(claim.estimate for claim in _informative(claims, "real", "robust model"))
    more = say("On real seismograms of Iceland it grows at worst by a factor of {real}.")
    return f"{sentence.format(**fields)} {more.format(real=f'{recorded:.1f}')}"


def _informative(claims, signals, model):
    """Measurements of a model where the data still hold an answer, on signals of one kind."""
    return [
        claim
        for claim in claims
        if "informative" in claim.measured and model in claim.measured and claim.signals == signals
    ]


def _nothing(claims, say):
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
