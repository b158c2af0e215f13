"""The report of records that were read with their ranks, and the line that says where they are from."""

from collections.abc import Sequence

from recbench.escaping.markdown import code_span, markdown
from recbench.evaluation.metric import Measure
from recbench.records.finished_trial import FinishedTrial
from recbench.reports.code_notes import code_notes
from recbench.reports.new_cases import known_figures
from recbench.reports.run.best_compared import compare_best
from recbench.reports.run.correction import correction_of
from recbench.reports.run.run_report import RunReport, summed_up
from recbench.reports.run.shown_measures import have_one_case_each, measures_of, some_ranks
from recbench.reports.run.summary import summarise
from recbench.reports.run.table import correction_notes

KS = (10,)


def ranked_report(trials: Sequence[FinishedTrial], asked: Sequence[Measure] | None = None) -> RunReport:
    """Sums up, and compares, the records of one task; models by the first measure, the best first.

    Args:
        trials: The records.
        asked: What to show; None for HR@10 and NDCG@10, and metrics of users in the full ranking.

    Raises:
        RecbenchError: The records are of tasks of different digests, or a cut-off is beyond the lists.
    """
    measures = measures_of(trials, KS, asked)
    # Records that failed, and some older ones, do not say it. Where others disagree, it is not known.
    answers = {trial.uniform_negatives for trial in trials} - {None}
    uniform = answers.pop() if len(answers) == 1 else None
    summaries = summarise(trials, summed_up(measures), uniform=uniform is True)
    for measure in asked or ():
        if (ranks := some_ranks(trials, measure.ranking)) is not None:
            measure.check_cut_off(ranks)
    first = asked[0] if asked else measures[0]
    summaries.sort(key=lambda summary: -spread.mean if (spread := summary.figure(first)) else 0.0)
    return RunReport(
        {},
        summaries[0].group.record.environment,
        measures,
        tuple(summaries),
        compare_best(summaries, measures),
        (),
        "",
        correction_of(trials, measures, None, uniform),
        (),
        code_notes=tuple(code_notes([summary.group for summary in summaries])),
        one_case_each=have_one_case_each(trials),
        known=known_figures([summary.group for summary in summaries], measures),
    )


def correction_lines(report: RunReport) -> list[str]:
    """Returns the line on corrected metrics, or why a table of the full ranking has none of them.

    Below the table of a run, the line on the sampling says this.
    """
    if report.correction.uniform or not report.has_catalogue:
        return correction_notes(report)
    if report.correction.uniform is None:
        return ["Corrected metrics are missing: the records do not say that the negatives were drawn uniformly."]
    return ["Corrected metrics are missing: the negatives were not drawn uniformly."]


def where_from(trials: Sequence[FinishedTrial], report: RunReport) -> str:
    """Returns the line on the task, the seeds, the machines and the revisions of the records, in Markdown."""
    first = report.summaries[0].group.record
    seeds = max(len(summary.trials) for summary in report.summaries)
    machines = sorted({f"{record.environment.cpu}, threads: {record.threads}" for record in (t.record for t in trials)})
    revisions = sorted({r.sha[:9] for t in trials if (r := t.record.revision)})
    n_items = next((n for trial in trials if (n := trial.record.n_items) is not None), None)
    items = "" if n_items is None else f", {n_items:,} items"
    facts = (
        f"{first.n_users:,} users with {first.n_cases:,} cases{items}, {first.n_train:,} train rows; seeds: {seeds}; "
        f"{'; '.join(machines)}; revision {', '.join(revisions) or 'unknown'}."
    )
    return f"{code_span(first.task.digest[:19])}: {markdown(facts)}"
