"""``recbench backfill``: past commits in the history."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from recbench.cli.shared.commit_options import CommitJobs, OwnEnvironments, write_problems
from recbench.cli.shared.execution_options import (
    Cluster,
    Configurations,
    DeviceOption,
    FirstSeed,
    MaxMemory,
    Seeds,
    Task,
    Threads,
    Timeout,
)
from recbench.cli.shared.interruption import interruption_message
from recbench.cli.shared.output_options import AsJson, Quiet, RecordsFolder
from recbench.cli.shared.tables import emit_table
from recbench.cli.shared.terminal import ExitCode, emit_json, set_quiet
from recbench.counted import counted
from recbench.experiments.defaults import DEFAULT_TASK, REVISIONS_FOLDER
from recbench.progress.console import write_message

if TYPE_CHECKING:
    from recbench.cli.shared.commit_document_types import (
        BackfillDocument,
        BackfillPlanDocument,
        FilledCommitDocument,
        PlannedCommitDocument,
    )
    from recbench.experiments.backfill import BackfillRequest, FilledCommit
    from recbench.records.history import Accepted
    from recbench.reports.run.document_types import TaskDocument

HEADERS = ("commit", "date", "model", "seeds", "HR@10", "NDCG@10", "state", "subject")


def backfill(
    commits: Annotated[
        str,
        typer.Argument(
            metavar="OLD..NEW",
            help="The commits after OLD up to NEW, along first parents. Of a merged branch, only the merge commit.",
            show_default=False,
        ),
    ],
    models: Configurations,
    every: Annotated[
        int, typer.Option(min=1, metavar="N", help="Only every Nth commit, counted from OLD, and the last one.")
    ] = 1,
    task: Task = DEFAULT_TASK,
    seeds: Seeds = 1,
    seed: FirstSeed = 0,
    threads: Threads = 1,
    device: DeviceOption = "auto",
    jobs: CommitJobs = 1,
    timeout: Timeout = None,
    max_memory: MaxMemory = None,
    cluster: Cluster = None,
    own_environments: OwnEnvironments = False,
    output: RecordsFolder = REVISIONS_FOLDER,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the commits; train nothing.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Train past commits in work trees, and add them to results/history.jsonl in the order of the commits.

    Your own work tree does not change. recbench skips commits that are in the history: run the same command again to
    resume. It also skips commits that do not change the code of the model. At the end it lists the commits that could
    not be trained, with the reasons.

    Examples:
      recbench backfill v1.0..main --every 10 --models bpr,popularity
      recbench backfill v1.0..main --models my_model.py:Net --seeds 3 --jobs 4
      recbench backfill v1.0..main --models my_model.py:Net --own-environments --cluster tcp://HOST:8786

    Exit codes: 0 done, 2 bad input, 3 no commit could be trained, 4 no commits, 130 interrupted, 143 terminated.
    """
    set_quiet(quiet)
    with interruption_message(output) as count:
        from recbench.experiments.backfill import BackfillRequest, missing_trials
        from recbench.experiments.backfill import backfill as fill
        from recbench.experiments.commit_trials import commit_trials
        from recbench.experiments.execution import Execution
        from recbench.git_ranges import commits_in
        from recbench.git_ranges import every as every_nth

        execution = Execution(threads=threads, device=device, timeout=timeout, max_memory=max_memory, cluster=cluster)
        chosen = every_nth(commits_in(commits), every)
        request = BackfillRequest(
            commits=chosen,
            models=models,
            seeds=range(seed, seed + seeds),
            trials=commit_trials(task, execution, output, own_environments=own_environments),
            jobs=jobs,
            execution=execution,
        )
        if dry_run:
            missing = missing_trials(request)
            _show_plan(request, missing, as_json=as_json)
            return
        count.planned = len(chosen) * len(models) * seeds

        def report(filled: "FilledCommit") -> None:
            count.kept += len(models) * seeds if filled.was_finished else filled.n_trials
            if not quiet:
                write_message(_progress(filled), "dim")

        filled = fill(request, report)
        if as_json:
            document: BackfillDocument = {
                "schema": 1,
                "task": cast("TaskDocument", request.trials.task.summary()),
                "commits": [*map(_document, filled)],
            }
            emit_json(document)
        else:
            emit_table([*_rows(request, filled)], HEADERS)
        write_problems((filled_commit.commit.sha, filled_commit.problems) for filled_commit in filled)
        if not quiet:
            write_message("See the trend: recbench history --label run", "dim")
        if not any(filled_commit.n_trials or filled_commit.was_finished for filled_commit in filled):
            raise typer.Exit(ExitCode.MODEL_FAILED)


def _show_plan(request: "BackfillRequest", missing: dict[str, list[str]], *, as_json: bool) -> None:
    if as_json:
        plan: list[PlannedCommitDocument] = [
            {"commit": commit.sha, "date": commit.moment.isoformat(), "models": missing.get(commit.sha, [])}
            for commit in request.commits
        ]
        document: BackfillPlanDocument = {
            "schema": 1,
            "task": cast("TaskDocument", request.trials.task.summary()),
            "plan": plan,
        }
        emit_json(document)
        return
    rows = [
        [commit.short, f"{commit.moment:%Y-%m-%d}", ", ".join(missing.get(commit.sha, [])), commit.subject]
        for commit in request.commits
    ]
    emit_table(rows, ["commit", "date", "to train", "subject"])


def _progress(filled: "FilledCommit") -> str:
    commit = f"{filled.commit.short} of {filled.commit.moment:%Y-%m-%d}"
    if filled.was_finished:
        return f"{commit}: already in the history"
    kept = filled.n_trials - filled.n_trained
    phrases = [counted(filled.n_trained, "trial")]
    phrases += [f"{kept} skipped, with the same code"] if kept else []
    phrases += [f"no figures of {', '.join(filled.problems)}"] if filled.problems else []
    return f"{commit}: {'; '.join(phrases)}; {filled.seconds:.1f} s"


def _rows(request: "BackfillRequest", filled: "Sequence[FilledCommit]") -> Iterator[list[Any]]:
    from statistics import fmean

    lines = _lines(request)
    for filled_commit in filled:
        for model in request.models:
            present = lines.get((filled_commit.commit.sha, model), [])
            figures = [
                f"{fmean(known):.4f}"
                if (known := [value for line in present if (value := line.figure(metric)) is not None])
                else None
                for metric in ("hr@10", "ndcg@10")
            ]
            yield [
                *(filled_commit.commit.short, f"{filled_commit.commit.moment:%Y-%m-%d}", model, len(present), *figures),
                *(_state(filled_commit, model), filled_commit.commit.subject),
            ]


def _lines(request: "BackfillRequest") -> "dict[tuple[str | None, str], list[Accepted]]":
    """Returns the lines of the history for each commit and model of a request."""
    from recbench.experiments.backfill import is_of_request
    from recbench.records import history
    from recbench.records.results_folder import history_file

    lines: dict[tuple[str | None, str], list[Accepted]] = {}
    for line in history.read() if history_file().exists() else ():
        if is_of_request(line, request):
            lines.setdefault((line.sha, line.backfilled), []).append(line)
    return lines


def _state(filled: "FilledCommit", model: str) -> str:
    if model in filled.problems:
        return "failed"
    return "added" if model in filled.models else "in the history"


def _document(filled: "FilledCommit") -> "FilledCommitDocument":
    return {
        "commit": filled.commit.sha,
        "date": filled.commit.moment.isoformat(),
        "subject": filled.commit.subject,
        "state": "in the history" if filled.was_finished else "added" if filled.n_trials else "failed",
        "new_lines": filled.n_lines,
        "trained": filled.n_trained,
        "problems": dict(filled.problems),
        "seconds": filled.seconds,
    }
