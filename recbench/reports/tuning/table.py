"""What a tuning found, as a table for people and as a JSON document."""

from collections.abc import Sequence
from typing import Any, cast

from recbench.escaping.data_files import json_text
from recbench.records.tuned_settings import FEW_TRIALS, ConfigurationOrigin, Effort, TrialCounts
from recbench.reports.column_rendering import prose, render_columns
from recbench.reports.columns import Column, Cut, Look
from recbench.reports.formats import Format
from recbench.reports.rendering import csv_text
from recbench.reports.run.document_types import TaskDocument
from recbench.reports.tuning.document_types import EffortDocument, TuningDocument, TuningResultDocument
from recbench.reports.view import DEFAULT_VIEW, View
from recbench.tuning.objective import EPOCHS
from recbench.tuning.past import Budget, End, PastTrial, counts, joules_spent, spent
from recbench.tuning.result import ModelTuning
from recbench.tuning.spaces import texts

CSV_HEADERS = [
    "model",
    "defaults",
    "tuned",
    "trials",
    "completed",
    "pruned",
    "failed",
    "out of time",
    "s",
    "parameters",
]
HEADERS = [*CSV_HEADERS[:-2], "time (s)", "parameters"]
TUNING_COLUMNS = (
    "model", "defaults", "tuned", "trials", "completed", "pruned", "failed", "out-of-time", "seconds", "parameters",
)  # fmt: skip
"""The names of the columns, in the order of the headers."""
RANKS = (0, 2, 1, 4, 8, 7, 6, 9, 5, 3)
"""Which columns get room first in a table that is too wide."""


def tuning_table(
    tunings: Sequence[ModelTuning], budget: Budget, form: Format = Format.TEXT, view: View = DEFAULT_VIEW
) -> str:
    """Renders one line a model, and what the columns mean; JSON has the results alone, an object a model.

    Args:
        tunings: The result of each model.
        budget: What each model was allowed.
        form: How to render it.
        view: Which columns to show, and the terminal that plain text has to fit.
    """
    if form is Format.JSON:
        return json_text([_result(tuning) for tuning in tunings])
    if form is Format.CSV:
        return csv_text([_row(tuning) for tuning in tunings], CSV_HEADERS)
    labels = ", ".join(dict.fromkeys(tuning.objective.label for tuning in tunings))
    table = render_columns(_columns(tunings), form, view)
    legend = [
        *table.notes,
        f"defaults, tuned: {labels} on validation cases. "
        f"Budget: {budget.trials} trials and {budget.seconds:g} s a model, without starts of processes and imports.",
        *_notes(tunings),
    ]
    return "\n".join([table.text, "", *prose(legend, form, view.screen)])


def tuning_document(
    tunings: Sequence[ModelTuning], budget: Budget, task: dict[str, Any], settings: str, storage: str
) -> TuningDocument:
    """Returns the JSON document; keys are only ever added."""
    return {
        "schema": 1,
        "task": cast(TaskDocument, task),
        "budget": {"trials": budget.trials, "seconds": budget.seconds},
        "settings": settings,
        "storage": storage,
        "results": [_result(tuning) for tuning in tunings],
    }


def _row(tuning: ModelTuning) -> list[str]:
    if not tuning.space:
        return [tuning.model, *[""] * 8, "nothing to tune"]
    ended = counts(tuning.past)
    scores = ["", ""]
    parameters = "no trial was completed"
    if tuning.tuned is not None:
        default = tuning.tuned.provenance.default_score
        scores = ["" if default is None else f"{default:.4f}", f"{tuning.tuned.provenance.validation_score:.4f}"]
        searched = {
            name: value for name, value in tuning.tuned.parameters.items() if name in tuning.space or name == EPOCHS
        }
        parameters = ", ".join(f"{name}={_short(value)}" for name, value in searched.items())
    numbers = [ended.ended, ended.completed, ended.pruned, ended.failed, ended.out_of_time]
    return [tuning.model, *scores, *map(str, numbers), f"{spent(tuning.past):,.0f}", parameters]


def _columns(tunings: Sequence[ModelTuning]) -> list[Column]:
    rows = [_row(tuning) for tuning in tunings]
    columns = []
    for place, (name, header, rank) in enumerate(zip(TUNING_COLUMNS, HEADERS, RANKS, strict=True)):
        is_text = name in ("model", "parameters")
        cells = [row[place] for row in rows]
        cut = {"model": Cut.MIDDLE, "parameters": Cut.END}.get(name)
        columns.append(
            Column(
                name,
                (Look(header, cells, "l" if is_text else "r", rank),),
                keys=() if is_text else [_key(cell, best_first=name in ("defaults", "tuned")) for cell in cells],
                cut=cut,
            )
        )
    return columns


def _key(cell: str, *, best_first: bool) -> float | None:
    """Returns what a row is sorted by: scores from the best down, counts and seconds from the least up."""
    value = float(cell.replace(",", "")) if cell else None
    return -value if best_first and value is not None else value


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _notes(tunings: Sequence[ModelTuning]) -> list[str]:
    lines = []
    for tuning in tunings:
        saved = sum(trial.saved_seconds for trial in tuning.past)
        if saved:
            lines.append(f"{tuning.model}: pruning saved about {saved:,.0f} s.")
        ended = counts(tuning.past)
        if ended.interrupted:
            lines.append(f"{tuning.model}: {ended.interrupted} trials were interrupted, and tried again.")
        lines += [*_on_defaults(tuning), *_marks(tuning)]
        if errors := _errors(tuning.past):
            lines.append(f"{tuning.model}: {ended.failed} of {ended.ended} trials failed, the last with: {errors[-1]}")
    return lines


def _on_defaults(tuning: ModelTuning) -> list[str]:
    """Returns a line for defaults outside of the search space, and one if the column of the defaults is empty."""
    notes = []
    if tuning.outside:
        named = ", ".join(f"{name}={value}" for name, value in tuning.outside.items())
        notes.append(f"{tuning.model}: defaults outside of the search space: {named}.")
    if tuning.tuned is not None and tuning.tuned.provenance.default_score is None:
        notes.append(
            f"{tuning.model}: the trial with the defaults did not finish, so the tuned setting may be worse than the "
            "defaults."
        )
    return notes


def _marks(tuning: ModelTuning) -> list[str]:
    """Returns a line for each thing that a reader must know of the search that found a setting."""
    if tuning.tuned is None:
        return []
    came = tuning.tuned.provenance
    marks = []
    if came.few_trials:
        marks.append(f"completed trials: {came.trials.completed}, fewer than {FEW_TRIALS}")
    if came.equals_defaults or came.origin is ConfigurationOrigin.DEFAULT:
        marks.append("the defaults are best" + ("" if came.equals_defaults else ", with another number of epochs"))
    if came.known_source is not None:
        marks.append(f"a known configuration is best, from {came.known_source!r}")
    if came.at_edge:
        named = ", ".join(f"{name} ({edge})" for name, edge in came.at_edge.items())
        marks.append(f"at an edge of the search space: {named}")
    if came.earlier is not None:
        effort = came.effort
        marks.append(f"search number {effort.searches}; together {effort.trials} trials in {effort.seconds:,.0f} s")
    return [f"{tuning.model}: {mark}." for mark in marks]


def _errors(past: Sequence[PastTrial]) -> list[str]:
    return [trial.error for trial in past if trial.end is End.FAILED]


def _effort(effort: Effort) -> EffortDocument:
    return {"searches": effort.searches, "trials": effort.trials, "seconds": effort.seconds}


def _result(tuning: ModelTuning) -> TuningResultDocument:
    ended: TrialCounts = counts(tuning.past)
    provenance = None if tuning.tuned is None else tuning.tuned.provenance
    return {
        "model": tuning.model,
        "status": "nothing-to-tune" if not tuning.space else "tuned" if tuning.tuned else "no-completed-trial",
        "search_space": texts(tuning.space),
        "params": None if tuning.tuned is None else tuning.tuned.parameters,
        "objective": None if provenance is None else tuning.objective.name,
        "validation_score": None if provenance is None else provenance.validation_score,
        "default_score": None if provenance is None else provenance.default_score,
        "defaults_outside": dict(tuning.outside),
        "trials": {
            "completed": ended.completed,
            "pruned": ended.pruned,
            "failed": ended.failed,
            "out_of_time": ended.out_of_time,
            "interrupted": ended.interrupted,
        },
        "seconds": spent(tuning.past),
        "joules": joules_spent(tuning.past),
        "co2_grams_estimate": None if provenance is None else provenance.co2_grams_estimate,
        "origin": None if provenance is None else provenance.origin,
        "known_source": None if provenance is None else provenance.known_source,
        "equals_defaults": None if provenance is None else provenance.equals_defaults,
        "at_edge": None if provenance is None else provenance.at_edge,
        "few_trials": None if provenance is None else provenance.few_trials,
        "best_scores": None if provenance is None or provenance.best_scores is None else list(provenance.best_scores),
        "effort": None if provenance is None else _effort(provenance.effort),
        "seconds_saved_by_pruning": sum(trial.saved_seconds for trial in tuning.past),
        "errors": _errors(tuning.past),
        "history": [
            {
                "trial": trial.number,
                "end": trial.end,
                "origin": trial.origin,
                "score": trial.score,
                "epochs": trial.epochs,
                "best_epochs": trial.best_epochs,
                "seconds": trial.seconds,
                "params": trial.parameters,
                "log": trial.log or None,
            }
            for trial in tuning.past
        ],
    }
