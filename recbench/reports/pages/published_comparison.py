"""What others published on a task, compared with the records: computed here, rendered in ``published_table``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recbench.errors import RecbenchError
from recbench.evaluation.bootstrap import Interval
from recbench.evaluation.inference import infer, seed_mean
from recbench.evaluation.metric import Measure
from recbench.evaluation.ranking import Ranks
from recbench.records.published_results import PublishedResult
from recbench.reports.run.run_report import seed_ranks
from recbench.reports.run.summary import ModelSummary
from recbench.reports.spread import Spread


@dataclass(frozen=True, slots=True)
class OwnFigure:
    """A figure of the records.

    Attributes:
        spread: Its mean, over seeds.
        interval: Its 95 % confidence interval over users; None for a single user.
    """

    spread: Spread
    interval: Interval | None

    def is_below(self, published: float) -> bool:
        """Whether it is significantly below a published value.

        The published value must be above the confidence interval, and above the mean by more than the standard
        deviation over seeds. There is no paired test, because nobody publishes values by user.
        """
        if self.interval is None:
            return False
        return published > max(self.interval.high, self.spread.mean + (self.spread.sd or 0.0))


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A published result, with one configuration of the same model.

    Attributes:
        result: What was published.
        name: What tables call the configuration; None if the records hold none of that model.
        own: The figures of the configuration, for each published one that its records can tell.
    """

    result: PublishedResult
    name: str | None
    own: Mapping[Measure, OwnFigure]

    @property
    def below(self) -> tuple[Measure, ...]:
        """The measures by which the configuration is significantly below the published result."""
        return tuple(
            measure
            for measure, value in self.result.figures.items()
            if measure in self.own and self.own[measure].is_below(float(value))
        )


def beside_published(summaries: Sequence[ModelSummary], results: Sequence[PublishedResult]) -> tuple[PublishedRow, ...]:
    """Compares published results with the records.

    Args:
        summaries: The configurations in the records.
        results: What was published.

    Returns:
        A row for each published result and each configuration of its model; one row if there is no configuration.

    Raises:
        RecbenchError: A published cut-off is more than the candidates of a case.
    """
    asked = {
        (summary.name, measure): summary
        for result in results
        for summary in summaries
        if summary.model == result.model
        for measure in result.figures
    }
    own = _own_figures(asked)
    rows = []
    for result in results:
        of_model = [summary.name for summary in summaries if summary.model == result.model]
        rows += [
            PublishedRow(
                result, name, {measure: own[name, measure] for measure in result.figures if (name, measure) in own}
            )
            for name in of_model
        ]
        if not of_model:
            rows.append(PublishedRow(result, None, {}))
    return tuple(rows)


def _own_figures(asked: Mapping[tuple[str, Measure], ModelSummary]) -> dict[tuple[str, Measure], OwnFigure]:
    """Computes each figure from the ranks of the done trials; those without such ranks are left out."""
    spreads, samples = {}, []
    for (name, measure), summary in asked.items():
        of_seeds = seed_ranks(summary, measure.ranking)
        spread = Spread.of_all(trial.mean(measure) for trial in summary.group.done)
        if spread is None:
            continue
        for ranks in of_seeds.values():
            _check_cut_off(measure, ranks)
        spreads[name, measure] = spread
        samples.append(seed_mean(of_seeds.values(), measure))
    intervals, _ = infer(samples)
    return {
        key: OwnFigure(spread, interval) for (key, spread), interval in zip(spreads.items(), intervals, strict=True)
    }


def _check_cut_off(measure: Measure, ranks: Ranks) -> None:
    try:
        measure.check_cut_off(ranks)
    except RecbenchError as error:
        raise RecbenchError(
            f"Published results, {error.message}", "Correct the metric in the file of published results."
        ) from error
