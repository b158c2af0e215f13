"""From names to metrics. Listing the names imports neither a metric nor numpy, so that ``--help`` stays fast."""

from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from recbench.entry_points import entry_points_of
from recbench.errors import RecbenchError, unknown_name

if TYPE_CHECKING:
    from recbench.evaluation.metric import Measure, Metric
    from recbench.evaluation.ranking import Ranking

GROUP = "recbench.metrics"
"""The entry-point group by which another package adds metrics: name = "module:METRIC"."""

DEFAULT_METRICS = ("hr", "ndcg")
"""What tables and comparisons show unless other metrics are asked for."""


def builtin_metrics() -> tuple[str, ...]:
    """Returns the names of the metrics that come with recbench: one for each file of ``metrics/``."""
    modules = iter_modules([str(Path(__file__).parent / "metrics")])
    return tuple(sorted(module.name.replace("_", "-") for module in modules))


def metric_names() -> tuple[str, ...]:
    """Returns the names of all metrics: those of recbench, and then those that other packages add."""
    own = builtin_metrics()
    return (*own, *sorted(_from_other_packages().keys() - set(own)))


@cache
def find_metric(name: str) -> "Metric":
    """Returns the metric of that name.

    Raises:
        RecbenchError: There is none, with the nearest names; or another package's metric cannot be imported.
    """
    from recbench.evaluation.metric import Metric

    if name in builtin_metrics():
        metric = import_module(f"recbench.evaluation.metrics.{name.replace('-', '_')}").METRIC
    elif name in (others := _from_other_packages()):
        try:
            metric = others[name].load()
        # Of any class: it runs the code of another package. The message names the error itself.
        except Exception as error:
            raise RecbenchError(
                f"The metric {name!r} of {others[name].value} cannot be loaded: {type(error).__name__}: {error}.",
                "Correct or uninstall the package that adds it.",
            ) from error
    else:
        raise unknown_name("metric", name, metric_names(), "Write METRIC@K, such as hr@10, or mrr, which takes no k.")
    if not isinstance(metric, Metric) or metric.name != name:
        raise RecbenchError(
            f"The entry point {name!r} of {GROUP} is not a metric of that name.",
            "It must name an instance of recbench.evaluation.metric.Metric.",
        )
    return metric


def parse_measure(text: str) -> "Measure":
    """Reads a metric, its ranking and its cut-off: ``hr@10``, ``full-recall@20``, ``mrr``; letters of either case.

    Raises:
        RecbenchError: The metric is unknown, with the nearest names; or the cut-off is missing, too many, or no number.
    """
    from recbench.evaluation.metric import Measure

    name, at, k = text.strip().lower().partition("@")
    metric, ranking = _metric_and_ranking(name)
    if at and not (k.isascii() and k.isdigit() and int(k[:10])):
        raise RecbenchError(f"{text!r}: {k!r} is not a cut-off.", f"Use a whole number from 1 up: {name}@10")
    return Measure(metric, int(k) if at else None, ranking)


def measure_of(name: str, k: int) -> "Measure":
    """Returns the metric of that name, such as ``full-hr``, at k; k is left out where the metric takes none.

    Raises:
        RecbenchError: The metric is unknown.
    """
    from recbench.evaluation.metric import Measure

    metric, ranking = _metric_and_ranking(name)
    return Measure(metric, k if metric.takes_k else None, ranking)


def measures_at(names: Iterable[str], ks: Iterable[int]) -> "tuple[Measure, ...]":
    """Returns the measures of a table: for each k all metrics that take one, and then those that take none.

    Raises:
        RecbenchError: A metric is unknown.
    """
    takes_k = {name: _metric_and_ranking(name)[0].takes_k for name in names}
    with_k = [measure_of(name, k) for k in ks for name in takes_k if takes_k[name]]
    return (*with_k, *(measure_of(name, 0) for name in takes_k if not takes_k[name]))


def read_measures(texts: Iterable[str], ks: Sequence[int]) -> "tuple[Measure, ...]":
    """Reads metrics with or without a cut-off, such as ``recall@20`` or ``full-recall``; letters of either case.

    Args:
        texts: The metrics.
        ks: The cut-offs of metrics without one of their own.

    Returns:
        The measures, each once and in the order of the texts; if no text has a cut-off, in the order of
        ``measures_at``.

    Raises:
        RecbenchError: A metric is unknown, or a cut-off is not a number.
    """
    given = [text.strip().lower() for text in texts]
    if not any("@" in text for text in given):
        return measures_at(given, ks)
    measures = [
        measure for text in given for measure in ([parse_measure(text)] if "@" in text else measures_at([text], ks))
    ]
    return tuple({measure.name: measure for measure in measures}.values())


def _metric_and_ranking(name: str) -> "tuple[Metric, Ranking]":
    """Reads the name of a metric with or without the prefix of the full ranking.

    Raises:
        RecbenchError: The metric is unknown.
    """
    from recbench.evaluation.metric import FULL_PREFIX
    from recbench.evaluation.ranking import Ranking

    # Another package may have a metric whose name begins like that.
    if name.startswith(FULL_PREFIX) and name not in metric_names():
        return find_metric(name.removeprefix(FULL_PREFIX)), Ranking.FULL
    return find_metric(name), Ranking.CANDIDATES


@cache
def _from_other_packages() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points_of(GROUP)}
