"""The page on the same models in several frameworks, made from records and from files of tuned settings."""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from recbench.escaping.markdown import markdown
from recbench.output_files import UNSEALED, seal
from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import Record, Status
from recbench.records.selection import read_records
from recbench.records.tuned_settings import TunedModel, load
from recbench.reports.formats import Format
from recbench.reports.pages.ranked_report import ranked_report
from recbench.reports.rendering import render_table
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary

FOLDER: Final = Path("results/frameworks")
ENVIRONMENTS: Final = FOLDER / "environments.json"
"""Versions and sizes of the environments."""
FIRST_TASK: Final = "ml-100k"
KINDS_FILE: Final = Path(__file__).with_name("frameworks.toml")
CHECKS: Final = "-checks"
"""What the folder of the records of changed implementations is called, after the kind of model."""
FEW_TRIALS: Final = 10
LEADERBOARD_BUDGETS: Final = {"ml-100k": (100, 180), "ncf-ml-1m": (100, 600)}
"""Trials and seconds of the tuning of each model on the leaderboard of a task."""
TOLERANCE: Final = 1e-4
"""Of HR@10: closed-form models of the same formula differ by rounding."""
NEVER: Final = "-"


@dataclass(frozen=True, slots=True)
class Kind:
    """The implementations of one kind of model, measured on one task.

    Attributes:
        title: The name of the model.
        trials: The records.
        report: The report on them; the best implementation first.
        tuned: The tuned settings of each implementation that has some.
        facts: What the code of the implementations does differently.
        findings: What explains differences on this task.
        missing: Implementations without a record, and why.
        checks: The records of implementations with a changed value.
    """

    title: str
    trials: Sequence[FinishedTrial]
    report: RunReport
    tuned: Mapping[str, TunedModel]
    facts: Sequence[str]
    findings: Sequence[str]
    missing: Sequence[str]
    checks: Sequence[FinishedTrial]


def page_file(task: str) -> Path:
    """Returns where the page on a task lies."""
    return FOLDER.with_name("frameworks.md" if task == FIRST_TASK else f"frameworks-{task}.md")


def task_folder(task: str) -> Path:
    """Returns the folder of the records and tuned settings of each kind of model on a task."""
    return FOLDER / task


def page(task: str) -> str:
    """Returns the page on a task, in Markdown, with its checksum."""
    with KINDS_FILE.open("rb") as file:
        listed = tomllib.load(file)
    is_measured = {name: (task_folder(task) / name).is_dir() for name in listed}
    kinds = [_kind(task, name, facts) for name, facts in listed.items() if is_measured[name]]
    missing = [facts["title"] for name, facts in listed.items() if not is_measured[name]]
    lines = [f"<!-- {UNSEALED} -->", *_head(kinds), *_environments()]
    for kind in kinds:
        lines += _section(kind)
    if missing:
        lines += [f"Not measured yet: {', '.join(missing)}.", ""]
    lines += ["## Hyper-parameters", "", "The values that are not searched are the defaults of the framework.", ""]
    for kind in kinds:
        lines += [*_settings(kind), ""]
    lines += ["## How it is made", "", "The same command resumes. `--page` writes the page from the records alone.", ""]
    names = json.loads(ENVIRONMENTS.read_text(encoding="utf-8"))
    lines += ["```", *(f"recbench env create {name}" for name in names)]
    lines += ["uv pip install --python ENVIRONMENT_OF_CORNAC/bin/python torch", _command(kinds), "```"]
    return seal("\n".join(lines) + "\n")


def _kind(task: str, name: str, facts: Mapping[str, Any]) -> Kind:
    folder = task_folder(task) / name
    trials = read_records(str(folder)).trials
    settings, checks = folder.with_suffix(".toml"), folder.with_name(f"{name}{CHECKS}")
    report, of_task = ranked_report(trials), facts.get(task, {})
    left_out = of_task.get("left_out", {})
    measured = {summary.model for summary in report.summaries}
    unmeasured = [model for model in facts["models"] if model not in measured]
    return Kind(
        facts["title"],
        trials,
        report,
        load(settings).models if settings.exists() else {},
        facts["facts"],
        of_task.get("findings", []),
        [f"{model} ({left_out[model]})" if model in left_out else model for model in unmeasured],
        read_records(str(checks)).trials if checks.is_dir() else (),
    )


def _budget(kinds: Sequence[Kind]) -> tuple[int, float]:
    efforts = [tuned.provenance for kind in kinds for tuned in kind.tuned.values()]
    return max(effort.budget_trials for effort in efforts), max(effort.budget_seconds for effort in efforts)


def _command(kinds: Sequence[Kind]) -> str:
    trials, seconds = _budget(kinds)
    seeds = max(len(summary.trials) for kind in kinds for summary in kind.report.summaries)
    task = kinds[0].trials[0].record.task.name
    chosen = "" if task == FIRST_TASK else f" --task {task}"
    return f"python -m benchmarks.frameworks{chosen} --trials {trials} --budget {seconds:g} --seeds {seeds}"


def _head(kinds: Sequence[Kind]) -> list[str]:
    trials, seconds = _budget(kinds)
    first = kinds[0]
    return [
        f"# The same models in several frameworks: {first.trials[0].record.task.name}",
        "",
        "How good, how fast and how large is the same model in different frameworks? Every implementation trains on "
        "the same rows, ranks the same candidates, and is timed by the same clock. It runs in the environment of its "
        "framework.",
        "",
        _task_line(first),
        "",
        f"- **Budget.** Each implementation was tuned on validation cases: {trials} trials, at most {seconds:,.0f} s. "
        f"Every fourth trial is drawn at random. {_leaderboard_budget(first, trials, seconds)}",
        "- **Search spaces.** They are equally wide. Scales go from a tenth of the framework's default to ten times "
        "the default, factors from 16 to 256, epochs from half of the default to twice as many. A poor default can "
        "therefore leave good values outside of the space.",
        "- **Runs.** One thread. All implementations run with the first seed, then all with the second, and so on.",
        "- **CPU seconds.** Other programs ran at the same time, so times are CPU seconds of the training process. "
        "They exclude the conversion of rows, imports and scoring. Interactions per CPU second are rounded to two "
        "digits.",
        "- **To best peer.** CPU seconds of training until HR@10 reaches the final HR@10 of the best implementation "
        "outside of recbench: median over the seeds that reach it. A dash: never. The learning curve has a point after "
        "1, 2, 3, 5, 7, 10, 15, 20, ... epochs. Models without epochs have only the end.",
        "- **Peak memory.** Of the process that trains and ranks; it includes the framework itself.",
        "- **95 % CI.** Over users (bootstrap), seeds averaged. Significant: randomisation test over users, 5 %, Holm "
        "over all pairs of a table.",
        f"- **†.** Fewer than {FEW_TRIALS} trials completed. With none, the row has the framework's defaults, and as "
        "many epochs as fitted into the budget.",
        "",
    ]


def _leaderboard_budget(kind: Kind, trials: int, seconds: float) -> str:
    budget = LEADERBOARD_BUDGETS.get(kind.trials[0].record.task.name)
    if budget is None:
        return ""
    if budget == (trials, seconds):
        return "The leaderboard has the same budget."
    return f"The leaderboard has another budget: {budget[0]} trials or {budget[1]} s."


def _task_line(kind: Kind) -> str:
    record = kind.report.summaries[0].group.record
    seeds = max(len(summary.trials) for summary in kind.report.summaries)
    return (
        f"`{record.task.digest[:19]}`: {record.n_users:,} users with {record.n_cases:,} cases, {record.n_items:,} "
        f"items, {record.n_train:,} train rows; {seeds} seeds; {markdown(record.environment.cpu)}, one thread; Python "
        f"{record.environment.python}."
    )


def _environments() -> list[str]:
    environments = json.loads(ENVIRONMENTS.read_text(encoding="utf-8"))
    rows = [
        [name, facts["version"], facts["python"], f"{facts['bytes'] / 1e6:,.0f}", f"{facts['seconds']:.0f}"]
        for name, facts in environments.items()
    ]
    headers = ["framework", "version", "Python", "size (MB)", "installation (s)"]
    table = render_table(rows, headers, "lllrr", Format.MARKDOWN)
    note = (
        "In every environment, `popularity` had the same ranks as in recbench's own. Installed with uv. The seconds "
        "include downloads of packages that were not in uv's cache: LensKit brought the CUDA packages of PyTorch into "
        "the cache, and RecBole reused them. Cornac also got PyTorch for the CPU, for NeuMF; the size in the table is "
        "the size before."
    )
    return ["## Environments", "", table, "", note, ""]


def _section(kind: Kind) -> list[str]:
    lines = [f"## {kind.title}", "", _accuracy(kind), "", _cost(kind), ""]
    if kind.missing:
        lines += [f"Not measured: {', '.join(kind.missing)}.", ""]
    failed = sorted(
        {
            f"{trial.record.model}: {trial.record.error}"
            for trial in kind.trials
            if trial.record.status is not Status.DONE
        }
    )
    lines += [f"- Failed: {markdown(failure)}" for failure in failed] + [""] * bool(failed)
    lines += ["Significant differences of HR@10:", "", *_differences(kind), ""]
    if kind.facts:
        lines += ["What the code does differently:", "", *(f"- {fact}" for fact in kind.facts), ""]
    if kind.findings:
        lines += ["What explains differences here:", "", *(f"- {finding}" for finding in kind.findings), ""]
    if kind.checks:
        lines += ["The same implementations with other values (first seed):", "", _checks(kind), ""]
    return lines


def _accuracy(kind: Kind) -> str:
    rows = []
    for number, summary in enumerate(kind.report.summaries):
        standing = kind.report.uncertainty.standings[number].get("hr@10")
        ends = None if standing is None else standing.interval
        rows.append(
            [
                summary.model,
                _mean(summary.metrics, "hr@10"),
                f"{ends.low:.3f}-{ends.high:.3f}" if ends else "",
                _mean(summary.metrics, "ndcg@10"),
                _mean(summary.catalogue, "hr@10"),
                _mean(summary.catalogue, "ndcg@10"),
                _completed(kind.tuned.get(summary.model)),
            ]
        )
    headers = ["implementation", "HR@10", "95 % CI", "NDCG@10", "full HR@10", "full NDCG@10", "trials (completed)"]
    return render_table(rows, headers, "lrrrrrr", Format.MARKDOWN)


def _checks(kind: Kind) -> str:
    rows = []
    for record in (trial.record for trial in kind.checks if trial.record.status is Status.DONE):
        before = next(
            trial.record
            for summary in kind.report.summaries
            for trial in summary.trials
            if (trial.record.model, trial.record.seed) == (record.model, record.seed)
        )
        changes = [
            f"{name}: {_text(before.parameters.get(name))} to {_text(value)}"
            for name, value in record.parameters.items()
            if value != before.parameters.get(name)
        ]
        hrs = [f"{compared.metrics['hr@10'].mean:.4f}" for compared in (before, record)]
        rows.append([record.model, ", ".join(changes), *hrs])
    return render_table(rows, ["implementation", "changes", "HR@10 before", "after"], "llrr", Format.MARKDOWN)


def _mean(spreads: Mapping[str, Any], name: str) -> str:
    spread = spreads.get(name)
    return NEVER if spread is None else f"{spread.mean:.4f}"


def _completed(tuned: TunedModel | None) -> str:
    if tuned is None:
        return "none completed †"
    counts = tuned.provenance.trials
    failed = f"; {counts.failed} failed" if counts.failed else ""
    return f"{counts.ended} ({counts.completed}{failed}){' †' if counts.completed < FEW_TRIALS else ''}"


def _cost(kind: Kind) -> str:
    peers = [
        peer.metrics["hr@10"].mean for peer in kind.report.summaries if ":" in peer.model and "hr@10" in peer.metrics
    ]
    target = max(peers, default=None)
    rows = []
    for summary in kind.report.summaries:
        records = [trial.record for trial in summary.trials if trial.record.status is Status.DONE]
        if not records:
            continue
        seconds = median(cpu_seconds(record) for record in records)
        speed = median(record.n_train * record.epochs / cpu_seconds(record) for record in records)
        memory = max(record.process_peak_rss_bytes or 0 for record in records)
        reached = (
            []
            if target is None
            else [needed for record in records if (needed := seconds_to(target, record)) is not None]
        )
        share = "" if len(reached) in (0, len(records)) else f" ({len(reached)} of {len(records)})"
        rows.append(
            [
                summary.model,
                f"{records[0].epochs}",
                f"{seconds:.2f}",
                f"{float(f'{speed:.2g}'):,.0f}",
                f"{median(reached):.2f}{share}" if reached else NEVER,
                f"{memory / 1e6:,.0f}",
            ]
        )
    headers = ["implementation", "epochs", "CPU s", "interactions/CPU s", "CPU s to best peer", "peak memory (MB)"]
    return render_table(rows, headers, "lrrrrr", Format.MARKDOWN)


def cpu_seconds(record: Record) -> float:
    """Returns the CPU seconds of a training; its wall time where the system does not measure CPU seconds."""
    return record.fit_cpu_seconds or record.fit_seconds or float("nan")


def seconds_to(target: float, record: Record) -> float | None:
    """Returns the CPU seconds of training until HR@10 reaches a target; None if it never does.

    The points of a curve have the wall time. It is scaled by the CPU seconds of the whole training.
    """
    whole = record.fit_seconds or 1.0
    points = [(point.fit_seconds, point.metrics["hr@10"]) for point in record.curve]
    points.append((whole, record.metrics["hr@10"].mean))
    first = next((seconds for seconds, hr in points if hr >= target - TOLERANCE), None)
    return None if first is None else first / whole * cpu_seconds(record)


def _differences(kind: Kind) -> list[str]:
    """Returns a line for each implementation that is significantly above others."""
    above: dict[int, list[tuple[int, float]]] = {}
    for pair in kind.report.uncertainty.significant:
        if pair.measure.name != "hr@10":
            continue
        lead = pair.evidence.difference
        winner, loser = (pair.first, pair.second) if lead > 0 else (pair.second, pair.first)
        above.setdefault(winner, []).append((loser, abs(lead)))
    names = [summary.model for summary in kind.report.summaries]
    return [
        f"- {names[winner]} is above "
        + ", ".join(f"{names[loser]} (+{lead:.4f})" for loser, lead in sorted(losers, key=lambda entry: entry[1]))
        + "."
        for winner, losers in sorted(above.items())
    ] or ["- none"]


def _settings(kind: Kind) -> list[str]:
    lines = [f"**{kind.title}**", ""]
    for summary in kind.report.summaries:
        tuned = kind.tuned.get(summary.model)
        names = [*tuned.search_space, *(["epochs"] if "epochs" in summary.parameters else [])] if tuned else ["epochs"]
        values = ", ".join(f"{name}={_short(summary, name)}" for name in dict.fromkeys(names))
        lines.append(f"- {summary.model}: {markdown(values)}")
    return lines


def _short(summary: ModelSummary, name: str) -> str:
    return _text(summary.parameters.get(name))


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
