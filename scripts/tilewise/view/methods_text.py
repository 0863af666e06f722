"""A methods text ready for a paper, and the sources that it cites."""

import re
from collections.abc import Iterable, Mapping, Sequence
from math import prod
from typing import Any, NamedTuple

from tilewise.unit_words import described
from tilewise.view import bibliography
from tilewise.view.references import (
    CLEANUP,
    FILTERS,
    MEASURES,
    METRICS,
    SKELETONS,
    THRESHOLDS,
    Named,
)

Facts = Mapping[str, Any]

NAMED = re.compile(r"[\w-]+: ")
"""Begins the line of a method."""
SCOPES = {
    "tile": "of each tile",
    "plane": "of each plane",
    "sample": "of each sample",
    "calibrated": "of the annotated tiles, the same for all samples",
}
ESTIMATES = {
    "fixed": "",
    "held out": ", on units that had no part in {done}",
    "resubstitution": ", on the units that were used in {done}, which makes it too high",
}
"""What a score is of, by its kind."""
UNSCOPED = ("manual", "external", "command")
"""Thresholds that are found on no pixels."""
LIBRARIES = {
    "numpy": Named("NumPy", ("harris2020",)),
    "opencv-python-headless": Named("OpenCV", ("bradski2000",)),
    "scipy": Named("SciPy", ("virtanen2020",)),
    "scikit-image": Named("scikit-image", ("vanderwalt2014",)),
    "zarr": Named("Zarr"),
    "onnxruntime": Named("ONNX Runtime"),
}
"""Libraries that are named with their version, by the name of their package."""


class Text(NamedTuple):
    """A methods text, twice, and its sources.

    `plain` has authors and years, and a list of references at its end; `markdown` has keys, as
    Pandoc and Quarto understand them, and `bibtex` an entry of each, in the order of the alphabet.
    Headings and paragraphs have an empty line between them. What only the authors know stands in
    brackets, to be filled in.
    """

    plain: str
    markdown: str
    bibtex: str


def write(facts: Facts, decision: Mapping[str, Any] | None, versions: Mapping[str, str]) -> Text:
    """The text of a study.

    Parameters
    ----------
    facts : dict
        As from `methods_facts.facts`.
    decision : dict or None
        The content of `decision.json`; None where nothing is annotated.
    versions : dict of str to str
        Of Python and of libraries, by the names of their packages, as in `provenance.json`.
    """
    sections = {
        "Images": [_images(facts)],
        "Ground truth": [_truth(facts)],
        "Segmentation": _segmentation(facts),
        "Validation": [_validation(facts)],
        "Statistics": [_statistics(facts, decision)],
        "Selection of a method": [_selection(facts, decision)],
        "Fraction of foreground": [_fraction(facts)],
        "Software": [_software(facts, versions)],
    }
    known = {title: list(filter(None, own)) for title, own in sections.items()}
    keys = bibliography.cited(" ".join(line for own in known.values() for line in own))
    references = {"References": list(map(bibliography.reference, keys))}
    plain = [line for title, own in (known | references).items() if own for line in (title, *own)]
    markdown = [
        line for title, own in known.items() if own for line in (f"## {title}", *_items(own))
    ]
    return Text(
        "\n\n".join(map(bibliography.with_names, plain)),
        "\n\n".join(markdown),
        bibliography.bibtex(keys),
    )


def _items(lines: Sequence[str]) -> list[str]:
    """Paragraphs of Markdown; those that begin with a name are items of a list."""
    return [f"- {line}" if NAMED.match(line) else line for line in lines]


def citations(facts: Facts) -> dict[str, list[str]]:
    """Keys of the sources of each method, by its name: of its filters and thresholds."""
    known = FILTERS | MEASURES | THRESHOLDS
    return {
        method["name"]: list(
            dict.fromkeys(
                key for name in method["uses"] if name in known for key in _sources(name, method)
            )
        )
        for method in facts["methods"]
    }


def _sources(name: str, method: Facts) -> tuple[str, ...]:
    """Keys of a filter, a measure or a threshold; of the ridge filter, its measure has them."""
    is_measured = name == "ridge" and set(MEASURES) & set(method["uses"])
    if is_measured:
        return ()
    return (FILTERS | MEASURES | THRESHOLDS)[name].keys


def _grey(facts: Facts) -> str:
    """What the grey image is of images of several channels."""
    words = ["the luma" if name == "luma" else f"channel {name}" for name in facts["channels"]]
    return " or ".join(words)


def _images(facts: Facts) -> str:
    small, large = (f"{rows} x {columns}" for rows, columns in facts["sizes"])
    size = small if small == large else f"{small} to {large}"
    samples, planes = facts["samples"], facts["planes"]
    held = f" with {_number(planes, 'plane')} in all" if planes != samples else ""
    described = facts["description"]
    sentences = [
        f"{described.rstrip('.')}."
        if described
        else "[State what was imaged, how, and with what.]",
        f"We analysed {_number(samples, 'sample')}{held} "
        f"({size} pixels, {_join(facts['dtypes'])}).",
    ]
    if facts["colored"]:
        whose = "All" if facts["colored"] == samples else f"{facts['colored']}"
        sentences.append(f"{whose} of them are in colour.")
    if facts["channels"]:
        sentences.append(f"Methods that name no channel were given {_grey(facts)}.")
    if facts["groups"]:
        sentences.append(f"Samples belong to {_number(facts['groups'], 'group')}.")
    if facts["pixel_size"]:
        *depth, height, width = facts["pixel_size"]
        sides = [height, width] if not depth or depth[0] is None else [*depth, height, width]
        sentences.append(f"Pixels measure {' x '.join(f'{side:g}' for side in sides)} micrometres.")
    else:
        differ = ", which differs between samples" if facts["pixel_sizes"] else ""
        sentences.append(f"[State the size of a pixel{differ}.]")
    if facts["rois"]:
        sentences.append(
            f"In {_of_all(facts['rois'], samples, 'sample')}, only pixels within a region of "
            "interest were segmented and counted."
        )
    side = facts["tile"]
    tiles = (
        "with each plane as one tile"
        if facts["tiles"] == planes
        else f"as {_number(facts['tiles'], 'tile')} of about {side} x {side} pixels"
    )
    sentences.append(
        f"Images were processed {tiles}, and stored as OME-Zarr [@moore2021; @moore2023]."
    )
    return " ".join(sentences)


def _truth(facts: Facts) -> str:
    if not facts["annotated"]:
        return "No ground truth was available."
    tiles = _of_all(facts["annotated_tiles"], facts["tiles"], "tile")
    where = _of_all(facts["annotated"], facts["samples"], "sample")
    sentences = [
        f"Foreground was annotated in {tiles}, in {where}; pixels that are not annotated were not "
        "scored.",
        "[State who annotated, by which instructions, and what they had seen before.]",
    ]
    if facts["annotators"] > 1:
        rule = (
            "by STAPLE [@warfield2004]"
            if facts["truth"]["consensus"] == "staple"
            else "by majority"
        )
        agreement = "Cohen's kappa [@cohen1960]"
        if facts["annotators"] > 2:
            agreement += " and Fleiss' kappa [@fleiss1971]"
        sentences.append(
            f"The annotations of up to {facts['annotators']} annotators of a sample were combined "
            f"{rule}; their agreement was measured by {agreement}."
        )
    if facts["has_pi"]:
        sentences.append(
            "Tiles were drawn with known probabilities, and each counts for as many tiles as it "
            "stands for."
        )
    elif facts["sampling"] == "random":
        sentences.append("Annotated tiles were drawn at random.")
    if facts["exclude"]:
        flags = _join([flag.replace("_", " ") for flag in facts["exclude"]])
        source = " [@pechpacheco2000]" if "blurred" in facts["exclude"] else ""
        sentences.append(f"Tiles that were flagged as {flags}{source} were left out of all scores.")
    return " ".join(sentences)


def _segmentation(facts: Facts) -> list[str]:
    """A line for all methods, one for each, and what holds for several."""
    methods = facts["methods"]
    if len(methods) == 1:
        opening = "One method was used."
    else:
        verb = "were compared" if facts["annotated"] else "were used"
        opening = f"{len(methods)} methods {verb}."
    lines = [opening, *(_method(method, facts) for method in methods)]
    guards = {method["fallback"] for method in methods} - {""}
    doubtful = "Tiles without two clear classes of grey levels, by Otsu's split [@otsu1979], were"
    if guards == {"empty"}:
        lines.append(f"{doubtful} left empty.")
    # a sample of a single tile has no other grey levels
    elif guards and facts["tiles"] > facts["samples"]:
        lines.append(f"{doubtful} decided on by the grey levels of their whole sample.")
    return lines


def _method(method: Facts, facts: Facts) -> str:
    """How one method segments, in one or two sentences."""
    name, settings = method["threshold"]
    how = _phrase(_named(THRESHOLDS, name or "a threshold"), _settings(settings))
    if method["scope"] == "calibrated":
        how += f", {SCOPES['calibrated']}"
    elif method["scope"] and method["is_local"] is False and name not in UNSCOPED:
        how += f" {SCOPES[method['scope']]}"
    if method["foreground"] == "dark":
        how += ", with foreground where the image is darker"
    steps = [_phrase(_filter(*step), _settings(step[1])) for step in method["filter"]]
    filtered = f"{_join(steps)}, then " if steps else ""
    cleaned = [_phrase(_named(CLEANUP, step), _settings(own)) for step, own in method["cleanup"]]
    cleanup = f", then {_join(cleaned)}" if cleaned else ""
    only = method["samples"] < facts["samples"]
    where = f", for {_of_all(method['samples'], facts['samples'], 'sample')}" if only else ""
    return f"{method['name']}: {filtered}{how}{cleanup}{where}.{_tuning(method, facts)}"


def _tuning(method: Facts, facts: Facts) -> str:
    """How parameters were chosen, and which; begins with a space, and is empty without any."""
    sentence, grid = "", method["grid"]
    metric = _abbreviated(facts["decision"]["metric"])
    sets = prod(map(len, grid.values()))
    if sets > 1:
        known = method["chosen"]
        if len(grid) == 1:
            ((key, values),) = grid.items()
            which = f"Of the values {_join(map(_value, values))} of {key}"
            chosen = [_value(value) for value in known.values()]
        else:
            tried = "; ".join(
                f"{key} = {_join(map(_value, own), 'or')}" for key, own in grid.items()
            )
            which = f"Of {sets} sets of parameters ({tried})"
            chosen = [f"{key} = {_value(value)}" for key, value in known.items()]
        if chosen:
            had = f"{_join(chosen)} had the highest {metric} on all annotated tiles"
        else:
            had = f"that with the highest {metric} on annotated tiles is used"
        sentence += f" {which}, {had}."
    if method["calibrated"]:
        # hues have two: the ends of an arc
        levels = [_value(float(level)) for level in method["calibrated"].split(";")]
        subject = "They are" if len(levels) > 1 else "It is"
        sentence += f" {subject} {_join(levels)}, by all annotated tiles."
    return sentence


def _filter(name: str, settings: Mapping[str, Any]) -> Named:
    """A filter, by its measure if it has several."""
    if name == "ridge" and settings.get("measure") in MEASURES:
        return Named(FILTERS[name].phrase, MEASURES[settings["measure"]].keys)
    return _named(FILTERS, name)


def _named(known: Mapping[str, Named], name: str) -> Named:
    """A name in prose; what is new here goes by the name that the configuration uses."""
    return known.get(name, Named(name))


def _validation(facts: Facts) -> str:
    if not facts["annotated"]:
        return ""
    validate, used = facts["validate"], facts["metrics"]
    first = facts["decision"]["metric"]
    others = [_phrase(_named(METRICS, name)) for name in used if name != first]
    sentences = [
        "Masks were compared with the truth. Methods were ranked by "
        f"{_phrase(_named(METRICS, first))}; also computed were {_join(others)}. The choice of "
        "metrics follows Metrics Reloaded [@maierhein2024]."
    ]
    of_structure = {"cldice", "nsd", "hd95", "assd", "object_f1"} & set(used)
    if of_structure:
        extent = {"tile": "tiles", "plane": "whole planes", "sample": "whole samples, in 3-D"}
        sentences.append(f"Structure was compared within {extent[validate['extent']]}.")
    if "cldice" in used:
        key = SKELETONS["volume" if validate["extent"] == "sample" else "plane"]
        sentences.append(f"Centrelines were found by thinning [@{key}].")
    if "nsd" in used:
        unit = validate["unit"] + ("" if validate["tolerance"] == 1 else "s")
        sentences.append(f"Surfaces up to {validate['tolerance']:g} {unit} apart counted as equal.")
    if "object_f1" in used:
        objects = validate["objects"]
        criterion = {
            "iou": f"if their intersection over union was above {objects['threshold']:g}",
            "overlap": f"if more than {objects['threshold']:g} of the true object was covered",
            "any": "if they shared a pixel",
        }
        sentences.append(f"Objects matched {criterion[objects['criterion']]}.")
    return " ".join(sentences)


def _statistics(facts: Facts, decision: Mapping[str, Any] | None) -> str:
    if not decision:
        return ""
    rules, units = facts["decision"], decision["units"]
    confidence = f"{100 * rules['confidence']:g}%"
    pooled = rules["average"] == "micro"
    how = "the pooled counts of all units" if pooled else "means over the scores of all units"
    sentences = [f"Scores are from {how}: {described(units)}."]
    is_tuned = any(
        method["grid"] or method["is_learned"] or method["scope"] == "calibrated"
        for method in facts["methods"]
    )
    if is_tuned:
        sentences.append(
            "Parameters, thresholds and models that annotated tiles gave were scored by "
            f"cross-validation of at most {rules['folds']} folds, on units that had no part in "
            "them."
        )
    if units["independent"] < rules["min_units"]:
        sentences.append(
            f"With fewer than {rules['min_units']} independent units, neither confidence intervals "
            "nor tests were computed."
        )
        return " ".join(sentences)
    sentences.append(
        f"Intervals ({confidence}) are by the bootstrap-t over units with {rules['resamples']} "
        "resamples [@efron1993], and no narrower than Student's."
    )
    if is_tuned:
        sentences.append(
            "Those of cross-validated scores are Student's with a variance corrected for shared "
            "training units [@nadeau2003]."
        )
    if facts["ranked"] > 1:
        test = (
            "Wilcoxon's signed ranks [@wilcoxon1945]"
            if rules["test"] == "wilcoxon"
            else "the same bootstrap"
        )
        sentences.append(
            "Methods that cannot be told apart from the best one were found by a one-sided test "
            "that swaps the results of methods within units. P values of pairs of methods are by "
            f"{test}, two-sided, and adjusted for all pairs [@holm1979]."
        )
    return " ".join(sentences)


def _selection(facts: Facts, decision: Mapping[str, Any] | None) -> str:
    if not decision:
        return ""
    metric = _abbreviated(decision["metric"])
    chosen = f" ({decision['variant'].replace(',', ', ')})" if decision.get("variant") else ""
    name = decision["method"] + chosen
    is_learned = any(
        one["is_learned"] for one in facts["methods"] if one["name"] == decision["method"]
    )
    done = "training it" if is_learned else "choosing its parameters"
    own = f"{_score(decision, facts)}{ESTIMATES[decision['estimate']].format(done=done)}"
    if facts["ranked"] == 1:
        return f"The {metric} of {name} is {own}."
    rules, expected = facts["decision"], decision["expected"]
    rule = (
        f"had the highest {metric} and was selected"
        if decision["units"]["independent"] < rules["min_units"]
        else "was selected: the simplest method of those that cannot be told apart from the best "
        f"one and score at most {rules['margin']:g} less than the highest"
    )
    sentences = [f"Of {_number(facts['ranked'], 'method')}, {name} {rule}."]
    if facts["apply"] == "best":
        sentences.append("It segmented all tiles.")
    elif facts["apply"] not in ("all", "none"):
        sentences.append(f"All tiles were segmented with {facts['apply']}.")
    sentences.append(f"Its {metric} is {own}.")
    if "chosen" in expected:
        sentences.append(
            "Since the method was selected by this score, it is biased upwards. With the selection "
            "repeated in cross-validation, without the units that were scored, the "
            f"{metric} is {_score(expected, facts)}."
        )
    else:
        sentences.append("Since the method was selected by this score, it is biased upwards.")
    alike = [row["method"] for row in decision["others"] if row["indistinguishable"] == "yes"]
    if alike:
        sentences.append(f"It could not be told apart from {_join(alike)}.")
    return " ".join(sentences)


def _abbreviated(metric: str) -> str:
    """`MCC` of `Matthews' correlation coefficient (MCC)`."""
    return re.sub(r".*\((\w+)\)$", r"\1", _named(METRICS, metric).phrase)


def _fraction(facts: Facts) -> str:
    if not facts["annotated"] or not (facts["has_pi"] or facts["sampling"] == "random"):
        return ""
    return (
        "The fraction of the area that is foreground was estimated over "
        "all tiles from the masks, and corrected by the annotated tiles with a difference "
        "estimator [@sarndal1992; @angelopoulos2023]."
    )


def _software(facts: Facts, versions: Mapping[str, str]) -> str:
    names = [
        _phrase(Named(f"{known.phrase} {versions[package]}", known.keys))
        for package, known in LIBRARIES.items()
        if package in versions and (package != "onnxruntime" or _uses(facts, "onnx"))
    ]
    python = f"Python {versions['python']}" if "python" in versions else "Python"
    snakemake = f"Snakemake {versions.get('snakemake', '')}".rstrip()
    return (
        f"All steps were run by tilewise, a workflow of {snakemake} [@molder2021], with "
        f"{_join([python, *names])}. Checksums of configuration, code and images are in "
        "provenance.json."
    )


def _uses(facts: Facts, name: str) -> bool:
    return any(name in method["uses"] for method in facts["methods"])


def _score(row: Mapping[str, Any], facts: Facts) -> str:
    if row.get("value") is None:
        return "undefined"
    if row.get("low") is None or row.get("high") is None:
        return f"{row['value']:.3f}"
    confidence = f"{100 * facts['decision']['confidence']:g}%"
    return f"{row['value']:.3f} ({confidence} interval {row['low']:.3f} to {row['high']:.3f})"


def _phrase(named: Named, settings: str = "") -> str:
    """A name with its settings and its sources."""
    cited = f" [{'; '.join(f'@{key}' for key in named.keys)}]" if named.keys else ""
    return f"{named.phrase}{settings}{cited}"


def _settings(settings: Mapping[str, Any]) -> str:
    words = [f"{key} = {_value(value)}" for key, value in settings.items() if value not in ({}, [])]
    return f" ({', '.join(words)})" if words else ""


def _value(value: Any) -> str:
    """A setting as one reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return _join([f"{key} {_value(own)}" for key, own in value.items()])
    if isinstance(value, list | tuple):
        return _join(map(_value, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _number(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _of_all(number: int, total: int, noun: str) -> str:
    """`3 of 4 tiles`, or `all 4 tiles`."""
    if number == total:
        return f"the only {noun}" if total == 1 else f"all {_number(total, noun)}"
    return f"{number} of {_number(total, noun)}"


def _join(words: Iterable[str], last: str = "and") -> str:
    *some, end = words
    return f"{', '.join(some)} {last} {end}" if some else end
