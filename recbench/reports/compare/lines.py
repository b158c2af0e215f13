"""The lines around a comparison: what a reader should know of it, before any format."""

import re

from recbench.counted import counted
from recbench.evaluation.bootstrap import RESAMPLES
from recbench.git_history import SHORT
from recbench.records.environments import merged
from recbench.records.grouping import TrialGroup
from recbench.records.selection import RecordSet
from recbench.reports.cells import NO_FIGURE, with_sd
from recbench.reports.compare.comparison import Compared, Comparison
from recbench.reports.compare.gate import DecidedComparison
from recbench.reports.compare.repeat import records_for_others
from recbench.reports.compare.short_fits import has_short_fit
from recbench.reports.compare.verdict import Verdict
from recbench.reports.run.shown_measures import copy_notes
from recbench.reports.timing_notes import SHORTEST_FIT


def by_task(comparison: Comparison) -> dict[str, list[tuple[int, Compared]]]:
    """Returns the models with their numbers, by the digest of their task: each task has a table."""
    tables: dict[str, list[tuple[int, Compared]]] = {}
    for number, model in enumerate(comparison.models):
        tables.setdefault(model.task.digest, []).append((number, model))
    return tables


def task_line(model: Compared) -> str:
    """Returns the line above the table of a task.

    Args:
        model: Any model of the table.
    """
    record = model.group.record
    return f"Task {model.task.name} {model.task.digest[:19]}: {record.n_cases:,} cases of {record.n_users:,} users"


def new_case_lines(comparison: Comparison, digest: str) -> list[str]:
    """Returns a line on the share of cases of items or users without train rows, if the task's records tell it."""
    counts = comparison.new_cases.get(digest)
    return [counts.line(comparison.known_measure if counts.matters else None)] if counts else []


def obstacles(decided: DecidedComparison) -> list[str]:
    """Returns why models failed or cannot be compared, one line each."""
    comparison = decided.comparison
    return [
        f"{comparison.named(model)} {model.obstacle.verdict}: {model.obstacle.reason}"
        for model in comparison.models
        if model.obstacle and model.obstacle.verdict in (Verdict.FAILED, Verdict.NOT_COMPARABLE)
    ]


def reasons(decided: DecidedComparison, with_changes: bool = True) -> list[str]:
    """Returns what the other verdicts depend on, and what a reader should know of a model, one line each.

    Args:
        decided: The comparison and its verdicts.
        with_changes: Whether lines say what changed besides the figures, such as hyper-parameters.
    """
    comparison = decided.comparison
    lines = [
        f"{comparison.named(model)} {comparison.label(metric)} {decision.verdict}: {'; '.join(decision.reasons)}"
        for model, metric, decision in decided.cells()
        if decision.reasons and not model.obstacle
    ]
    return (
        lines
        + ancestry_notes(decided)
        + [f"Renamed since BASE: {old} is now {new}." for old, new in comparison.renamed.items() if with_changes]
        + one_case_notes(decided)
        + unknown_seed_noise(decided)
        + [
            f"{comparison.named(model)}: {line}"
            for model in comparison.models
            for line in (
                *(f"{change.kind} changed: {change.detail}" for change in model.changes if with_changes),
                *model.notes,
            )
        ]
    )


def ancestry_notes(decided: DecidedComparison) -> list[str]:
    """Returns lines on the merge base if BASE is not an ancestor of CURRENT, and on why this is unknown, if it is."""
    known = list(
        dict.fromkeys(model.ancestry for model in decided.comparison.models if model.ancestry and model.match.base)
    )
    lines = [
        f"Compare with the merge base of {ancestry.base} and {ancestry.current}, whose differences are due to CURRENT: "
        f"commit {ancestry.merge_base[:SHORT]}."
        for ancestry in known
        if ancestry.merge_base
    ]
    reasons = dict.fromkeys(ancestry.reason for ancestry in known if ancestry.reason)
    return lines + [f"It is unknown whether BASE is an ancestor of CURRENT: {reason}." for reason in reasons]


def one_case_notes(decided: DecidedComparison) -> list[str]:
    """Returns a line that says which metrics of users equal metrics of cases; none if there are none."""
    comparison = decided.comparison
    return copy_notes(comparison.measures) if comparison.one_case_each else []


def unknown_seed_noise(decided: DecidedComparison) -> list[str]:
    """Returns a line that names the models of which a side has one seed; none if there are none."""
    named = [
        decided.comparison.named(model)
        for model, decisions in zip(decided.comparison.models, decided.decisions, strict=True)
        if not model.obstacle and any(decision.seed_sd_assumed for decision in decisions.values())
    ]
    if not named:
        return []
    return [
        f"Only one seed of {', '.join(named)} in BASE or CURRENT, so the variation between seeds is unknown. A "
        f"standard deviation of {decided.policy.assumed_seed_sd:g} is assumed."
    ]


def legend(decided: DecidedComparison) -> list[str]:
    """Returns the lines that explain the columns."""
    limits = " (or the limit of the model and metric in the policy)" if decided.policy.limits else ""
    doubted = any(decision.verdict in (Verdict.LOWER, Verdict.HIGHER) for _, _, decision in decided.cells())
    short = any(has_short_fit(model) for model in decided.comparison.models if not model.obstacle)
    return [
        f"95 %: confidence interval of the difference on the same cases (bootstrap over users, {RESAMPLES:,} "
        "resamples), seeds averaged; ±: standard deviation over seeds.",
        f"regressed, improved: the change is larger than {decided.policy.floor:g}{limits} and than the variation "
        f"between seeds, its confidence interval excludes 0, and p < {decided.policy.alpha:g} (randomisation "
        f"test over users, Holm {_family(decided)}).",
        f"unchanged: the same ranks, or users and seeds exclude any change larger than {decided.policy.floor:g}; "
        "inconclusive: everything else.",
        *(["lower, higher: the same as regressed, improved, but it may be due to other commits."] if doubted else []),
        "speed: median throughput of current / baseline. Do not compare it between different machines."
        + (f" A dash ({NO_FIGURE}): fits of less than {SHORTEST_FIT:g} s are too short to time." if short else ""),
    ]


def _family(decided: DecidedComparison) -> str:
    """Returns which tests Holm corrects together."""
    if len(decided.together) < 2:
        return "over all models by that metric"
    named = ", ".join(decided.comparison.label(metric) for metric in decided.together)
    return f"over all models by {named} together, by any other metric alone"


def seeds_compared(decided: DecidedComparison) -> list[str]:
    """Returns a line with the seeds whose figures were compared, model by model; none if no model was compared."""
    comparison = decided.comparison
    named = [
        f"{comparison.named(model)} {_seeds(model.match.current)} (BASE {_seeds(model.match.base)})"
        for model in comparison.models
        if not model.obstacle and model.match.base and model.match.current
    ]
    return [f"Seeds compared: {'; '.join(named)}."] if named else []


def seeds_and_spread(decided: DecidedComparison) -> list[str]:
    """Returns a line for each model that was compared: its seeds, and how its figures vary between them."""
    comparison = decided.comparison
    lines = []
    for model in comparison.models:
        if model.obstacle or not (model.match.base and model.match.current):
            continue
        base, current = model.measured.base, model.measured.current
        figures = [
            f"{comparison.label(metric)} {with_sd(base[metric].spread, 4)} -> {with_sd(current[metric].spread, 4)}"
            for metric in comparison.metrics
            if metric in base and metric in current
        ]
        seeds = f"seeds {_seeds(model.match.current)} (BASE {_seeds(model.match.base)})"
        lines.append(f"{comparison.named(model)}: {', '.join([seeds, *figures])}")
    return lines


def _seeds(group: TrialGroup | None) -> str:
    """Returns the seeds of the trials that are done, with runs of numbers as ``0-4``."""
    runs: list[list[int]] = []
    for seed in done_seeds(group):
        if runs and seed == runs[-1][-1] + 1:
            runs[-1].append(seed)
        else:
            runs.append([seed])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def done_seeds(group: TrialGroup | None) -> list[int]:
    """Returns the seeds of the trials of a group that are done, which are those that are compared."""
    return [trial.record.seed for trial in group.done] if group else []


def origins(decided: DecidedComparison) -> list[str]:
    """Returns a line each for BASE and CURRENT: what it is and what it ran on."""
    base, current = decided.comparison.base, decided.comparison.current
    return [f"{side} {_name(records)}: {_origin(records)}" for side, records in (("BASE", base), ("CURRENT", current))]


def origins_for_others(decided: DecidedComparison) -> list[str]:
    """Returns ``origins`` without names of folders that are on this machine only."""
    lines = []
    for side, records in (("BASE", decided.comparison.base), ("CURRENT", decided.comparison.current)):
        place = records_for_others(records)
        lines.append(f"{side}{'' if place is None else f' {place}'}: {_origin(records)}")
    return lines


def tag(decided: DecidedComparison, verb: str) -> str:
    """Returns a hidden line by which a bot finds its comment again, whatever was pushed since."""
    names = sorted({model.task.name for model in decided.comparison.models})
    return f"<!-- recbench:{verb}:{re.sub(r'[^A-Za-z0-9._+]+', '-', '+'.join(names))} -->"


def _origin(records: RecordSet) -> str:
    machines: dict[str, None] = {}
    revisions: dict[str, None] = {}
    for count in dict.fromkeys(trial.record.threads for trial in records.trials):
        threads = counted(count, "thread")
        for machine in merged(trial.record.environment for trial in records.trials if trial.record.threads == count):
            packages = [f"{name} {machine.packages[name]}" for name in ("tensorflow",) if name in machine.packages]
            line = ", ".join(
                [machine.cpu, counted(machine.cores, "core"), machine.os, f"Python {machine.python}", *packages]
            )
            machines[f"{line}; {threads}"] = None
    for record in (trial.record for trial in records.trials):
        if record.revision:
            revisions[f"revision {record.revision.sha[:12]}{' (changed)' if record.revision.dirty else ''}"] = None
    number = counted(len(records.trials), "record")
    return "; ".join([number, *machines, *revisions])


def _name(records: RecordSet) -> str:
    return records.text + (f" (the label, not {records.hidden.absolute()})" if records.hidden else "")
