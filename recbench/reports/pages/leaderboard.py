"""The records of one task as a page: how sure its figures are, who was tuned how much, and how to make it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from recbench.escaping.markdown import code_span, markdown
from recbench.evaluation.metric import Measure
from recbench.evaluation.paired_tests import ALPHA
from recbench.records.finished_trial import FinishedTrial
from recbench.records.published_results import Published
from recbench.records.schema import class_identity
from recbench.records.tuned_settings import TunedModel, TunedSettings
from recbench.reports.cells import signed
from recbench.reports.differences import Defaults
from recbench.reports.pages.configurations import Configuration, configurations_section, with_names
from recbench.reports.pages.effort_table import effort_section
from recbench.reports.pages.figure_sections import figure_sections
from recbench.reports.pages.how_it_is_made import how_it_is_made
from recbench.reports.pages.published_comparison import PublishedRow, beside_published
from recbench.reports.pages.published_table import published_section
from recbench.reports.pages.ranked_report import ranked_report, where_from
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.summary import ModelSummary
from recbench.tasks.kept import kept_line
from recbench.tuning.objective import Objective
from recbench.tuning.spaces import ModelSpace, texts

MOST_PAIRS = 100
"""More pairs are counted, not named."""


@dataclass(frozen=True, slots=True)
class LeaderboardSources:
    """What a leaderboard is made from.

    Attributes:
        place: Where the records are, as commands name it.
        trials: The records, all of one task.
        settings: What the task's models were tuned to; None if none was.
        published: What others published on the task; None if nothing is known.
        spaces: The present search space of each model.
        names: The name of each class that has one, by its ``class_identity``; commands name others by their class.
        measures: The metrics of the table; None for the default ones.
        defaults: The defaults of the models.
        options: The other options of the command that makes the page of the records.
    """

    place: str
    trials: Sequence[FinishedTrial]
    settings: TunedSettings | None
    published: Published | None
    spaces: Mapping[str, ModelSpace]
    names: Mapping[str, str]
    measures: tuple[Measure, ...] | None = None
    defaults: Defaults = field(default_factory=dict)
    options: Sequence[str] = ()

    @property
    def command(self) -> list[str]:
        """The words of the command that makes the page of the records."""
        metrics = ["--metrics", ",".join(measure.name for measure in self.measures)] if self.measures else []
        return ["recbench", "leaderboard", self.place, *metrics, *self.options]

    def command_name(self, summary: ModelSummary) -> str:
        """Returns the model as a command names it."""
        reference = summary.group.record.reference
        return self.names.get(class_identity(reference), reference)

    def report(self) -> tuple[RunReport, list[Configuration]]:
        """Returns the report on the records, and its configurations; models by the first metric, the best first.

        Raises:
            RecbenchError: The records are of different tasks.
        """
        return with_names(ranked_report(self.trials, self.measures), self.defaults)


def leaderboard(sources: LeaderboardSources) -> str:
    """Renders the page, in Markdown.

    Raises:
        RecbenchError: The records are of different tasks.
    """
    report, configurations = sources.report()
    tuned = {} if sources.settings is None else dict(sources.settings.models)
    published = beside_published(report.summaries, sources.published.results if sources.published else ())
    build = sources.published.build if sources.published else ()
    return "\n".join(
        [
            f"# {markdown(sources.trials[0].record.task.name)}",
            "",
            f"Made from the records in {code_span(sources.place)} by `recbench leaderboard`; do not edit.",
            "",
            where_from(sources.trials, report),
            "",
            *_kept(sources.trials),
            *figure_sections(sources.trials, report, configurations, "##"),
            *_undecided(report),
            *published_section(published),
            *_effort(sources, report, tuned, published),
            *configurations_section(configurations, "##"),
            *how_it_is_made(sources.trials, configurations, sources.names, sources.place, build, sources.command),
        ]
    )


def _kept(trials: Sequence[FinishedTrial]) -> list[str]:
    """Says how much of the data the task keeps, if it leaves anything out."""
    kept = next((trial.record.kept for trial in trials if trial.record.kept is not None), None)
    return [] if kept is None or kept.kept == kept.read else [markdown(kept_line(kept)), ""]


def _is_tuned(summary: ModelSummary, tuned: Mapping[str, TunedModel]) -> bool:
    if summary.model not in tuned:
        return False
    tuned_parameters = tuned[summary.model].parameters
    return all(summary.parameters.get(name) == value for name, value in tuned_parameters.items())


def _undecided(report: RunReport) -> list[str]:
    """Names the pairs between which the cases do not decide."""
    if not report.uncertainty.pairs:
        return []
    lines = ["## Pairs of models that are not significantly different", ""]
    for measure in report.columns:
        pairs = [pair for pair in report.uncertainty.pairs if pair.measure == measure]
        # Each pair is escaped alone: the middle of a long text is left out, and that may be within a name.
        level = [
            markdown(
                f"{report.summaries[pair.first].name} and {report.summaries[pair.second].name} "
                f"({signed(pair.evidence.difference)}, p {pair.p_adjusted:.2f})"
            )
            for pair in pairs
            if pair.p_adjusted >= ALPHA
        ]
        more = [f"and {len(level) - MOST_PAIRS:,} more"] if len(level) > MOST_PAIRS else []
        listed = "; ".join([*level[:MOST_PAIRS], *more]) or "none"
        lines.append(f"- By {markdown(measure.label)}, {len(level)} of {len(pairs)} pairs: {listed}.")
    return [
        *lines,
        "",
        "Randomisation test over users, 5 %, Holm over all pairs by that metric; the difference is the first's lead.",
        "",
    ]


def _elsewhere(name: str, tuned: TunedModel, spaces: Mapping[str, ModelSpace]) -> bool:
    """Whether the model was tuned with an older search space."""
    return bool(tuned.search_space) and (name not in spaces or tuned.search_space != texts(spaces[name].parameters))


def _effort(
    sources: LeaderboardSources, report: RunReport, tuned: Mapping[str, TunedModel], published: Sequence[PublishedRow]
) -> list[str]:
    """Says how the hyper-parameters were chosen."""
    own = {summary.name: tuned[summary.model] for summary in report.summaries if _is_tuned(summary, tuned)}
    if not own:
        return []
    untuned = [summary.name for summary in report.summaries if summary.name not in own]
    below = {row.name for row in published if row.name is not None and row.below}
    models = {summary.name: summary.model for summary in report.summaries}
    elsewhere = [name for name, tuning in own.items() if _elsewhere(models[name], tuning, sources.spaces)]
    names = ", ".join(elsewhere)
    note = f"Tuned in another search space than the present one: {names}. The settings file holds that space."
    commands = _tune_commands(sources, report, tuned)
    return effort_section(own, below, untuned, [note] if elsewhere else [], commands)


def _tune_commands(sources: LeaderboardSources, report: RunReport, tuned: Mapping[str, TunedModel]) -> list[list[str]]:
    """Returns the words of the commands that tuned the models."""
    task = sources.trials[0].record.task.name
    budgets: dict[tuple[str, ...], list[str]] = {}
    for name, command_name in {summary.model: sources.command_name(summary) for summary in report.summaries}.items():
        if name in tuned:
            provenance = tuned[name].provenance
            objective = Objective(provenance.objective, provenance.full_ranking)
            budget = ["--metric", objective.name, "--trials", str(provenance.budget_trials)]
            budget += ["--budget", f"{provenance.budget_seconds:g}"]
            budget += ["--threads", str(provenance.threads), "--seed", str(provenance.seed)]
            space = ["--spaces", "FILE"] if _elsewhere(name, tuned[name], sources.spaces) else []
            budgets.setdefault((*budget, *space), []).append(command_name)
    return [
        ["recbench", "tune", "--models", ",".join(models), "--task", task, *options]
        for options, models in budgets.items()
    ]
