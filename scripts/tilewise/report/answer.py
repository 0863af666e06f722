"""The answer in plain words: what to use, how good it is, how sure that is, and what to do next."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tilewise.tables import EQUIVALENT, LITTLE_WORSE, UNKNOWN

Row = Mapping[str, Any]

NO_TRUTH = "No sample has truth, so there is nothing to validate, and no method to prefer."
NOT_DECIDED = "No method runs on all samples, so they are not compared with each other."
EXPLAINED = {"mcc": "where 1 is perfect agreement with your annotations, and 0 is chance"}
PERFECT = "where 1 is perfect agreement with your annotations"
OF_FRACTIONS = ("biased_fraction",)
"""Codes of warnings that touch the fraction of foreground."""
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
    decision: Row | None, label: str, doubts: Iterable[Row], following: Sequence[Row]
) -> list[str]:
    """What to do next.

    Parameters
    ----------
    doubts
        Rows of `warnings.tsv`.
    following
        Rows of `annotate_next.tsv`.
    """
    steps = []
    if decision is not None:
        steps += decision["next"]
        worst = [
            f"{row['sample']} {row['tile']} ({label} {row[decision['metric']]:.3f})"
            for row in decision["worst"][:SHOWN]
        ]
        if worst:
            steps.append(f"Look at the worst tiles of {decision['method']}: {', '.join(worst)}.")
    steps += [
        f"Extend a grid: {row['message']}; {row['remedy']}."
        for row in doubts
        if row["code"] == "grid_edge"
    ]
    if following:
        names = ", ".join(f"{row['sample']} {row['tile']}" for row in following[:SHOWN])
        steps.append(
            f"To choose parameters better, annotate the tiles that look hardest, such as {names}; "
            "for scores, annotate those of annotate_random.tsv."
        )
    return steps


def touching(decision: Row | None, doubts: Sequence[Row]) -> list[int]:
    """Numbers of the warnings that touch the verdict or the fraction of foreground."""
    known = {(row["code"], row["message"]) for row in (decision or {"warnings": ()})["warnings"]}
    return [
        number
        for number, row in enumerate(doubts)
        if row["code"] in OF_FRACTIONS or (row["code"], row["message"]) in known
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
    expected, number = decision["expected"], decision["units"]["independent"]
    meaning = EXPLAINED.get(decision["metric"], PERFECT)
    if expected["value"] is None:
        return f"Its {label} is undefined on the annotated tiles."
    value = f"{expected['value']:.3f}"
    if expected["low"] is not None:
        return (
            f"On new samples like these, expect a {label} of about {value} "
            f"({decision['confidence']:.0%} interval {expected['low']:.3f} to "
            f"{expected['high']:.3f}), {meaning}."
        )
    end = f"what that says of other samples, {number} independent unit{'s' * (number != 1)} "
    return f"On the annotated tiles the {label} is {value}, {meaning}; {end}cannot tell."


def _sure(decision):
    others = decision["others"]
    if decision["low"] is None:
        # the note says how many units there are, and how many are needed
        why = decision["note"].partition(": ")[2] or decision["note"]
        return f"Whether another method is better, this much truth cannot tell: {why}."
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
    text = ", and ".join(said)
    return (
        f"{text[0].upper()}{text[1:]}; all others are worse."
        if _has_worse(others, names)
        else (f"{text[0].upper()}{text[1:]}.")
    )


def _has_worse(others, names):
    return len(others) > sum(map(len, names.values())) + any(not row["relation"] for row in others)


def _listed(names):
    return " and ".join([*([", ".join(names[:-1])] if len(names) > 1 else []), names[-1]])
