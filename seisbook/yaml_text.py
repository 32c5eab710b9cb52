"""YAML that people write, read within bounds: each key once, no deep nesting, no aliases that unfold into millions."""

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DEEPEST = 20  # levels: a network has 4
LARGEST = 1_000_000  # values, aliases unfolded: ten thousand stations have 200,000
OPENING = yaml.SequenceStartEvent, yaml.MappingStartEvent
CLOSING = yaml.SequenceEndEvent, yaml.MappingEndEvent
LONGEST = 200  # characters of a message


def parse(text: str):
    """Plain values of a YAML document: dictionaries, lists, text, numbers, dates.

    Raises
    ------
    ValueError
        If the text is not YAML, a key occurs twice in one mapping, or the document is too deep or too large. The
        message is one line.
    """
    try:
        _check_depth(text)
        document = yaml.compose(text, Loader=LOADER)
        if document is not None and _unfolded(document, {}) > LARGEST:
            raise yaml.YAMLError(f"its aliases unfold into more than {LARGEST} values: write the values out")
        return yaml.load(text, LOADER)
    except RecursionError:
        raise ValueError("an alias refers to what holds it: write the values out") from None
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())[:LONGEST]) from None
    except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:  # PyYAML's constructors
        reason = " ".join(str(error).split())[:LONGEST]
        raise ValueError(f"a value is no date and no number, though it is written like one: {reason}") from None


def _check_depth(text):
    """Refuse a deep or a long document before anything is built of it; libyaml itself slows down with the depth."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=LOADER)):
        depth += isinstance(event, OPENING) - isinstance(event, CLOSING)
        if depth > DEEPEST:
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: more than {DEEPEST} levels of nesting")
        if number > LARGEST:
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: more than {LARGEST} values")


def _unfolded(node, known):
    """Number of values at and below a node, with aliases unfolded; `known` holds those that were counted already."""
    if id(node) not in known:
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            children = [child for pair in node.value for child in pair]
        else:
            children = node.value if isinstance(node, yaml.SequenceNode) else []
        known[id(node)] = 1 + sum(_unfolded(child, known) for child in children)
    return known[id(node)]


def _check_keys(mapping):
    """Refuse a key that is given twice: PyYAML would silently take the last."""
    seen = set()
    for key in (key for key, _ in mapping.value if isinstance(key, yaml.ScalarNode)):
        if (key.tag, key.value) in seen:
            raise yaml.YAMLError(f"line {key.start_mark.line + 1}: key '{key.value[:60]}' is given twice: delete one")
        seen.add((key.tag, key.value))
