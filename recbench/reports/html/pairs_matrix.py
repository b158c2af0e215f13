"""The pairs of models as a matrix: the difference of each row from each column, with its p."""

from collections.abc import Sequence
from dataclasses import dataclass

from recbench.evaluation.metric import Measure
from recbench.evaluation.paired_tests import ALPHA
from recbench.reports.html.tables import Named, difference, fitting_width
from recbench.reports.plots.short_labels import short_labels
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.uncertainty import Pair

MOST_MODELS = 16
"""More models have no room beside each other; the CSV file of the pairs has all."""
LABEL_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """One model minus another.

    Attributes:
        difference: Of the means, with its sign.
        p: After Holm, as text.
        result: ``better``, ``worse`` or ``equal`` (not significantly different); ``none`` for a model and itself, and
            for a model without ranks.
    """

    difference: str = ""
    p: str = ""
    result: str = "none"


@dataclass(frozen=True, slots=True)
class Matrix:
    """All pairs by one measure.

    Attributes:
        label: The measure.
        models: The models of the rows, which are those of the columns too; the best first.
        labels: The number and a short name of each column, for narrow windows.
        cells: For each row, a cell for each column.
        n_equal: How many pairs are not significantly different.
        n_pairs: How many pairs there are.
        n_left_out: How many further models were compared.
    """

    label: str
    models: tuple[Named, ...]
    labels: tuple[str, ...]
    cells: tuple[tuple[MatrixCell, ...], ...]
    n_equal: int
    n_pairs: int
    n_left_out: int

    @property
    def fits(self) -> int:
        """The smallest width of a window, in pixels, in which all columns have room."""
        return fitting_width(205 + 60 * len(self.models))


def pairs_matrices(report: RunReport, models: Sequence[Named]) -> list[Matrix]:
    """Returns a matrix for each measure that compares at least two models."""
    matrices = []
    for measure in report.columns:
        pairs = [pair for pair in report.uncertainty.pairs if pair.measure == measure]
        if pairs:
            matrices.append(_matrix(measure, pairs, models))
    return matrices


def _matrix(measure: Measure, pairs: Sequence[Pair], models: Sequence[Named]) -> Matrix:
    compared = sorted({number for pair in pairs for number in (pair.first, pair.second)})
    compared.sort(key=lambda number: -_level(models[number], measure))
    shown = compared[:MOST_MODELS]
    by_models = {(pair.first, pair.second): pair for pair in pairs}
    names = short_labels([models[number].summary.name for number in shown], LABEL_CHARACTERS)
    return Matrix(
        measure.label,
        tuple(models[number] for number in shown),
        tuple(f"{number} {name}" for number, name in enumerate(names, start=1)),
        tuple(tuple(_cell(row, column, by_models) for column in shown) for row in shown),
        sum(pair.p_adjusted >= ALPHA for pair in pairs),
        len(pairs),
        len(compared) - len(shown),
    )


def _level(model: Named, measure: Measure) -> float:
    spread = model.summary.figure(measure)
    return spread.mean if spread else 0.0


def _cell(row: int, column: int, pairs: dict[tuple[int, int], Pair]) -> MatrixCell:
    pair = pairs.get((row, column)) or pairs.get((column, row))
    if pair is None:
        return MatrixCell()
    value = pair.evidence.difference if pair.first == row else -pair.evidence.difference
    result = "equal" if pair.p_adjusted >= ALPHA else "better" if value > 0 else "worse"
    return MatrixCell(difference(value), p_text(pair.p_adjusted), result)


def p_text(p: float) -> str:
    """Returns a p-value with two digits.

    >>> p_text(0.00004), p_text(0.0312), p_text(1.0)
    ('<.001', '.031', '1')
    """
    if p >= 1:
        return "1"
    return "<.001" if p < 0.001 else f"{p:.2g}".removeprefix("0")
