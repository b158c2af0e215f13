"""The records of one task as a page: how sure its figures are, who was tuned how much, and how to make it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recbench.escaping.markdown import code_block, code_span, markdown
from recbench.escaping.shell import shell_command
from recbench.evaluation.metric import Measure
from recbench.evaluation.paired_tests import ALPHA
from recbench.records.finished_trial import FinishedTrial
from recbench.records.grouping import group_names
from recbench.records.published_results import Published
from recbench.records.schema import ParameterValue, class_identity
from recbench.records.tuned_settings import TunedModel, TunedSettings
from recbench.registry.parameter_values import as_text
from recbench.reports.cells import signed
from recbench.reports.formats import Format
from recbench.reports.pages.effort_table import effort_section
from recbench.reports.pages.published_comparison import PublishedRow, beside_published
from recbench.reports.pages.published_table import published_section
from recbench.reports.pages.ranked_report import correction_lines, ranked_report, where_from
from recbench.reports.rendering import render_lines
from recbench.reports.run.findings import contradiction_notes
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.reports.run.table import errors, how_to_read, models_table
from recbench.reports.timing_notes import timing_notes
from recbench.tuning.objective import Objective
from recbench.tuning.spaces import ModelSpace, texts


@dataclass(frozen=True, slots=True)
class LeaderboardSources:
    """What a leaderboard is made from.

    Attributes:
        place: Where the records are, as commands name it.
        trials: The records, all of one task.
        settings: What the task's models were tuned to; None if none was.
        published: What others published on the task; None if nothing is known.
        spaces: Where each model would be looked for now.
        names: The name of each class that has one, by its ``class_identity``; commands name others by their class.
        measures: The metrics of the table; None for the default ones.
    """

    place: str
    trials: Sequence[FinishedTrial]
    settings: TunedSettings | None
    published: Published | None
    spaces: Mapping[str, ModelSpace]
    names: Mapping[str, str]
    measures: tuple[Measure, ...] | None = None

    def command_name(self, summary: ModelSummary) -> str:
        """Returns the model as a command names it."""
        reference = summary.group.record.reference
        return self.names.get(class_identity(reference), reference)


def leaderboard(sources: LeaderboardSources) -> str:
    """Renders the page, in Markdown; models by the first metric, the best first.

    Raises:
        RecbenchError: The records are of different tasks.
    """
    report = ranked_report(sources.trials, sources.measures)
    tuned = {} if sources.settings is None else dict(sources.settings.models)
    report = replace(report, summaries=tuple(_named(report.summaries, tuned)))
    published = beside_published(report.summaries, sources.published.results if sources.published else ())
    notes = [
        *how_to_read(report, Format.MARKDOWN),
        *contradiction_notes(report, most=None),
        *correction_lines(report),
        *report.uncertainty.notes,
        *report.code_notes,
        *timing_notes([trial.record for trial in sources.trials]),
        *errors(report),
    ]
    return "\n".join(
        [
            f"# {markdown(sources.trials[0].record.task.name)}",
            "",
            f"Made from the records in {code_span(sources.place)} by `recbench leaderboard`; do not edit.",
            "",
            where_from(sources.trials, report),
            "",
            models_table(report, Format.MARKDOWN),
            "",
            *render_lines(notes, Format.MARKDOWN),
            "",
            *_undecided(report),
            *published_section(published),
            *_effort(report, tuned, sources.spaces, published),
            *_commands(sources, report, tuned),
        ]
    )


def _named(summaries: Sequence[ModelSummary], tuned: dict[str, TunedModel]) -> list[ModelSummary]:
    """Says in the name of a model that was tuned where a configuration has another value of what the tuning found.

    What was not tuned is not looked at: records do not tell which of their values are a model's defaults. Where this
    leaves two names alike, what differs between the two follows, as in every table.
    """
    has_others = [one.model in tuned and not _is_tuned(one, tuned) for one in summaries]
    named = []
    for summary, is_other in zip(summaries, has_others, strict=True):
        alike = [
            one.group
            for one, other in zip(summaries, has_others, strict=True)
            if (one.group.name, other) == (summary.group.name, is_other)
        ]
        full = group_names(alike)[alike.index(summary.group)]
        detail = full.removeprefix(summary.group.name).removeprefix(" (").removesuffix(")")
        notes = ": ".join(filter(None, ["other settings" * is_other, detail]))
        named.append(replace(summary, name=f"{summary.group.name} ({notes})" if notes else summary.group.name))
    return named


def _is_tuned(summary: ModelSummary, tuned: dict[str, TunedModel]) -> bool:
    if summary.model not in tuned:
        return False
    wanted = tuned[summary.model].parameters
    return all(summary.parameters.get(name) == value for name, value in wanted.items())


def _undecided(report: RunReport) -> list[str]:
    """Names the pairs between which the cases do not decide."""
    lines = ["## Pairs of models that are not significantly different", ""]
    for measure in report.columns:
        pairs = [pair for pair in report.uncertainty.pairs if pair.measure == measure]
        level = [
            f"{report.summaries[pair.first].name} and {report.summaries[pair.second].name} "
            f"({signed(pair.evidence.difference)}, p {pair.p_adjusted:.2f})"
            for pair in pairs
            if pair.p_adjusted >= ALPHA
        ]
        told = "; ".join(level) if level else "none"
        lines.append(f"- By {measure.label}, {len(level)} of {len(pairs)} pairs: {markdown(told)}.")
    return [
        *lines,
        "",
        "Randomisation test over users, 5 %, Holm over all pairs by that metric; the difference is the first's lead.",
        "",
    ]


def _elsewhere(name: str, found: TunedModel, spaces: Mapping[str, ModelSpace]) -> bool:
    """Whether the model was looked for in another space than it would be now."""
    return bool(found.search_space) and (name not in spaces or found.search_space != texts(spaces[name].parameters))


def _effort(
    report: RunReport,
    tuned: dict[str, TunedModel],
    spaces: Mapping[str, ModelSpace],
    published: Sequence[PublishedRow],
) -> list[str]:
    """Says what each model's hyper-parameters are, and how they were chosen."""
    own = {one.name: tuned[one.model] for one in report.summaries if _is_tuned(one, tuned)}
    if not own:
        return []
    untuned = [one.name for one in report.summaries if one.name not in own]
    below = {row.name for row in published if row.name is not None and row.below}
    models = {one.name: one.model for one in report.summaries}
    elsewhere = [name for name, one in own.items() if _elsewhere(models[name], one, spaces)]
    names = ", ".join(elsewhere)
    note = f"Tuned in another search space than the present one: {names}. The settings file holds that space."
    return effort_section(own, below, untuned, [note] if elsewhere else [])


def _commands(sources: LeaderboardSources, report: RunReport, tuned: dict[str, TunedModel]) -> list[str]:
    """Returns the commands that make the page again."""
    task = sources.trials[0].record.task.name
    budgets: dict[tuple[str, ...], list[str]] = {}
    for name, command_name in {one.model: sources.command_name(one) for one in report.summaries}.items():
        if name in tuned:
            one = tuned[name].provenance
            objective = Objective(one.objective, one.full_ranking)
            budget = ["--metric", objective.name, "--trials", str(one.budget_trials)]
            budget += ["--budget", f"{one.budget_seconds:g}"]
            budget += ["--threads", str(one.threads), "--seed", str(one.seed)]
            space = ["--spaces", "FILE"] if _elsewhere(name, tuned[name], sources.spaces) else []
            budgets.setdefault((*budget, *space), []).append(command_name)
    settings = ["--settings", "tuned"] if tuned else []
    metrics = ["--metrics", ",".join(one.name for one in sources.measures)] if sources.measures else []
    place = ["-o", sources.place]
    commands = [
        *(_command("tune", own, task, budget) for budget, own in budgets.items()),
        *(
            _command("run", own, task, [*settings, *options, *place])
            for options, own in _conditions(sources, report).items()
        ),
        *(
            _command("run", [sources.command_name(one)], task, [*given, *_options(one, report), *place])
            for one, given in _others(report, tuned)
        ),
        ["recbench", "leaderboard", sources.place, *metrics],
    ]
    build = sources.published.build if sources.published else ()
    return ["## How it is made", "", *code_block([*build, *map(shell_command, commands)]), ""]


def _command(verb: str, models: Sequence[str], task: str, options: Sequence[str]) -> list[str]:
    return ["recbench", verb, "--models", ",".join(models), "--task", task, *options]


def _conditions(sources: LeaderboardSources, report: RunReport) -> dict[tuple[str, ...], list[str]]:
    """Returns the models that ran under the same conditions, as commands name them, by the options that give these."""
    found: dict[tuple[str, ...], dict[str, None]] = {}
    for summary in report.summaries:
        found.setdefault(_options(summary, report), {})[sources.command_name(summary)] = None
    return {options: list(models) for options, models in found.items()}


def _options(summary: ModelSummary, report: RunReport) -> tuple[str, ...]:
    record = summary.group.record
    device = [] if record.device == "auto" else ["--device", record.device]
    seeds = max(len(one.trials) for one in report.summaries)
    full = ["--full"] if report.has_catalogue else []
    return ("--seeds", str(seeds), "--threads", str(record.threads), *device, *full)


def _others(report: RunReport, tuned: dict[str, TunedModel]) -> list[tuple[ModelSummary, list[str]]]:
    """Returns the models that were tuned, and ran with other settings too, with options that give these."""
    return [
        (summary, [word for name, value in summary.parameters.items() for word in _param(summary.model, name, value)])
        for summary in report.summaries
        if summary.model in tuned and not _is_tuned(summary, tuned)
    ]


def _param(model: str, name: str, value: ParameterValue) -> tuple[str, str]:
    return "--param", f"{model}.{name}={as_text(value)}"
