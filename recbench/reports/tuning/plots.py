"""Pictures of a tuning: what each trial reached, and which hyper-parameters matter."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from recbench.escaping.mathtext import mathtext
from recbench.output_files import OutputFile
from recbench.reports.plots.figures import legend_above, new_figure, plain_text, save_figure
from recbench.tuning.past import End
from recbench.tuning.result import ModelTuning

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TICK_CHARACTERS = 40
"""The most characters of a name beside an axis."""
MARKERS = {End.COMPLETED: "o", End.PRUNED: "x", End.OUT_OF_TIME: "s"}


@plain_text()
def draw_history(result: ModelTuning, output: OutputFile) -> Path:
    """Draws the score of each trial, how it ended, and the best so far."""
    figure = new_figure(8, 4)
    _history(figure.subplots(), result)
    return save_figure(figure, output)


@plain_text()
def draw_importance(model: str, importance: Mapping[str, float], output: OutputFile) -> Path:
    """Draws a bar for each hyper-parameter.

    Args:
        model: The model's name.
        importance: By hyper-parameter, the most important first; they sum up to 1.
        output: The picture.
    """
    figure = new_figure(8, 1 + 0.4 * len(importance))
    _importance(figure.subplots(), model, importance)
    return save_figure(figure, output)


@plain_text()
def draw_tuning(
    results: Sequence[ModelTuning], importance: Mapping[str, Mapping[str, float]], output: OutputFile
) -> Path:
    """Draws one row per model: the history, and the importance of its hyper-parameters if it is known.

    Args:
        results: The models that were tuned.
        importance: By model and hyper-parameter.
        output: The picture.
    """
    figure = new_figure(14, 4 * max(1, len(results)))
    for number, result in enumerate(results):
        of_model = importance.get(result.model)
        _history(figure.add_subplot(len(results), 2 if of_model else 1, (2 if of_model else 1) * number + 1), result)
        if of_model:
            _importance(figure.add_subplot(len(results), 2, 2 * number + 2), result.model, of_model)
    return save_figure(figure, output)


def _history(axes: "Axes", result: ModelTuning) -> None:
    from matplotlib.ticker import MaxNLocator

    scored = [(trial.number, trial.end, trial.score) for trial in result.past if trial.score is not None]
    for end, marker in MARKERS.items():
        some = [(number, score) for number, ended, score in scored if ended is end]
        if some:
            axes.plot(*zip(*some, strict=True), marker, label=end.value)
    completed = [(number, score) for number, end, score in scored if end is End.COMPLETED]
    if completed:
        numbers, scores = zip(*completed, (result.past[-1].number, 0.0), strict=True)
        axes.step(numbers, list(accumulate(scores, max)), where="post", label="best so far")
    failed = [trial.number for trial in result.past if trial.end is End.FAILED]
    if failed:
        # At the lower edge, for they have no score.
        axes.plot(failed, [0.02] * len(failed), "v", transform=axes.get_xaxis_transform(), label=End.FAILED.value)
    label = f"{result.objective.label} on validation cases"
    axes.set(xlabel="trial", ylabel=label, title=f"Tuning of {mathtext(result.model)}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if result.past:
        legend_above(axes)


def _importance(axes: "Axes", model: str, importance: Mapping[str, float]) -> None:
    bars = axes.barh(range(len(importance)), list(importance.values()))
    axes.set_yticks(range(len(importance)), [mathtext(name, TICK_CHARACTERS) for name in importance])
    axes.bar_label(bars, fmt="%.2f", padding=3)
    axes.invert_yaxis()
    axes.set(xlabel="share of the score's variation (PED-ANOVA)", title=f"What matters in {mathtext(model)}")
    axes.margins(x=0.1)
