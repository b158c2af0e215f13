"""The table of a run on several replicas of a split: the variance of the split, of the users and of the seeds."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from recbench.evaluation.inference import Sample
from recbench.evaluation.metric import Measure
from recbench.evaluation.variance_components import VarianceComponents, variance_components
from recbench.reports.cells import escape
from recbench.reports.column_rendering import on_screen, prose, render_columns
from recbench.reports.columns import Column, Cut, Look, rows_of, text_column, wide_looks
from recbench.reports.formats import Format
from recbench.reports.rendering import paragraph, render_table
from recbench.reports.run.replica_document_types import ReplicatedMetricDocument, ReplicatedResultDocument
from recbench.reports.run.run_report import RunReport, seed_ranks
from recbench.reports.run.summary import ModelSummary
from recbench.reports.view import DEFAULT_VIEW, View

REPLICA_COLUMNS: Final = (
    "model", "metric", "mean", "split-sd", "users-sd", "seeds-sd", "total-sd", "usual-se",
)  # fmt: skip
_HEADERS: Final = ("mean", "split SD", "users SD", "seeds SD", "total SD", "usual SE")
# In a table that is too wide, columns of a lower rank get room first.
_RANKS: Final = (1, 3, 4, 5, 6, 7)
LEGEND = (
    "split SD, users SD, seeds SD: standard deviations of the figure of one replica and one seed, by source; their "
    "squares add up to the square of total SD.",
    "split SD: another draw for the same users. users SD: other users, the part that stays when the draw changes. "
    "seeds SD: another seed of the model on one replica.",
    "usual SE: standard error over the users of one replica, as the confidence interval of a run on one split has it.",
)
NO_SEEDS = "One seed: the variation between seeds is part of split SD. Use --seeds 3 or more."
INCOMPLETE = "no ranks in some replicas; nothing is decomposed:"


@dataclass(frozen=True, slots=True)
class ReplicatedModel:
    """A configuration on all replicas.

    Attributes:
        name: What tables call it.
        components: By measure; empty if it has no ranks in some replica.
        values: By measure, the mean over seeds in each replica.
    """

    name: str
    components: dict[str, VarianceComponents]
    values: dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class ReplicasReport:
    """A run on replicas, as its table and its document show it.

    Attributes:
        reports: One for each replica.
        models: The configurations.
        varies: What differs between the replicas.
    """

    reports: tuple[RunReport, ...]
    models: tuple[ReplicatedModel, ...]
    varies: str

    @property
    def measures(self) -> tuple[Measure, ...]:
        """What the models are compared by."""
        return self.reports[0].columns

    @property
    def notes(self) -> list[str]:
        """The lines below the table."""
        every = [component for model in self.models for component in model.components.values()]
        lacking = ", ".join(model.name for model in self.models if not model.components)
        notes = [*LEGEND, *([NO_SEEDS] if any(component.seeds is None for component in every) else [])]
        return [*notes, *([f"{INCOMPLETE} {lacking}."] if lacking else [])]


def replicas_report(reports: Sequence[RunReport], varies: str) -> ReplicasReport:
    """Decomposes the variance of each configuration's figures.

    Args:
        reports: One for each replica, of the same configurations; at least two.
        varies: What differs between the replicas.
    """
    models = [
        _model([summary for report in reports for summary in report.summaries if summary.name == first.name], reports)
        for first in reports[0].summaries
    ]
    return ReplicasReport(tuple(reports), tuple(models), varies)


def replicas_table(report: ReplicasReport, form: Format, view: View = DEFAULT_VIEW) -> str:
    """Renders one row for each configuration and metric; CSV has full precision and no lines around the table.

    Args:
        report: The figures.
        form: How.
        view: Which columns to show, and the terminal that plain text has to fit; CSV and JSON have all columns.
    """
    columns = _columns(report, form)
    if form in {Format.CSV, Format.JSON}:
        looks = wide_looks(columns)
        return render_table(rows_of(looks), [look.header for look in looks], "llrrrrrr", form)
    table = render_columns(columns, form, view)
    task = report.reports[0].task
    name = escape(str(task["name"]).partition("@")[0], form)
    facts = f"{task['n_users']:,} users, {task['n_items']:,} items, {task['n_cases']:,} cases each"
    head = [
        f"Task {name}: {len(report.reports)} replicas, {facts}",
        f"Replicas differ in {escape(report.varies, form)}.",
    ]
    above = on_screen(paragraph(head, form), view.screen)
    below = prose([*table.notes, *report.notes], form, view.screen)
    return "\n".join([*above, "", table.text, "", *below])


def replicas_document(report: ReplicasReport) -> list[ReplicatedResultDocument]:
    """Returns one object for each configuration: its figures by metric, in full precision."""
    return [
        {
            "name": model.name,
            "metrics": {name: _metric(component, model.values[name]) for name, component in model.components.items()},
        }
        for model in report.models
    ]


def _metric(component: VarianceComponents, values: list[float]) -> ReplicatedMetricDocument:
    split, users, seeds, total = component.standard_deviations
    return {
        "mean": component.mean,
        "split_sd": split,
        "users_sd": users,
        "seeds_sd": seeds,
        "total_sd": total,
        "usual_se": sqrt(component.usual),
        "values": values,
    }


def _model(summaries: Sequence[ModelSummary], reports: Sequence[RunReport]) -> ReplicatedModel:
    components: dict[str, VarianceComponents] = {}
    values: dict[str, list[float]] = {}
    for measure in reports[0].columns:
        samples = [_samples(summary, measure) for summary in summaries]
        if len(samples) < len(reports) or not all(samples):
            continue
        if (component := variance_components(samples)) is not None:
            components[measure.name] = component
            values[measure.name] = [sum(float(s.values.mean()) for s in sample) / len(sample) for sample in samples]
    return ReplicatedModel(summaries[0].name, components, values)


def _samples(summary: ModelSummary, measure: Measure) -> list[Sample]:
    by_seed = seed_ranks(summary, measure.ranking)
    return [Sample(measure.values(ranks), measure.users(ranks)) for ranks in by_seed.values()]


def _columns(report: ReplicasReport, form: Format) -> list[Column]:
    rows = [(model, measure) for measure in report.measures for model in report.models]
    figures = [_figures(model.components.get(measure.name)) for model, measure in rows]
    return [
        text_column("model", [model.name for model, _ in rows], cut=Cut.MIDDLE),
        text_column("metric", [measure.label for _, measure in rows], rank=2),
        *(
            Column(
                name,
                (Look(header, [_cell(value, form) for value in values], rank=rank),),
                # Of the mean, the highest is the best; of what it varies by, the lowest.
                keys=[-value if name == "mean" and value is not None else value for value in values],
            )
            for name, header, rank, values in zip(
                REPLICA_COLUMNS[2:], _HEADERS, _RANKS, zip(*figures, strict=True), strict=True
            )
        ),
    ]


def _figures(component: VarianceComponents | None) -> list[float | None]:
    return (
        [None] * len(_HEADERS)
        if component is None
        else [component.mean, *component.standard_deviations, sqrt(component.usual)]
    )


def _cell(value: float | None, form: Format) -> str:
    return "" if value is None else repr(value) if form is Format.CSV else f"{value:.4f}"
