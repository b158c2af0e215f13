"""What a gate holds a pull request to: a frozen set of limits, from a TOML file or the defaults."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from recbench.errors import RecbenchError
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import DEFAULT_METRICS, read_measures
from recbench.records.renaming import check_renames
from recbench.records.target import ANY, COSTS, LATENCY, THROUGHPUT, parse_target
from recbench.toml_file import TomlKind

Share = Annotated[float, Field(ge=0, lt=1)]


def _known(name: str) -> str:
    try:
        read_measures([name], (1,))
    except RecbenchError as error:
        raise ValueError(str(error)) from error
    return name.strip().lower()


def _with_targets(limits: dict[str, float]) -> dict[str, float]:
    for text, limit in limits.items():
        try:
            target = parse_target(text)
        except RecbenchError as error:
            raise ValueError(str(error)) from error
        if target.metric in COSTS and limit <= 0:
            change = "drop of throughput" if target.metric == THROUGHPUT else "rise of latency"
            raise ValueError(f"{text}: a {change} is a share above 0, such as 0.2")
    return limits


def _without_chains(renamed: dict[str, str]) -> dict[str, str]:
    try:
        check_renames(renamed)
    except RecbenchError as error:
        raise ValueError(str(error)) from error
    return renamed


MetricName = Annotated[str, AfterValidator(_known)]


class Policy(BaseModel):
    """The limits. Every one has a default; those that differ are printed with the verdict, and documents have all.

    Attributes:
        k: Cut-off of HR, of NDCG, and of the gated metrics that are given without one.
        gated: Metrics whose regression fails the gate, such as ``hr``, ``recall@20`` or ``full-ndcg@10``. HR and NDCG
            are always shown.
        floor: The minimum effect: the largest change of a metric that does not matter. 0.005 is half a percentage
            point of HR.
        seed_z: A change must be larger than this number of standard errors of the difference of two means over seeds.
            For few seeds, Student's distribution increases the number.
        assumed_seed_sd: Assumed standard deviation over seeds if a run has one seed. The confidence interval over users
            does not cover the variation between seeds: without this assumption, 7 of 100 simulated comparisons on
            ``ml-100k`` without any change were called regressed.
        alpha: Level of the tests, after Holm's correction over the gated metrics and models.
        strict: Whether an inconclusive verdict fails the gate.
        gate_throughput: Whether lower throughput fails the gate.
        throughput_drop: The largest drop of the median over seeds that passes: 0.2 is a fifth.
        throughput_seeds: Seeds that each run needs before throughput is gated.
        throughput_fit_seconds: Shortest median fit whose throughput is gated, in seconds. Shorter fits are too short
            to time.
        gate_latency: Whether higher latency fails the gate, where both runs have figures of ``run --serving``.
        latency_rise: The largest rise of the median over seeds that passes, of the 95th percentile of requests for
            users with a long history: 0.2 is a fifth.
        above_chance: Whether the lower end of the confidence interval of HR, and of each gated metric, must be above
            the value of a random order.
        above_popularity: Whether HR, and each gated metric, must be above that of ``popularity`` in the same run.
        floor_exempt: Models, or labels of configurations, that need not be above chance and popularity.
        limits: Limits of single models and metrics, by ``MODEL:METRIC``. They replace ``floor``; for
            ``MODEL:throughput``, ``throughput_drop``; for ``MODEL:latency``, ``latency_rise``. ``*`` stands for any
            model or any metric. The most specific limit counts, and a model is more specific than a metric.
        renamed: The new name of each renamed model of BASE, by its old name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    k: Annotated[int, Field(ge=1)] = 10
    gated: Annotated[tuple[MetricName, ...], Field(min_length=1)] = ("hr",)
    floor: Share = 0.005
    seed_z: Annotated[float, Field(ge=0)] = 1.96
    assumed_seed_sd: Share = 0.003
    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    strict: bool = False
    gate_throughput: bool = True
    throughput_drop: Annotated[float, Field(gt=0, lt=1)] = 0.2
    throughput_seeds: Annotated[int, Field(ge=2)] = 3
    throughput_fit_seconds: Annotated[float, Field(ge=0)] = 0.1
    gate_latency: bool = True
    latency_rise: Annotated[float, Field(gt=0, lt=1)] = 0.2
    above_chance: bool = True
    above_popularity: bool = True
    floor_exempt: tuple[str, ...] = ("random",)
    limits: Annotated[dict[str, Share], AfterValidator(_with_targets)] = {}
    renamed: Annotated[dict[str, str], AfterValidator(_without_chains)] = {}

    @property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that are shown: HR and NDCG, and those that are gated besides."""
        return tuple(dict.fromkeys([*read_measures(DEFAULT_METRICS, (self.k,)), *self._gated_measures]))

    @property
    def gated_metrics(self) -> tuple[str, ...]:
        """Names of the measures that are gated, such as ``hr@10``, in the order in which they are shown."""
        gated = self._gated_measures
        return tuple(measure.name for measure in self.measures if measure in gated)

    @property
    def _gated_measures(self) -> tuple[Measure, ...]:
        return read_measures(self.gated, (self.k,))

    def floor_of(self, names: Collection[str], metric: str) -> float:
        """Returns the largest change that does not matter, of a metric of a model.

        Args:
            names: The names of the model: its own, and the label of its configuration.
            metric: The name of a measure, such as ``hr@10``.
        """
        return self._limit(names, metric, self.floor)

    def throughput_drop_of(self, names: Collection[str]) -> float:
        """Returns the drop of a model's throughput that is too much."""
        return self._limit(names, THROUGHPUT, self.throughput_drop)

    def latency_rise_of(self, names: Collection[str]) -> float:
        """Returns the rise of a model's latency that is too much."""
        return self._limit(names, LATENCY, self.latency_rise)

    def _limit(self, names: Collection[str], metric: str, otherwise: float) -> float:
        limits: dict[tuple[bool, bool], float] = {}
        for text, limit in self.limits.items():
            target = parse_target(text)
            # A limit of any metric is in the unit of metrics, not a share of the throughput.
            if target.covers(names, metric, self.k) and (metric not in COSTS or target.metric == metric):
                limits[target.model != ANY, target.metric != ANY] = limit
        return limits[max(limits)] if limits else otherwise

    def to_dict(self) -> dict[str, Any]:
        """Returns the limits as plain values; without the tables that are empty."""
        return {name: value for name, value in self.model_dump(mode="json").items() if value != {}}


def read_policy(path: Path) -> Policy:
    """Reads a policy from TOML; what it does not name keeps its default.

    Raises:
        RecbenchError: The file cannot be read, is not TOML, or has an unknown or impossible field, which is named.
    """
    fields = f"Fields: {', '.join(Policy.model_fields)}; for example: floor = 0.01"
    return TomlKind("policy", if_broken=fields).load(path, Policy)
