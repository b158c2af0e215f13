"""Where the hyper-parameters of a run come from, in words: no table hides who was tuned, and how much."""

from collections.abc import Iterable, Sequence
from typing import Any

from recbench.records.schema import Record
from recbench.records.tuned_settings import Provenance
from recbench.registry.settings_used import SettingsUsed, Source


def settings_notes(used: SettingsUsed, records: Iterable[Record]) -> list[str]:
    """Returns the lines under a table.

    Args:
        used: What the run took from where.
        records: Records of the run's models, whose source may have changed since.
    """
    if used.source is Source.DEFAULT:
        return ["Settings: each model's defaults."]
    lines = [f"Settings: {used.path}, {_budgets(used.tuned)}"]
    if used.untuned:
        lines.append(f"Not tuned, so with defaults: {', '.join(used.untuned)}.")
    if used.overridden:
        overrides = [
            f"{override.model}.{override.name}={override.given} (tuned: {override.tuned})"
            for override in used.overridden
        ]
        lines.append(f"Given by --param instead of the tuned value: {', '.join(overrides)}.")
    changed = {
        record.model
        for record in records
        if record.model in used.tuned and not _is_made_by(record, used.tuned[record.model].code_version)
    }
    if changed:
        lines.append(f"The source has changed since the tuning of: {', '.join(sorted(changed))}.")
    return [*lines, *([other_task(used)] if used.of_another_task else [])]


def settings_notes_of_tasks(of_tasks: Sequence[tuple[str, SettingsUsed, Iterable[Record]]]) -> list[str]:
    """Returns the lines for runs on several tasks; each line names its task, unless all have the same lines.

    Args:
        of_tasks: The name of each task, and what ``settings_notes`` takes.
    """
    notes = {task: settings_notes(used, records) for task, used, records in of_tasks}
    distinct = list(notes.values())
    if all(lines == distinct[0] for lines in distinct):
        return distinct[0] if distinct else []
    return [f"{task}: {line}" for task, lines in notes.items() for line in lines]


def _is_made_by(record: Record, version: str | None) -> bool:
    """Whether a record's code, without what the trial loaded and read only while it ran, is of that version."""
    return record.code_version == record.sources.version(version)


def other_task(used: SettingsUsed) -> str:
    """Returns the warning that the settings were tuned on another task."""
    return f"{used.path} was tuned on another task, of digest {used.digest}; this run's is {used.task_digest}."


def settings_document(used: SettingsUsed, records: Iterable[Record]) -> dict[str, Any]:
    """Returns the object ``settings`` of the JSON document."""
    return {
        "source": used.source.value,
        "path": used.path or None,
        "task_digest": used.digest or None,
        "tuned": {name: tuning.model_dump(mode="json") for name, tuning in used.tuned.items()},
        "default": list(used.untuned),
        "overridden": [
            {"model": override.model, "name": override.name, "given": override.given, "tuned": override.tuned}
            for override in used.overridden
        ],
        "notes": settings_notes(used, records),
    }


def _budgets(tuned: dict[str, Provenance]) -> str:
    if not tuned:
        return "which has none of these models."
    allowed = {(tuning.budget_trials, tuning.budget_seconds) for tuning in tuned.values()}
    spent = ", ".join(f"{name} {tuning.trials.ended} in {tuning.seconds:,.0f} s" for name, tuning in tuned.items())
    if len(allowed) == 1:
        ((trials, seconds),) = allowed
        return f"tuned on validation cases with up to {trials} trials and {seconds:g} s a model: {spent}."
    budgets = ", ".join(
        f"{name} {tuning.budget_trials} and {tuning.budget_seconds:g} s" for name, tuning in tuned.items()
    )
    return f"tuned on validation cases, trials: {spent}. The budgets were not the same: {budgets}."
