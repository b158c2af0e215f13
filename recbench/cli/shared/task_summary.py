"""A task on the screen: its counts, what its split lets leak, how its rows are spread."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from recbench.cli.shared.tables import emit_facts, emit_prose, emit_table
from recbench.cli.shared.terminal import emit, emit_json

if TYPE_CHECKING:
    from recbench.cli.shared.content_document_types import ShownTaskDocument
    from recbench.tasks.task import Task


def emit_summary(task: "Task") -> None:
    """Writes the counts and the digest to standard output."""
    from recbench.tasks.uniformity import uniformity_text

    summary: dict[str, Any] = task.summary()
    rows = [
        [key.removeprefix("n_").replace("_", " "), _shown(value)]
        for key, value in summary.items()
        if key not in ("name", "waivers", "uniform_negatives", "uniformity") and value is not None
    ]
    rows.append(["uniform negatives", uniformity_text(task.uniformity)])
    rows.append(["waived", ", ".join(summary["waivers"]) or "nothing"])
    emit_facts(rows, [task.name, task.spec.description])


def emit_replicas(tasks: "Sequence[Task]") -> None:
    """Writes the digest and the counts of each replica of a task to standard output."""
    from recbench.tasks.replicas import base_name, what_varies

    rows = [[replica.name, replica.digest[:19], f"{replica.n_train:,}", f"{len(replica.test):,}"] for replica in tasks]
    emit_table(rows, ["replica", "digest", "train", "cases"])
    emit_prose(f"\nReplicas of {base_name(tasks[0].name)} differ in {what_varies(tasks[0].spec)}.")


LEAKAGE = {
    "cases_before_their_item": "cases earlier than every train row of their item",
    "train_rows_after_own_case": "train rows later than a case of their own user",
    "train_rows_after_first_case": "train rows later than the earliest case of all",
    "cases_tied_in_time": "cases with the same time as a train row of their user",
    "cold_cases": "cases whose item has no train row",
    "cases_of_cold_users": "cases whose user has no train row",
    "cold_items": "items without a train row",
    "cold_users": "users without a train row",
}


def emit_task(task: "Task", plot: Path | None, as_json: bool) -> None:
    """Writes all about a task to standard output, and a picture to ``plot``."""
    from recbench.data.catalogue import catalogue, citations
    from recbench.data.statistics import statistics
    from recbench.output_files import BY_NAME_ONLY, OutputFile
    from recbench.reports.plots.histograms import plot_histograms, text_histograms
    from recbench.tasks.leakage import leakage
    from recbench.tasks.spec import CatalogueData

    train_statistics, shares = statistics(task.users, task.items), asdict(leakage(task))
    source = task.spec.dataset
    entry = catalogue().get(source.name) if isinstance(source, CatalogueData) else None
    if plot is not None:
        plot_histograms(task.name, train_statistics, OutputFile(plot, advice=BY_NAME_ONLY))
    if as_json:
        document = {"schema": 1, "task": task.summary(), "train": asdict(train_statistics), "leakage": shares}
        emit_json(cast("ShownTaskDocument", document))
        return
    emit_summary(task)
    emit("")
    rows = [
        ["density", f"{train_statistics.density:.4%}"],
        ["Gini of items' rows", f"{train_statistics.popularity_gini:.4f}"],
        ["median rows of a user", f"{train_statistics.median_history:g}"],
        ["median rows of an item", f"{train_statistics.median_popularity:g}"],
    ]
    emit_facts(rows, ["train rows", ""])
    emit("")
    emit_facts(
        [[text, "no times" if shares[key] is None else f"{shares[key]:.2%}"] for key, text in LEAKAGE.items()],
        ["leakage", "share"],
    )
    emit("\n" + text_histograms(train_statistics))
    if entry is not None:
        emit(f"\nLicence: {entry.licence} ({entry.homepage})\n\n{citations()[entry.citation]}")


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}" if isinstance(value, float) else str(value)
