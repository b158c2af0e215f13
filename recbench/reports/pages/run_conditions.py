"""What a command must say to run trials under the same conditions again."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from recbench.records.finished_trial import FinishedTrial
from recbench.records.schema import CurvePoint, Record, Status
from recbench.trials.curve_epochs import CurveEpochs


@dataclass(frozen=True, slots=True)
class RunConditions:
    """What one command gives to all of its models.

    Attributes:
        first_seed: The first seed.
        n_seeds: The number of seeds.
        ks: The cut-offs of the metrics that records store.
        threads: Threads of each trial.
        device: What to train on.
        jobs: Trials at a time.
        full: Whether there is a full ranking.
        serving: Whether the models were measured in use.
        curve: The epochs of the learning curve; empty for none.
    """

    first_seed: int
    n_seeds: int
    ks: tuple[int, ...]
    threads: int
    device: str
    jobs: int
    full: bool
    serving: bool
    curve: str

    @property
    def words(self) -> list[str]:
        """The options."""
        return [
            *(["--k", ",".join(map(str, self.ks))] if self.ks != (10,) else []),
            *(["--seed", str(self.first_seed)] if self.first_seed else []),
            *("--seeds", str(self.n_seeds), "--threads", str(self.threads)),
            *(["--device", self.device] if self.device != "auto" else []),
            *(["--jobs", str(self.jobs)] if self.jobs > 1 else []),
            *(["--full"] if self.full else []),
            *(["--serving"] if self.serving else []),
            *(["--curve", self.curve] if self.curve else []),
        ]


def cut_offs_of(record: Record) -> tuple[int, ...]:
    """Returns the cut-offs of the metrics that a record stores; none if it has no metrics."""
    matches = (re.fullmatch(r"hr@(\d+)", name) for name in record.metrics)
    return tuple(sorted(int(match[1]) for match in matches if match))


def run_conditions(trials: Sequence[FinishedTrial], cut_offs: tuple[int, ...], curve: str) -> list[RunConditions]:
    """Returns the conditions of the commands that run a configuration: one for each run of seeds without a gap.

    Args:
        trials: Its trials.
        cut_offs: Those of trials whose records have none.
        curve: ``curve_text`` of all curves of the run; empty if they have none in common.
    """
    records = [trial.record for trial in trials]
    command_conditions: list[RunConditions] = []
    for record in sorted(records, key=lambda record: record.seed):
        conditions = RunConditions(
            first_seed=record.seed,
            n_seeds=1,
            ks=cut_offs_of(record) or cut_offs,
            threads=record.threads,
            device=record.device,
            jobs=record.concurrent_trials,
            full=record.catalogue is not None or record.catalogue_error is not None,
            serving=record.serving is not None or record.serving_error is not None,
            curve=(curve or curve_text([record.curve])) if record.curve else curve * (record.status is not Status.DONE),
        )
        last = command_conditions[-1] if command_conditions else None
        if last and conditions == replace(last, first_seed=last.first_seed + last.n_seeds, n_seeds=1):
            command_conditions[-1] = replace(last, n_seeds=last.n_seeds + 1)
        else:
            command_conditions.append(conditions)
    return command_conditions


def curve_text(curves: Sequence[Sequence[CurvePoint]]) -> str:
    """Returns the value of ``--curve`` for which all curves have their points; empty if there is none, or no curve.

    Records do not hold the value. The last epoch of a training always has a point.

    Args:
        curves: Learning curves that are not empty.
    """
    if not curves or min(point.epoch for curve in curves for point in curve) < 1:
        return ""
    before = sorted({point.epoch for curve in curves for point in curve[:-1]})
    # Any epoch from the last one on gives the last point alone.
    chosen = before or [max(curve[-1].epoch for curve in curves)]
    texts = ["all", f"every:{chosen[0]}", ",".join(map(str, chosen))]
    fitting = (text for text in texts if all(_has_points(curve, CurveEpochs.parse(text)) for curve in curves))
    return next(fitting, "")


def _has_points(curve: Sequence[CurvePoint], epochs: CurveEpochs) -> bool:
    before, last = [point.epoch for point in curve[:-1]], curve[-1].epoch
    # Counted, not listed: a record may state any number of epochs.
    expected = (last - 1) // epochs.every if epochs.every else sum(epoch < last for epoch in epochs.chosen)
    return len(before) == expected and all(epoch in epochs for epoch in before)
