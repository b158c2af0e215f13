"""Commands that repeat a comparison in another clone of the repository, where CURRENT is trained again."""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from recbench.escaping.shell import shell_command
from recbench.git_history import SHORT
from recbench.records.grouping import TrialGroup, group_trials
from recbench.records.results_folder import BASELINES
from recbench.records.schema import SCORES_OF_FILE, ParameterValue, class_identity, is_builtin
from recbench.records.selection import LABEL, RecordSet
from recbench.registry.foreign_names import short_target
from recbench.registry.models import known_models
from recbench.registry.parameter_values import as_text
from recbench.registry.source_defaults import source_defaults

RUNS: Final = "results/runs"
"""The folder of the records of CURRENT, if the one that was compared is outside of the project."""
_IN_COMMIT: Final = re.compile(r"([0-9a-f]{40,64}):")
BY_VALUE: Final = "(sent by value)"


def records_for_others(records: RecordSet) -> str | None:
    """Returns how somebody else names records in a clone of the repository; None if they are on this machine only.

    A label stays as it is. ``REV:PATH`` names the commit: ``HEAD`` is another one in another clone.
    """
    commit = next((match[1] for location in sorted(records.locations) if (match := _IN_COMMIT.match(location))), None)
    if commit is not None:
        # A revision without a path stands for what was trained with its code.
        _, colon, path = records.text.partition(":")
        return f"{commit[:SHORT]}{colon}{path}"
    return place_for_others(records.text)


def place_for_others(text: str) -> str | None:
    """Returns a path from the working folder; None if it leads out of it. A label stays as it is.

    Args:
        text: What the user wrote.
    """
    path = Path(text)
    if not os.path.exists(text) and not path.is_absolute():  # noqa: PTH110 - also answers for names that no file can have
        return text
    here = os.path.realpath(Path.cwd())
    below = os.path.relpath(os.path.realpath(text), here) if path.is_absolute() else os.path.normpath(text)
    return None if Path(below).parts[:1] == (os.pardir,) else Path(below).as_posix()


def repeat_commands(verb: str, base: RecordSet, current: RecordSet, options: Sequence[str]) -> list[str]:
    """Returns the commands that train CURRENT, if it is no label or revision, and compare it with BASE.

    Args:
        verb: ``compare`` or ``gate``.
        base: BASE.
        current: CURRENT.
        options: The options of the comparison.
    """
    before, after = records_for_others(base) or "BASE", records_for_others(current) or RUNS
    if after.endswith(".json"):
        after = Path(after).parent.as_posix()
    training = [] if _is_committed(current) else run_commands(current, after)
    return [*training, shell_command(["recbench", verb, before, after, *options])]


def _is_committed(records: RecordSet) -> bool:
    """Whether the records are those of a label or of a revision, which another clone has too."""
    if Path(records.text).is_absolute():
        return False
    accepted = any(f"/{BASELINES}/" in Path(location).as_posix() for location in records.locations)
    return ":" in records.text or bool(LABEL.fullmatch(records.text) and accepted)


def run_commands(records: RecordSet, folder: str) -> list[str]:
    """Returns the commands that train the records again; none if a record does not name its model.

    Hyper-parameters are named if they are not the defaults of the class as its source is now. A further configuration
    of a model gets a command of its own.

    Args:
        records: The records.
        folder: Where to write them.
    """
    groups = group_trials(records.trials)
    references = [group.record.reference for group in groups]
    if any(SCORES_OF_FILE in reference or BY_VALUE in reference for reference in references):
        return []
    defaults = source_defaults(references)
    batches: list[list[TrialGroup]] = []
    for group in groups:
        key = _conditions(group)
        batch = next(
            (open_batch for open_batch in batches if _conditions(open_batch[0]) == key and _is_free(group, open_batch)),
            None,
        )
        if batch is None:
            batches.append([group])
        else:
            batch.append(group)
    return [shell_command([*_words(batch, defaults), "-o", folder]) for batch in batches]


def _is_free(group: TrialGroup, batch: Sequence[TrialGroup]) -> bool:
    return all(other.model != group.model for other in batch)


def _conditions(group: TrialGroup) -> tuple[object, ...]:
    seeds = [trial.record.seed for trial in group.trials]
    record = group.record
    return record.task.digest, min(seeds), max(seeds), record.threads, record.device


def _words(groups: Sequence[TrialGroup], defaults: Mapping[str, Mapping[str, ParameterValue]]) -> list[str]:
    first = groups[0].record
    _, low, high, _, _ = _conditions(groups[0])
    assert isinstance(low, int)
    assert isinstance(high, int)
    words = ["recbench", "run", "--models", ",".join(map(_entry, groups)), "--task", first.task.name]
    words += ["--seeds", str(high - low + 1), *(["--seed", str(low)] if low else [])]
    for group in groups:
        known = defaults.get(class_identity(group.record.reference), {})
        words += [
            word
            for name, value in group.parameters.items()
            if name not in known or as_text(known[name]) != as_text(value)
            for word in ("--param", f"{group.name}.{name}={as_text(value)}")
        ]
    words += ["--threads", str(first.threads)] if first.threads != 1 else []
    return words + (["--device", first.device] if first.device != "auto" else [])


def _entry(group: TrialGroup) -> str:
    record = group.record
    known = known_models().get(record.model)
    is_known = known is not None and class_identity(known.recorded) == class_identity(record.reference)
    is_own = record.environment.interpreter == ""
    model = record.model if is_known or (is_builtin(record.reference) and is_own) else short_target(record.reference)
    return f"{record.label}={model}" if record.label else model
