"""What the correction of sampled metrics is good for in the catalogue of a run, and which metrics it leaves out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from recbench.evaluation.correction import LEAST_OF_PERFECT, MOST_OF_PERFECT, has_little_bias
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.records.finished_trial import FinishedTrial


@dataclass(frozen=True, slots=True)
class Correction:
    """The correction of the sampled metrics of one task.

    Attributes:
        uniform: Whether the negatives are uniform, without which there is no correction; None if it is not known.
        perfect: For each measure that can be corrected, the value of a perfect model after the correction; empty if
            no trial is done, or the size of the catalogue is not known.
    """

    uniform: bool | None
    perfect: dict[Measure, float]

    def document(self) -> dict[str, Any]:
        """Returns the object of the JSON document: for each measure the bias for this catalogue."""
        return {
            "uniform_negatives": self.uniform,
            "shown_from": LEAST_OF_PERFECT,
            "shown_to": MOST_OF_PERFECT,
            "measures": {
                measure.name: {"perfect": value, "bias": value - 1, "shown": self._is_shown(value)}
                for measure, value in self.perfect.items()
            },
        }

    def note(self) -> str | None:
        """Returns the line on the value of a perfect model, and which metrics are missing; None without any."""
        if not self.uniform or not self.perfect:
            return None
        shown = {measure: value for measure, value in self.perfect.items() if self._is_shown(value)}
        low = {measure: value for measure, value in self.perfect.items() if value < LEAST_OF_PERFECT}
        high = {measure: value for measure, value in self.perfect.items() if value > MOST_OF_PERFECT}
        sentences = [f"corrected {_labels(shown)}: a perfect model has {_values(shown)}."] if shown else []
        limits = (low, f"less than {LEAST_OF_PERFECT:g}"), (high, f"more than {MOST_OF_PERFECT:g}")
        sentences += [
            f"corrected {_labels(missing)} {'are' if len(missing) > 1 else 'is'} missing: a perfect model has "
            f"{_values(missing)} after the correction, {beyond}."
            for missing, beyond in limits
            if missing
        ]
        return " ".join(sentences)

    def _is_shown(self, value: float) -> bool:
        return bool(self.uniform) and has_little_bias(value)


def correction_of(
    trials: Iterable[FinishedTrial], measures: Sequence[Measure], catalogue_size: int | None, uniform: bool | None
) -> Correction:
    """Computes the value of a perfect model after the correction.

    Args:
        trials: The trials of one task, which all have the same cases.
        measures: The metrics of the table.
        catalogue_size: See ``FinishedTrial.corrected``.
        uniform: Whether the negatives are uniform.
    """
    sampled = [measure for measure in measures if measure.ranking is Ranking.CANDIDATES]
    for trial in trials:
        values = {measure: trial.perfect_corrected(measure, catalogue_size) for measure in sampled}
        if any(value is not None for value in values.values()):
            return Correction(uniform, {measure: value for measure, value in values.items() if value is not None})
    return Correction(uniform, {})


def _labels(perfect: dict[Measure, float]) -> str:
    return " and ".join(measure.label for measure in perfect)


def _values(perfect: dict[Measure, float]) -> str:
    return " and ".join(f"{value:.3f}" for value in perfect.values())
