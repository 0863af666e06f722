"""The answer in plain words: what to use, how good it is, how sure that is, and what to do next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tilewise.tables import EQUIVALENT, LITTLE_WORSE, UNKNOWN
from tilewise.unit_words import described, is_dependent

Row = Mapping[str, Any]

NO_TRUTH = "No sample has truth, so there is nothing to validate, and no method to prefer."
NOT_DECIDED = "No method runs on all samples, so they are not compared with each other."
EXPLAINED = {"mcc": "where 1 is perfect agreement with your annotations, and 0 is chance"}
PERFECT = "where 1 is perfect agreement with your annotations"
TOUCHING = ("biased_fraction", "worse_by_calibre")
"""Codes of warnings that touch the answer and that the decision does not know."""
EDGE = "grid_edge"
CHANGE = 0.0005
"""Scores that differ by less read alike."""
BLOCKS = "spatial blocks of one tile"
SHOWN = 3
"""Tiles that are named in a sentence."""


def sentences(decision: Row | None, label: str, *, has_truth: bool) -> list[str]:
    """The decision in three sentences, or one that says why there is none.

    `decision` is what `decision.json` holds, `label` the metric as people write it.
    """
    if decision is None:
        return [NOT_DECIDED if has_truth else NO_TRUTH]
    return [_use(decision, label), _expected(decision, label), _sure(decision)]


def next_steps(
    decision: Row | None,
    label: str,
    doubts: Iterable[Row],
    following: Sequence[Row],
    estimate: str = "",
) -> list[str]:
    """What to do next.

    Parameters
    ----------
    doubts
        Rows of `warnings.tsv`.
    following
        Rows of `annotate_next.tsv`.
    estimate
        What the scores of single tiles by the method that was decided on are, as in `metrics.tsv`.
    """
    steps = []
    if decision is not None:
        steps += decision["next"]
        worst = [
            f"{row['sample']} {row['tile']} ({label} {row[decision['metric']]:.3f})"
            for row in decision["worst"][:SHOWN]
        ]
        if worst:
            method = decision["method"]
            tiles = f"the worst tiles of {method}" if len(worst) > 1 else f"the tile of {method}"
            steps.append(
                f"Look at {tiles}: {', '.join(worst)}.{_of_tiles(decision, label, estimate)}"
            )
        steps += [
            f"{row['remedy'][0].upper()}{row['remedy'][1:]}: {label} still rises there."
            for row in doubts
            if row["code"] == EDGE and _may_be_best(row["method"], decision)
        ]
    if following:
        shown = following[:SHOWN]
        names = ", ".join(f"{row['sample']} {row['tile']}" for row in shown)
        samples = {row["sample"] for row in shown}
        alone = ""
        if len(shown) > 1 and len(samples) == 1 and _counts_samples(decision):
            alone = f" (together one more independent unit, since all are of {min(samples)})"
        steps.append(
            "To choose parameters better, annotate the tiles that look hardest, such as "
            f"{names}{alone}; for scores, annotate those drawn at random, in "
            "`results/annotate_random.tsv`."
        )
    return steps


def _of_tiles(decision, label, estimate):
    """What scores of single tiles are, beside that of the comparison."""
    said = []
    if estimate == "resubstitution":
        said.append(
            "such scores of single tiles flatter it a little, since its parameters were chosen on "
            "the same tiles"
        )
    if decision["units"]["unit"] == BLOCKS:
        said.append(
            f"the score of the whole tile differs a little from the {label} above, which leaves "
            "out margins between its blocks"
        )
    text = "; ".join(said)
    return f" {text[0].upper()}{text[1:]}." if text else ""


def _counts_samples(decision):
    return decision is None or decision["units"]["unit"] in ("sample", BLOCKS)


def _may_be_best(method, decision):
    """Whether a method is the one that was decided on, or cannot be told from the best."""
    alike = [row["method"] for row in decision["others"] if row["indistinguishable"] == "yes"]
    return method in (decision["method"], *alike)


def touching(decision: Row | None, doubts: Sequence[Row]) -> list[int]:
    """Numbers of the warnings that touch the verdict or the fraction of foreground."""
    known = {(row["code"], row["message"]) for row in (decision or {"warnings": ()})["warnings"]}
    return [
        number
        for number, row in enumerate(doubts)
        if row["code"] in TOUCHING
        or (row["code"], row["message"]) in known
        and (row["code"] != EDGE or _may_be_best(row["method"], decision))
    ]


def _use(decision, label):
    method, others = decision["method"], decision["others"]
    name = f"{method} with {decision['variant']}" if decision["variant"] else method
    if not others:
        return f"Use {name}, the only method that is compared with the truth."
    if method == decision["highest"]:
        return f"Use {name}: of {len(others) + 1} methods, it has the highest {label}."
    return f"Use {name}: of {len(others) + 1} methods, it is the simplest that may be the best."


def _expected(decision, label):
    """How good the method is here, and what that is worth elsewhere."""
    expected, own = decision["expected"]["value"], decision["value"]
    meaning = EXPLAINED.get(decision["metric"], PERFECT)
    if expected is None or own is None:
        return f"Its {label} is undefined on the annotated tiles."
    low, high = decision["expected"]["low"], decision["expected"]["high"]
    if low is not None:
        text = (
            f"On new samples like these, expect {label} of about {expected:.3f} "
            f"({decision['confidence']:.0%} interval {low:.3f} to {high:.3f}), {meaning}."
        )
        return f"{text}{_flattery(decision, label)}"
    here = f"{decision['method']} reached {label} {own:.3f} on your annotated tiles, {meaning}"
    known = described(decision["units"])
    if is_dependent(decision["units"]):
        flattery = _flattery(decision, label)
        return f"{here}.{flattery} What to expect of other images cannot be told from {known}."
    cannot = f"how far a new sample may be from that, {known} cannot tell"
    if own - expected >= CHANGE:
        return (
            f"{here}; on a new sample, expect about {expected:.3f}, because it was chosen on "
            f"these: {cannot}."
        )
    return f"{here}. On a new sample, expect about {expected:.3f}: {cannot}."


def _flattery(decision, label):
    """Why the score on the annotated tiles is too high, if it is."""
    expected, own = decision["expected"], decision["value"]
    if decision["estimate"] == "resubstitution":
        return " That is too high, since its parameters were chosen on the tiles that score it."
    if not decision["others"]:
        return ""
    if "chosen" not in expected:
        return " That is a little too high, since it was chosen for this score."
    if own - expected["value"] >= CHANGE and expected["low"] is not None:
        return (
            f" The {own:.3f} that {decision['method']} has on your annotated tiles is a little too "
            "high, since it was chosen for it."
        )
    if own - expected["value"] >= CHANGE:
        return f" Without what it was chosen for, it is about {expected['value']:.3f}."
    return ""


def _sure(decision):
    others = decision["others"]
    if decision["low"] is None:
        if not others:
            return "There is no other method to compare it with."
        units = decision["units"]
        better = "one of the others" if len(others) > 1 else f"{others[0]['method']}"
        return (
            f"Whether {better} would be better on other samples cannot be told from "
            f"{described(units)}: it takes {units['needed']} or more independent units."
        )
    if not others:
        return "There is no other method to compare it with."
    names = {
        relation: [row["method"] for row in others if row["relation"] == relation]
        for relation in (UNKNOWN, EQUIVALENT, LITTLE_WORSE)
    }
    said = []
    if names[UNKNOWN]:
        said.append(f"this much truth cannot tell {_listed(names[UNKNOWN])} from the best")
    if alike := names[EQUIVALENT] + names[LITTLE_WORSE]:
        verb = "differ" if len(alike) > 1 else "differs"
        said.append(f"{_listed(alike)} {verb} from the best by less than {decision['margin']:g}")
    if not said:
        return "It is better than every other method, by more than chance explains."
    end = "; all others are worse" if _has_worse(others, names) else ""
    return f"Of the others, {', and '.join(said)}{end}."


def _has_worse(others, names):
    return len(others) > sum(map(len, names.values())) + any(not row["relation"] for row in others)


def _listed(names):
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
