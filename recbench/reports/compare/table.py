"""The comparison of two sides as text, Markdown or LaTeX. Markdown is made for a pull request."""

import re
from collections.abc import Sequence

from recbench.evaluation.bootstrap import RESAMPLES
from recbench.records.selection import Side
from recbench.reports.cells import safe, signed, with_sd
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.gate import Judgement
from recbench.reports.compare.headline import compare_headline
from recbench.reports.compare.table_csv import compare_csv
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import CompareFormat
from recbench.reports.rendering import details, table

HEADERS = ("model", "metric", "baseline", "current", "difference (95 %)", "speed", "verdict")
ALIGNMENT = "llrrrrl"


def compare_table(judgement: Judgement, form: CompareFormat) -> str:
    """Renders a comparison.

    Args:
        judgement: The comparison and its verdicts.
        form: Text, Markdown, CSV or LaTeX.
    """
    if form is CompareFormat.CSV:
        return compare_csv(judgement)
    if form is CompareFormat.LATEX:
        return tables(judgement, form)
    headline, blocked = compare_headline(judgement), obstacles(judgement)
    rest = [*reasons(judgement), *legend(judgement)]
    told = [*sides(judgement), f"Again: {judgement.command}"]
    if form is CompareFormat.TEXT:
        return "\n".join([headline, "", tables(judgement, form), "", *blocked, *rest, *told])
    return "\n".join(
        [
            tag(judgement, "compare"),
            f"**{safe(headline)}**",
            "",
            tables(judgement, form),
            "",
            *([*(f"- {safe(line)}" for line in blocked), ""] if blocked else []),
            *details("How it was compared", folded(rest, judgement)),
        ]
    )


def tables(judgement: Judgement, form: CompareFormat) -> str:
    """Renders the figures, a table a task."""
    parts = []
    for digest in dict.fromkeys(model.task.digest for model in judgement.comparison.models):
        rows = [
            row
            for number, model in enumerate(judgement.comparison.models)
            if model.task.digest == digest
            for row in _rows(judgement, number, model)
        ]
        first = next(model for model in judgement.comparison.models if model.task.digest == digest)
        title = _task_line(first)
        title = safe(title) if form is CompareFormat.MARKDOWN else title
        title = f"% {title}" if form is CompareFormat.LATEX else title
        parts.append(f"{title}\n\n{table(rows, HEADERS, ALIGNMENT, form)}")
    return "\n\n".join(parts)


def obstacles(judgement: Judgement) -> list[str]:
    """Returns why models failed or cannot be compared, one line each."""
    comparison = judgement.comparison
    return [
        f"{comparison.named(model)} {model.obstacle.verdict}: {model.obstacle.reason}"
        for model in comparison.models
        if model.obstacle and model.obstacle.verdict in (Verdict.FAILED, Verdict.NOT_COMPARABLE)
    ]


def reasons(judgement: Judgement) -> list[str]:
    """Returns what the other verdicts hang on, and what a reader should know of a model, one line each."""
    comparison = judgement.comparison
    lines = [
        f"{comparison.named(model)} {metric.upper()} {decision.verdict}: {'; '.join(decision.reasons)}"
        for model, metric, decision in judgement.cells()
        if decision.reasons and not model.obstacle
    ]
    return (
        lines
        + unknown_seed_noise(judgement)
        + [f"{comparison.named(model)}: {note}" for model in comparison.models for note in model.notes]
    )


def unknown_seed_noise(judgement: Judgement) -> list[str]:
    """Returns a line that names the models of which a side has one seed; none if there are none."""
    named = [
        judgement.comparison.named(model)
        for model, decisions in zip(judgement.comparison.models, judgement.decisions, strict=True)
        if not model.obstacle and any(decision.seed_sd_assumed for decision in decisions.values())
    ]
    if not named:
        return []
    return [
        f"Seed noise is unknown where a side has one seed ({', '.join(named)}): a standard deviation of "
        f"{judgement.policy.assumed_seed_sd:g} is assumed."
    ]


def legend(judgement: Judgement) -> list[str]:
    """Returns the lines that explain the columns."""
    return [
        f"95 %: interval of the difference on the same cases, by a bootstrap over users ({RESAMPLES:,} resamples), "
        "seeds averaged; ±: standard deviation over seeds.",
        f"regressed, improved: the change exceeds {judgement.policy.floor:g} and what seeds explain, its interval does "
        f"not hold 0, and p < {judgement.policy.alpha:g} (sign flips over users, Holm).",
        f"unchanged: the interval excludes any change beyond {judgement.policy.floor:g}; inconclusive: all else.",
        "speed: median interactions/s of current over baseline; on other machines it says little.",
    ]


def sides(judgement: Judgement) -> list[str]:
    """Returns a line for each side: what it is and what it ran on."""
    base, current = judgement.comparison.base, judgement.comparison.current
    return [f"BASE {_side(base)}", f"CURRENT {_side(current)}"]


def folded(lines: Sequence[str], judgement: Judgement) -> list[str]:
    """Returns what stands in the folded part of a Markdown page."""
    told = [f"- {safe(line)}" for line in [*lines, *sides(judgement)]]
    return [*told, "", "```", judgement.command, "```"]


def tag(judgement: Judgement, verb: str) -> str:
    """Returns a hidden line by which a bot finds its comment again, whatever was pushed since."""
    names = sorted({model.task.name for model in judgement.comparison.models})
    return f"<!-- recbench:{verb}:{re.sub(r'[^A-Za-z0-9._+]+', '-', '+'.join(names))} -->"


def _rows(judgement: Judgement, number: int, model: Compared) -> list[list[str]]:
    rows = []
    for metric in judgement.comparison.metrics:
        base, current = model.measured.base.get(metric), model.measured.current.get(metric)
        evidence, ratio = model.measured.evidence.get(metric), model.throughput_ratio
        rows.append(
            [
                model.label,
                metric.upper(),
                with_sd(base.spread if base else None, 4),
                with_sd(current.spread if current else None, 4),
                f"{signed(evidence.difference)} ({signed(evidence.interval.low)} to {signed(evidence.interval.high)})"
                if evidence
                else "",
                f"{ratio:.2f}x" if ratio is not None and not model.obstacle else "",
                judgement.decisions[number][metric].verdict.marked,
            ]
        )
    return rows


def _task_line(model: Compared) -> str:
    record = model.configured.trials[0].record
    digest = model.task.digest[:19]
    return f"Task {model.task.name} {digest}: {record.n_cases:,} cases of {record.n_users:,} users"


def _side(side: Side) -> str:
    machines: dict[str, None] = {}
    revisions: dict[str, None] = {}
    for trial in side.trials:
        record, machine = trial.record, trial.record.environment
        threads = f"{record.threads} thread{'s' if record.threads != 1 else ''}"
        packages = [f"{name} {machine.packages[name]}" for name in ("tensorflow",) if name in machine.packages]
        line = ", ".join([machine.cpu, f"{machine.cores} cores", machine.os, f"Python {machine.python}", *packages])
        machines[f"{line}; {threads}"] = None
        if record.revision:
            revisions[f"revision {record.revision.sha[:12]}{' (changed)' if record.revision.dirty else ''}"] = None
    count = f"{len(side.trials)} record{'s' if len(side.trials) != 1 else ''}"
    return f"{side.text}: {count}; {'; '.join([*machines, *revisions])}"
