"""Two runs side by side as an object, and the gate that decides on them."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from recbench.arguments import POSITIVE, read_argument, read_metrics
from recbench.errors import NoBaselineError, RecbenchError, unknown_name
from recbench.escaping.shell import shell_command
from recbench.evaluation.metric import Measure
from recbench.evaluation.metric_names import DEFAULT_METRICS, read_measures
from recbench.experiments.gates import Gate, read_limits
from recbench.experiments.python_words import table_in_python
from recbench.experiments.results import Run
from recbench.records.ancestry import Ancestries, find_ancestries
from recbench.records.declared_regressions import declarations_file, declared_regressions
from recbench.records.grouping import name_of
from recbench.records.renaming import check_applied, renames_that_apply, with_new_names
from recbench.records.selection import RecordSet, check_nothing_in_common, read_records, with_models, with_task
from recbench.records.superseded import without_superseded
from recbench.records.target import ANY, COSTS
from recbench.records.task_names import name_of_task
from recbench.reports.compare.accepted_regressions import Allowance, read_allowances
from recbench.reports.compare.comparison import Compared, compare_records
from recbench.reports.compare.comparison import Comparison as RecordComparison
from recbench.reports.compare.document import compare_document
from recbench.reports.compare.document_types import CompareDocument
from recbench.reports.compare.gate import DecidedComparison, decide_verdicts
from recbench.reports.compare.gate import gate as decide_gate
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.repeat import place_for_others, repeat_commands
from recbench.reports.compare.table import compare_table
from recbench.reports.compare.throughput import SpeedDecision
from recbench.reports.formats import Format

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_K = 10
DecideSpeeds = Callable[[Sequence[Compared]], Sequence[SpeedDecision | None]]
Records = str | os.PathLike[str] | Run
"""A run, or a text: a folder of records, one record, a label of accepted baselines, or ``REV:PATH`` in git."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """CURRENT compared with BASE, case by case.

    Attributes:
        base: The accepted records.
        current: The records that are compared with them.
        k: Cut-off of the metrics that are given without one.
        metric_names: The metrics, such as ``hr`` or ``recall@20``.
        renamed: The new name of each renamed model of BASE, by its old name.
        models: The models that are compared; None for all.
        task: The name of the task whose records are compared; None for all tasks.
    """

    base: RecordSet
    current: RecordSet
    k: int
    metric_names: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)
    models: tuple[str, ...] | None = None
    task: str | None = None

    @cached_property
    def decided(self) -> DecidedComparison:
        """The figures and the verdicts.

        Raises:
            RecbenchError: Configurations cannot be matched, or a cut-off is beyond the candidates.
        """
        policy = Policy(k=self.k)
        measures = read_measures(self.metric_names, (self.k,))
        options = self._options(["--k", str(self.k)] if self.k != DEFAULT_K else [])
        if self.metric_names != DEFAULT_METRICS:
            options += ["--metrics", ",".join(self.metric_names)]
        command = shell_command(["recbench", "compare", self.base.text, self.current.text, *options])
        return decide_verdicts(self._compared(measures), policy, command)

    @property
    def nothing_compared(self) -> bool:
        """Whether no model could be compared."""
        return self.decided.comparison.nothing_compared

    def gate(
        self,
        policy: Policy | str | os.PathLike[str] | None = None,
        *,
        strict: bool = False,
        allow: Mapping[str, str] | None = None,
    ) -> Gate:
        """Decides whether CURRENT may replace BASE.

        Regressions that ``results/accepted-regressions.toml`` declares as intended do not count, if BASE does not have
        the declaration yet.

        Args:
            policy: The limits, or a TOML file with them; None for the defaults.
            strict: Whether ``inconclusive`` fails the gate too.
            allow: Regressions that are intended: the reason of each, by ``MODEL:METRIC``; None for none.

        Raises:
            RecbenchError: The policy cannot be read, or an intended regression is of an unknown model or metric.
        """
        limits = read_limits(policy)
        limits = limits.model_copy(update={"strict": limits.strict or strict})
        reasons = allow or {}
        further = ["--strict"] if strict else []
        further += [word for pair in reasons.items() for word in ("--allow", *pair)]
        file = None if policy is None or isinstance(policy, Policy) else os.fspath(policy)
        options, of_others = (
            self._options([*(["--policy", path] if path else []), *further])
            for path in (file, file and (place_for_others(file) or Path(file).name))
        )
        command = shell_command(["recbench", "gate", self.base.text, self.current.text, *options])
        repeat = partial(repeat_commands, "gate", self.base, self.current, of_others)
        return self.decide(limits, reasons, command, repeat=repeat)

    def decide(
        self,
        limits: Policy,
        allow: Mapping[str, str],
        command: str,
        decide_speeds: DecideSpeeds | None = None,
        repeat: Callable[[], Sequence[str]] = tuple,
    ) -> Gate:
        """Decides as ``gate`` does, with limits that have been read.

        Args:
            limits: The limits.
            allow: The reasons of intended regressions.
            command: What prints the same again.
            decide_speeds: Decides on the throughput of all models; None to decide by the seeds of each side.
            repeat: Returns the commands that repeat this in another clone of the repository; none if ``command`` does.

        Raises:
            RecbenchError: An intended regression is of an unknown model or metric.
        """
        given = read_allowances(allow.items(), "--allow")
        self._check_targets(given, limits)
        declared = read_allowances(declared_regressions(self.base).items(), str(declarations_file()))
        comparison = self._compared(limits.measures, renames_that_apply(self.base, limits.renamed))
        speed = decide_speeds(comparison.models) if decide_speeds else None
        return Gate(decide_gate(comparison, limits, command, [*given, *declared], speed, repeat))

    def _check_targets(self, given: Sequence[Allowance], policy: Policy) -> None:
        trials = [*self.base.trials, *self.current.trials]
        names = {name for trial in trials for name in (trial.record.model, name_of(trial.record))}
        gated = {ANY, *COSTS, *policy.gated_metrics}
        for target in (allowance.target for allowance in given):
            if target.model not in {ANY, *names}:
                raise unknown_name("model of --allow", target.model, names)
            if target.metric_at(policy.k) not in gated:
                raise RecbenchError(
                    f"--allow {target}: {target.metric_at(policy.k)} is not gated, so it cannot fail the gate.",
                    f"Gated: {', '.join([*policy.gated_metrics, *COSTS])}.",
                )

    def to_frame(self) -> "pd.DataFrame":
        """Returns one row for each model and metric.

        Columns: task, model, metric, baseline, current, difference (current minus baseline), low and high (95 %
        confidence interval), p, p_holm, verdict, reasons.
        """
        import pandas as pd

        rows = []
        for model, metric, decision in self.decided.cells():
            base, current = model.measured.base.get(metric), model.measured.current.get(metric)
            evidence = model.measured.evidence.get(metric)
            rows.append(
                {
                    "task": model.task.name,
                    "model": model.label,
                    "metric": metric,
                    "baseline": base.spread.mean if base else None,
                    "current": current.spread.mean if current else None,
                    "difference": evidence.difference if evidence else None,
                    "low": evidence.interval.low if evidence else None,
                    "high": evidence.interval.high if evidence else None,
                    "p": evidence.p if evidence else None,
                    "p_holm": decision.p_adjusted,
                    "verdict": decision.verdict.value,
                    "reasons": "; ".join(decision.reasons),
                }
            )
        return pd.DataFrame(rows)

    def table(self, form: str | Format = Format.TEXT) -> str:
        """Returns what ``recbench compare`` prints, in a format."""
        return table_in_python(compare_table(self.decided, Format(form)), Format(form))

    def document(self) -> CompareDocument:
        """Returns the JSON document of ``recbench compare --json``."""
        return compare_document(self.decided)

    def __repr__(self) -> str:
        return self.table()

    def _repr_html_(self) -> str:
        return self.table(Format.HTML)

    @cached_property
    def _ancestries(self) -> Ancestries:
        return find_ancestries(self.base, self.current)

    def _compared(
        self, measures: Sequence[Measure], further: Mapping[str, str] = MappingProxyType({})
    ) -> RecordComparison:
        """Compares the records; ``further`` are the renamed models that a policy names."""
        base = with_new_names(self.base, further)
        renamed = {**self.renamed, **further}
        return compare_records(base, self.current, measures, ancestries=self._ancestries, renamed=renamed)

    def _options(self, options: Sequence[str]) -> list[str]:
        """Returns these options of a command that prints the same, and those of the task and the models."""
        task = ["--task", self.task] if self.task else []
        models = ["--models", ",".join(self.models)] if self.models else []
        renamed = ["--renamed", ",".join(f"{old}={new}" for old, new in self.renamed.items())] if self.renamed else []
        return [*options, *task, *models, *renamed]


def compare(
    base: Records,
    current: Records,
    *,
    k: int = 10,
    metrics: str | Sequence[str] = DEFAULT_METRICS,
    models: Sequence[str] | None = None,
    renamed: Mapping[str, str] | None = None,
    task: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Compares two runs case by case.

    Args:
        base: The accepted records: a run, a label of accepted baselines, a folder of records, one record, or
            ``REV:PATH`` in git.
        current: The records to compare with them, given in the same ways.
        k: Cut-off of the metrics that are given without one.
        metrics: Metrics, such as ``("hr", "recall@20")``.
        models: Compare only these models or labelled configurations; None for all.
        renamed: The new name of each model that was renamed since BASE, by its old name; None for none.
        task: Compare only the records of this task, given by its name or spec file; None for all tasks.

    Returns:
        The comparison; ``compare(a, b).gate().passed`` says whether ``b`` may replace ``a``.

    Raises:
        RecbenchError: The records cannot be read, both sides have records in common, or a model or the task is unknown.
        NothingToCompareError: One side has no records.

    Examples:
        >>> import recbench as rb
        >>> few = rb.Model("itemknn", overlap=1, label="knn")
        >>> many = rb.Model("itemknn", overlap=8, label="knn")
        >>> base = rb.run(few, "synthetic", seeds=1, output="base", quiet=True)
        >>> current = rb.run(many, "synthetic", seeds=1, output="current", quiet=True)
        >>> rb.compare(base, current).to_frame()["model"].unique().tolist()
        ['knn']
    """
    return _compared(_records(base), _records(current), k, metrics, models, renamed or {}, task)


def compare_with_all(
    bases: Sequence[str],
    current: Records,
    *,
    models: Sequence[str] | None,
    renamed: Mapping[str, str],
    task: str | os.PathLike[str] | None = None,
) -> list[Comparison]:
    """Compares a run with several baselines.

    If nothing was ever accepted as the first of them, there is no baseline yet: the comparison then has no records of
    BASE, and all models are new. The same holds for further ones then.

    Args:
        bases: The baselines; see ``compare``.
        current: The run.
        models: See ``compare``.
        renamed: See ``compare``. They must apply to the first baseline; others may be older or newer than the new name.
        task: See ``compare``.

    Raises:
        RecbenchError: See ``compare``.
        NothingToCompareError: See ``compare``.
    """
    records = _records(current)
    baselines: list[RecordSet] = []
    for base in bases:
        try:
            baselines.append(_records(base))
        except NoBaselineError as error:
            if baselines and baselines[0].locations:
                raise
            baselines.append(RecordSet(base, (), frozenset(), alternatives=error.alternatives))
    return [
        _compared(baseline, records, DEFAULT_K, DEFAULT_METRICS, models, renames, task)
        for number, baseline in enumerate(baselines)
        for renames in [renamed if baseline.locations and not number else renames_that_apply(baseline, renamed)]
    ]


def _compared(
    base: RecordSet,
    current: RecordSet,
    k: int,
    metrics: str | Sequence[str],
    models: Sequence[str] | None,
    renamed: Mapping[str, str],
    task: str | os.PathLike[str] | None = None,
) -> Comparison:
    check_nothing_in_common(base, current)
    if task is not None:
        base, current = with_task([base, current], task)
    current = without_superseded(current)
    check_applied(base, current, renamed)
    applied = renames_that_apply(base, renamed)
    base = with_new_names(base, applied)
    if models is not None:
        base, current = with_models([base, current], models)
    cut_off = read_argument("k", POSITIVE, k, "For example: k=10")
    names = None if models is None else tuple(models)
    # A name, because a spec file may have another path in another clone.
    task_name = None if task is None else name_of_task(task)
    return Comparison(base, current, cut_off, tuple(read_metrics(metrics)), applied, names, task_name)


def compare_sets(base: RecordSet, current: RecordSet) -> Comparison:
    """Compares two sets of records that have been read; see ``compare``."""
    return _compared(base, current, DEFAULT_K, DEFAULT_METRICS, None, {})


def _records(given: Records) -> RecordSet:
    if isinstance(given, Run):
        return given.records()
    if not isinstance(given, str | os.PathLike):
        raise RecbenchError(
            f"{type(given).__name__} is not a run or the name of records.",
            "Give a run, a folder of records, a label of accepted baselines, or REV:PATH.",
        )
    return read_records(os.fspath(given))
