"""What the tests of a run find beyond the best model: models below popularity, and rankings that contradict each other.

Both rest on the pairs of ``recbench.reports.run.uncertainty``: p < 5 % after Holm over all pairs of a measure. Two
models contradict each other only if both tests, each in its own family, are significant.
"""

import math
from dataclasses import dataclass

from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranking
from recbench.reports.run.run_report import RunReport
from recbench.reports.run.uncertainty import Pair

PAIRS_IN_A_LINE = 4
"""More pairs that contradict each other are counted, not named, in the lines under a table."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two models whose order among the candidates is the opposite of that in the full ranking; both are significant.

    Attributes:
        measure: The measure among the candidates.
        sampled_winner: The model that is better among the candidates, as a number of a summary.
        full_winner: The model that is better in the full ranking.
        sampled: The pair by the measure among the candidates.
        full: The same pair by the measure in the full ranking.
    """

    measure: Measure
    sampled_winner: int
    full_winner: int
    sampled: Pair
    full: Pair


def contradictions(report: RunReport) -> list[Contradiction]:
    """Returns the pairs of models that the two rankings order in opposite ways, by measure; largest differences first.

    The order within a measure is that of the smaller of the two differences, each relative to its standard error.
    """
    of_measure: dict[Measure, dict[tuple[int, int], Pair]] = {}
    for pair in report.uncertainty.significant:
        if pair.measure in report.columns:
            of_measure.setdefault(pair.measure, {})[pair.first, pair.second] = pair
    ordered = []
    for measure in report.columns:
        if measure.ranking is Ranking.FULL:
            continue
        in_full = of_measure.get(measure.in_ranking(Ranking.FULL), {})
        opposite = [
            Contradiction(measure, *_winners(pair), pair, in_full[models])
            for models, pair in of_measure.get(measure, {}).items()
            if models in in_full and pair.evidence.difference * in_full[models].evidence.difference < 0
        ]
        ordered += sorted(
            opposite, key=lambda contradiction: -min(_errors(contradiction.sampled), _errors(contradiction.full))
        )
    return ordered


def contradiction_notes(report: RunReport, most: int | None = PAIRS_IN_A_LINE) -> list[str]:
    """Returns a line for each measure by which the two rankings contradict each other.

    Args:
        report: The run.
        most: How many pairs a line names; None for all.
    """
    all_contradictions, lines = contradictions(report), []
    for measure in dict.fromkeys(contradiction.measure for contradiction in all_contradictions):
        of_measure = [contradiction for contradiction in all_contradictions if contradiction.measure == measure]
        losers: dict[str, list[str]] = {}
        for contradiction in of_measure[:most]:
            winner, loser = (
                report.summaries[number].name for number in (contradiction.sampled_winner, contradiction.full_winner)
            )
            losers.setdefault(winner, []).append(loser)
        named = [f"{winner} over {', '.join(names)}" for winner, names in losers.items()]
        rest = len(of_measure) - len(of_measure[:most])
        more = f" ({rest} more pair{'s' if rest > 1 else ''}: --pairs)" if rest else ""
        full = measure.in_ranking(Ranking.FULL)
        lines.append(
            f"{measure.label} and {full.label} contradict each other significantly: {'; '.join(named)} by "
            f"{measure.label}, and the reverse by {full.label}{more}."
        )
    return lines


def below_popularity_notes(report: RunReport) -> list[str]:
    """Returns a line that names the models that are significantly below popularity; none if none is."""
    named = []
    for summary, standings in zip(report.summaries, report.uncertainty.standings, strict=True):
        below = [
            column.label
            for column in report.columns
            if column.name in standings and standings[column.name].below_reference
        ]
        if below:
            named.append(f"{summary.name} ({', '.join(below)})")
    return [f"Significantly below popularity: {'; '.join(named)}."] if named else []


def _winners(pair: Pair) -> tuple[int, int]:
    """Returns the better of the two models, and the other."""
    return (pair.first, pair.second) if pair.evidence.difference > 0 else (pair.second, pair.first)


def _errors(pair: Pair) -> float:
    """Returns the difference in standard errors; infinite where all users differ by the same."""
    error = pair.evidence.standard_error
    return abs(pair.evidence.difference) / error if error else math.inf
