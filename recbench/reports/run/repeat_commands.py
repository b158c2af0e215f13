"""The commands that run a configuration again: with each hyper-parameter, seed and condition of its records."""

from collections.abc import Mapping, Sequence

from recbench.escaping.shell import shell_command
from recbench.records.schema import CurvePoint, class_identity
from recbench.registry.parameter_values import as_text
from recbench.reports.run.summary import ModelSummary


def repeat_commands(summary: ModelSummary, names: Mapping[str, str], folder: str) -> list[str]:
    """Returns one command for each range of seeds without gaps.

    Args:
        summary: The configuration.
        names: The name of each class that has one, by its ``class_identity``; others are named by their class.
        folder: Where the records go.
    """
    record = summary.group.record
    name = names.get(class_identity(record.reference), record.reference)
    entry, owner = (f"{record.label}={name}", record.label) if record.label else (name, name)
    words = ["recbench", "run", "--models", entry, "--task", record.task.name]
    for parameter, value in summary.parameters.items():
        words += ["--param", f"{owner}.{parameter}={as_text(value)}"]
    words += ["--threads", str(record.threads)]
    words += [] if record.device == "auto" else ["--device", record.device]
    curve = max((trial.record.curve for trial in summary.trials), key=len)
    words += ["--curve", _epochs(curve)] if len(curve) > 1 else []
    words += ["--full"] if any(trial.record.catalogue for trial in summary.trials) else []
    ranges = _ranges([trial.record.seed for trial in summary.trials])
    return [shell_command([*words, "--seeds", str(len(one)), "--seed", str(one.start), "-o", folder]) for one in ranges]


def _epochs(curve: Sequence[CurvePoint]) -> str:
    epochs = [point.epoch for point in curve]
    return "all" if epochs == list(range(1, len(epochs) + 1)) else ",".join(map(str, epochs))


def _ranges(seeds: Sequence[int]) -> list[range]:
    """Returns ranges that together hold the seeds, which ascend.

    >>> _ranges([0, 1, 2, 5])
    [range(0, 3), range(5, 6)]
    """
    ranges: list[range] = []
    for seed in seeds:
        if ranges and ranges[-1].stop == seed:
            ranges[-1] = range(ranges[-1].start, seed + 1)
        else:
            ranges.append(range(seed, seed + 1))
    return ranges
