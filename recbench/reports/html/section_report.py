"""The figures of one task from the records of one or several runs."""

from collections.abc import Sequence
from dataclasses import replace

from recbench.evaluation.metric import Measure
from recbench.records.environments import merged
from recbench.records.grouping import group_names
from recbench.records.selection import RecordSet
from recbench.reports.code_notes import code_notes
from recbench.reports.new_cases import known_figures
from recbench.reports.pages.ranked_report import KS
from recbench.reports.run.best_compared import compare_best
from recbench.reports.run.bridge_notes import bridge_notes
from recbench.reports.run.correction import correction_of
from recbench.reports.run.run_report import RunReport, summed_up
from recbench.reports.run.shown_measures import have_one_case_each, measures_of, some_ranks
from recbench.reports.run.summary import ModelSummary, summarise
from recbench.reports.run.tie_notes import tie_notes
from recbench.reports.run.time_to_quality import time_to_quality
from recbench.reports.timing_notes import timing_notes


def section_report(runs: Sequence[RecordSet], asked: Sequence[Measure] | None = None) -> RunReport:
    """Sums up, and compares, the records of one task; models by the first measure, the best first.

    Args:
        runs: The records of each run. A configuration that is in several runs is shown once for each.
        asked: What to show; None for HR@10 and NDCG@10, and metrics of users in the full ranking.

    Raises:
        RecbenchError: A cut-off is beyond the lists.
    """
    trials = [trial for run in runs for trial in run.trials]
    measures = measures_of(trials, KS, asked)
    for measure in asked or ():
        if (ranks := some_ranks(trials, measure.ranking)) is not None:
            measure.check_cut_off(ranks)
    # Records that failed, and some older ones, do not say it. Where others disagree, it is not known.
    answers = {trial.uniform_negatives for trial in trials} - {None}
    uniform = answers.pop() if len(answers) == 1 else None
    summaries = _summaries(runs, measures, uniform=uniform is True)
    summaries.sort(key=lambda summary: -spread.mean if (spread := summary.figure(measures[0])) else 0.0)
    groups = [summary.group for summary in summaries]
    curves = any(trial.record.curve for trial in trials)
    return RunReport(
        {},
        merged(trial.record.environment for trial in trials)[0],
        measures,
        tuple(summaries),
        compare_best(summaries, measures),
        tuple(time_to_quality(summaries, KS) if curves else ()),
        "",
        correction_of(trials, measures, None, uniform),
        tuple(timing_notes([trial.record for trial in trials])),
        code_notes=tuple(code_notes(groups)),
        tie_notes=(*tie_notes(summaries, KS[0]), *bridge_notes(summaries)),
        one_case_each=have_one_case_each(trials),
        known=known_figures(groups, measures),
    )


def _summaries(runs: Sequence[RecordSet], measures: Sequence[Measure], *, uniform: bool) -> list[ModelSummary]:
    summaries = [
        (summary, run.text) for run in runs for summary in summarise(run.trials, summed_up(measures), uniform=uniform)
    ]
    names = group_names([summary.group for summary, _ in summaries], [text for _, text in summaries])
    return [replace(summary, name=name) for (summary, _), name in zip(summaries, names, strict=True)]
