"""What models cost in use, BASE beside CURRENT: figures without a verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from recbench.reports.cells import NO_FIGURE
from recbench.reports.column_rendering import prose, render_columns
from recbench.reports.columns import Cut, text_column
from recbench.reports.compare.comparison import Compared
from recbench.reports.cost_figures import SERVING, CostFigure
from recbench.reports.formats import Format
from recbench.reports.machines import differences, version_differences_within
from recbench.reports.spread import Spread
from recbench.reports.view import View

NOTE = "In use: medians over seeds; ratio: current / baseline. Of times, sizes and memory, lower is better."


@dataclass(frozen=True, slots=True)
class ComparedCost:
    """A figure of both sides.

    Attributes:
        figure: The figure.
        base: That of BASE, over seeds.
        current: That of CURRENT.
    """

    figure: CostFigure
    base: Spread
    current: Spread

    @property
    def ratio(self) -> float | None:
        """The median of CURRENT over that of BASE; None if that is 0."""
        before = median(self.base.values)
        return median(self.current.values) / before if before else None


def compared_costs(model: Compared) -> list[ComparedCost]:
    """Returns the figures that all seeds of both sides have; none if the model cannot be compared."""
    base, current = model.match.base, model.match.current
    if model.obstacle or base is None or current is None:
        return []
    pairs = [(figure, figure.spread(base.done), figure.spread(current.done)) for figure in SERVING]
    return [ComparedCost(figure, before, after) for figure, before, after in pairs if before and after]


def render_costs(models: Sequence[Compared], form: Format, view: View) -> str:
    """Renders one line a model and figure; an empty text if no model has any.

    Args:
        models: The models of one task.
        form: Any format in which tables are read by people.
        view: The terminal that plain text has to fit.
    """
    rows = [(model, cost) for model in models for cost in compared_costs(model)]
    if not rows:
        return ""
    ratios = [cost.ratio for _, cost in rows]
    columns = [
        text_column("model", [model.label for model, _ in rows], cut=Cut.MIDDLE),
        text_column("figure", [cost.figure.header for _, cost in rows]),
        text_column("baseline", [cost.figure.text(median(cost.base.values)) for _, cost in rows], "r", rank=2),
        text_column("current", [cost.figure.text(median(cost.current.values)) for _, cost in rows], "r", rank=1),
        text_column("ratio", [NO_FIGURE if ratio is None else f"{ratio:.2f}x" for ratio in ratios], "r", rank=3),
    ]
    records = [trial.record for model, _ in rows for side in (model.match.base, model.match.current) if side
               for trial in side.done]  # fmt: skip
    warnings = []
    if differing := differences(records):
        warnings.append(f"Do not compare times: not all trials ran on the same machine ({'; '.join(differing)}).")
    if versions := version_differences_within(records):
        warnings.append(f"Do not compare times: not all trials ran with the same versions ({'; '.join(versions)}).")
    shown = render_columns(columns, form, View(screen=view.screen))
    below = prose([*shown.notes, NOTE, *warnings], form, view.screen)
    return "\n".join([shown.text, "", *below])
