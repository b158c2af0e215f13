"""``recbench baseline``: the records that later runs are compared with."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from recbench.cli.shared.execution_options import OnlyModels, metrics_option
from recbench.cli.shared.lists import cut_offs
from recbench.cli.shared.output_options import AsJson, ReplacePage
from recbench.cli.shared.pages import Check, write_or_check
from recbench.cli.shared.record_options import Renamed, note_labels
from recbench.cli.shared.tables import emit_table
from recbench.cli.shared.terminal import emit, emit_json
from recbench.cli.shared.verbs import Verbs
from recbench.escaping.shell import shell_word
from recbench.progress.console import messages, write_message
from recbench.reports.cells import NO_RANKS

if TYPE_CHECKING:
    from recbench.cli.shared.baseline_document_types import (
        AcceptanceDocument,
        AcceptedDocument,
        BaselinesDocument,
        ChangeDocument,
    )
    from recbench.records.baselines import Change
    from recbench.records.grouping import TrialGroup

Label = Annotated[str, typer.Option(metavar="LABEL", help="Label of the baseline.")]

app = Verbs(help="Accept, list and release the records that later runs are compared with.")


@app.command("accept")
def accept(
    run: Annotated[str, typer.Argument(help="A label, a folder of records, one record, or REV:PATH.")],
    label: Label = "main",
    models: OnlyModels = None,
    renamed: Renamed = None,
    refresh_timings: Annotated[
        bool,
        typer.Option(
            "--refresh-timings",
            help="Also replace accepted records of the same ranks, hyper-parameters and code, to update their timings "
            "and machine.",
        ),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also accept results of uncommitted code, and leave out failed trials.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a run the baseline: its records replace those of the same models under a label, and enter the history.

    Accepted records of the same ranks, hyper-parameters and code stay as they are, so that two branches that accept
    them can be merged.

    Examples:
      recbench baseline accept results/runs
      recbench baseline accept results/runs --label nightly
      recbench baseline accept results/runs --models bpr
      recbench baseline accept results/runs --refresh-timings

    Exit codes: 0 accepted, 2 bad input.
    """
    from recbench.records import baselines
    from recbench.records.git_files import ignored_files
    from recbench.records.renaming import read_renames
    from recbench.records.results_folder import baselines_folder
    from recbench.records.selection import read_records
    from recbench.records.superseded import without_superseded

    records = without_superseded(read_records(run))
    note_labels(records)
    renames = read_renames(renamed or ())
    accepted = baselines.accept(
        records, label, models=models, renamed=renames, force=force, refresh_timings=refresh_timings
    )
    folder = baselines_folder()
    if ignored := ignored_files(folder):
        messages().print(
            f"Warning: git ignores {len(ignored)} files of {folder}, such as {ignored[0]}; "
            "so other people cannot compare with this baseline.\n"
            f"Show the rule, then correct it: git check-ignore --verbose {shell_word(ignored[0])}",
            style="yellow",
        )
    rows = [row for change in accepted.changes for row in _rows(change)]
    if as_json:
        accepted_rows: AcceptanceDocument = {"schema": 1, "label": label, "changes": rows}
        emit_json(accepted_rows)
        return
    shown = [
        [row["task"], row["model"], row["seeds"], _arrow(*row["hr@10"]), _arrow(*row["ndcg@10"]), _what_happened(row)]
        for row in rows
    ]
    emit_table(shown, ["task", "model", "seeds", "HR@10 old -> new", "NDCG@10 old -> new", "records"])
    if accepted.git_files:
        message = f"Written for git: {', '.join(map(str, accepted.git_files))}."
        write_message(message, "dim")
    if any(row["kept"] for row in rows):
        write_message(
            "Kept: records of the same ranks, hyper-parameters and code. To update their timings, add "
            "--refresh-timings.",
            "dim",
        )
    if any(row["written"] or row["removed"] for row in rows):
        message = (
            f"Accepted under {folder}/<task>/{label}. Commit {folder.parent}/ so that other people can compare with it."
        )
    else:
        message = f"Nothing changed under {folder}/<task>/{label}."
    messages().print(message, style="dim")


@app.command("list")
def list_baselines(
    metrics: Annotated[
        list[str] | None,
        metrics_option("Comma-separated: show these metrics, such as full-recall@20", "hr@10"),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List what is accepted, by task and label.

    Examples:
      recbench baseline list
      recbench baseline list --metrics hr,full-recall@20
    """
    from recbench.evaluation.metric_names import read_measures
    from recbench.records.baselines import accepted_groups
    from recbench.records.grouping import group_names

    measures = read_measures(metrics or ["hr"], cut_offs(None))
    rows: list[dict[str, Any]] = [
        {
            "task": task,
            "label": label,
            "model": name,
            "seeds": len(group.trials),
            **{measure.name: group.mean(measure) for measure in measures},
            "revision": group.record.revision.sha if group.record.revision else None,
        }
        for (task, label), groups in accepted_groups().items()
        for group, name in sorted(zip(groups, group_names(groups), strict=True), key=lambda pair: pair[1])
    ]
    if as_json:
        document: BaselinesDocument = {"schema": 1, "baselines": rows}
        emit_json(document)
    elif not rows:
        emit("No baseline yet. Accept one with: recbench baseline accept RUN")
    else:
        cells = [
            [
                NO_RANKS if cell is None else f"{cell:.4f}" if isinstance(cell, float) else str(cell)[:32]
                for cell in row.values()
            ]
            for row in rows
        ]
        emit_table(cells, list(rows[0]))


@app.command("release")
def release(
    new: Annotated[str, typer.Argument(help="The new label, such as v1.0.")],
    label: Label = "main",
) -> None:
    """Copy a label's records to a new label that never changes again.

    Example:
      recbench baseline release v1.0
    """
    from recbench.records.baselines import release as copy

    for folder in copy(label, new):
        emit(str(folder))


@app.command("render")
def render(
    label: Label = "main",
    check: Check = False,
    force: ReplacePage = False,
) -> None:
    """Write results/README.md: the accepted records of a label, one table for each task.

    Examples:
      recbench baseline render
      recbench baseline render --check

    Exit codes: 0 written or current, 1 not current, 2 bad input.
    """
    from recbench.experiments.pages import accepted_page
    from recbench.output_files import OutputFile
    from recbench.records.results_folder import results_folder

    output = OutputFile(results_folder() / "README.md", force, "Move that file, or replace it with --force.")
    write_or_check(lambda: accepted_page(label), output, "recbench baseline render", check=check)


def _rows(change: "Change") -> "list[ChangeDocument]":
    from recbench.records.grouping import group_names

    rows = []
    for group, name in zip(change.after, group_names(change.after), strict=True):
        seeds, kept = len(group.trials), change.n_kept(group)
        dropped = change.n_dropped(group)
        row = _counts(change, name, seeds, kept, dropped)
        rows.append(_with_figures(row, change.replaced_by(group), group))
    for group, name in zip(change.before, group_names(change.before), strict=True):
        if group in change.removed:
            row = _counts(change, name, 0, 0, len(group.trials))
            rows.append(_with_figures(row, group, None))
    return rows


def _counts(change: "Change", model: str, seeds: int, kept: int, removed: int) -> "AcceptedDocument":
    written = seeds - kept
    return {"task": change.task, "model": model, "seeds": seeds, "written": written, "kept": kept, "removed": removed}


def _with_figures(row: "AcceptedDocument", before: "TrialGroup | None", after: "TrialGroup | None") -> "ChangeDocument":
    from recbench.evaluation.metric_names import parse_measure

    hr, ndcg = (
        (before.mean(measure) if before else None, after.mean(measure) if after else None)
        for measure in (parse_measure("hr@10"), parse_measure("ndcg@10"))
    )
    return {**row, "hr@10": hr, "ndcg@10": ndcg}


def _what_happened(row: "ChangeDocument") -> str:
    counts = {"written": row["written"], "kept": row["kept"], "removed": row["removed"]}
    return ", ".join(f"{count} {word}" for word, count in counts.items() if count)


def _arrow(old: float | None, new: float | None) -> str:
    before, after = (NO_RANKS if value is None else f"{value:.4f}" for value in (old, new))
    return f"{'new' if old is None else before} -> {after}"
