"""Comparisons and gates as text. To accept a change: pytest tests/test_compare_tables.py --accept-golden."""

import json
from pathlib import Path
from types import MappingProxyType

import pytest

from recbench.evaluation.metric_names import measures_at
from recbench.git_history import Relation
from recbench.records.ancestry import Ancestry
from recbench.records.benchmark_timings import Timing, Timings
from recbench.records.schema import Status, TaskIdentity
from recbench.records.sources import Sources
from recbench.reports.compare import evidence
from recbench.reports.compare.benchmark_timings import compare_timings
from recbench.reports.compare.benchmark_timings_table import timings_document, timings_table
from recbench.reports.compare.comparison import compare_records
from recbench.reports.compare.document import compare_document, gate_document
from recbench.reports.compare.gate import decide_verdicts, gate
from recbench.reports.compare.gate_table import gate_table
from recbench.reports.compare.policy import Policy
from recbench.reports.compare.table import compare_table
from recbench.reports.compare.verdict import Verdict
from recbench.reports.formats import Format
from recbench.reports.screen import Screen
from recbench.reports.view import View
from tests.examples import a_set, a_trial, a_trial_of, some_trials
from tests.golden_files import check_golden

OTHER = TaskIdentity(name="toy", digest="sha256:" + "cd" * 32)

BASE = a_set(
    "base",
    some_trials("drop|s", 0.5),
    some_trials("rises", 0.5),
    some_trials("same", 0.5),
    some_trials("unsure", 0.5),
    some_trials("elsewhere", 0.5),
    some_trials("breaks", 0.5),
    some_trials("gone", 0.5),
    some_trials("popularity", 0.3, fit_seconds=0.0004),
)
CURRENT = a_set(
    "runs/now",
    some_trials("drop|s", 0.42, parameters={"factors": 64, "epochs": 5}),
    some_trials("rises", 0.58),
    some_trials("same", 0.5003),
    some_trials("unsure", 0.492, luck=1),
    some_trials("elsewhere", 0.5, protocol_version=3),
    [*some_trials("breaks", seeds=2), a_trial("breaks", 2, status=Status.FAILED, error="ValueError: <a|b>")],
    some_trials("popularity", 0.3, fit_seconds=0.0004),
    some_trials("fresh", 0.6),
)
ONE_SEED = (
    a_set("base", some_trials("bpr", 0.5, seeds=1)),
    a_set("now", some_trials("bpr", 0.5, seeds=1, luck=2)),
)
OTHER_TASK = a_set("base", some_trials("bpr")), a_set("now", some_trials("bpr", task=OTHER))
WELL = (
    a_set("base", some_trials("bpr")),
    a_set("now", some_trials("bpr", 0.5003), some_trials("random", 0.1)),
)


APART = {(None, None): Ancestry(Relation.NO_ANCESTOR, "a" * 12, "b" * 12, "c" * 40)}
"""As if BASE and CURRENT were on two branches."""


def compared(base=BASE, current=CURRENT, ancestries=MappingProxyType({})):
    comparison = compare_records(base, current, measures_at(("hr", "ndcg"), (10,)), ancestries=ancestries)
    return decide_verdicts(comparison, Policy(), f"recbench compare {base.text} {current.text}")


def gated(base=BASE, current=CURRENT, policy=None):
    policy = policy or Policy()
    return gate(compare_records(base, current, policy.measures), policy, f"recbench gate {base.text} {current.text}")


def timings():
    base = Timings(Path("a.json"), "Example CPU, 6", (Timing("bench_x[a|b]", 0.5, 1e6), Timing("bench_old", 1.0, None)))
    now = Timings(Path("b.json"), "Example CPU, 6", (Timing("bench_x[a|b]", 0.4, 1.25e6), Timing("new", 2e-5, None)))
    return compare_timings(base, now)


def as_text(document):
    return json.dumps(document, indent=2, ensure_ascii=False)


TABLES = {
    "compare.txt": lambda: compare_table(compared(), Format.TEXT),
    "compare.md": lambda: compare_table(compared(), Format.MARKDOWN),
    "compare.csv": lambda: compare_table(compared(), Format.CSV),
    "compare.tex": lambda: compare_table(compared(), Format.LATEX),
    "compare.json": lambda: as_text(compare_document(compared(*WELL))),
    "compare-one-seed.txt": lambda: compare_table(compared(*ONE_SEED), Format.TEXT),
    "compare-other-task.md": lambda: compare_table(compared(*OTHER_TASK), Format.MARKDOWN),
    "gate.txt": lambda: gate_table(gated(), Format.TEXT),
    "gate.md": lambda: gate_table(gated(), Format.MARKDOWN),
    "gate.json": lambda: as_text(gate_document(gated(*WELL))),
    "gate-passed.md": lambda: gate_table(gated(*WELL), Format.MARKDOWN),
    "gate-strict.txt": lambda: gate_table(gated(*ONE_SEED, Policy(strict=True)), Format.TEXT),
    "timings.txt": lambda: timings_table(timings(), Format.TEXT),
    "timings.md": lambda: timings_table(timings(), Format.MARKDOWN),
    "timings.csv": lambda: timings_table(timings(), Format.CSV),
    "timings.json": lambda: as_text(timings_document(timings())),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_read_as_accepted(name, request):
    check_golden(name, TABLES[name]() + "\n", request)


def test_sides_that_are_the_same_say_so():
    text = gate_table(gated(WELL[0], WELL[0]), Format.TEXT)
    assert "bpr HR@10 unchanged: identical in every case" in text
    assert "with 80 % power" not in text


def test_the_example_has_every_verdict():
    known = {decision.verdict for _, _, decision in compared().cells()}
    assert known == set(Verdict) - {Verdict.LOWER, Verdict.HIGHER}
    sides = [
        a_set(
            record_set.text,
            [
                a_trial_of(t.record.model_copy(update={"revision": None}), t.candidate_ranks)
                for t in record_set.trials
                if t.ranks
            ],
        )
        for record_set in (BASE, CURRENT)
    ]
    doubted = {decision.verdict for _, _, decision in compared(*sides, APART).cells()}
    assert doubted & {Verdict.REGRESSED, Verdict.LOWER, Verdict.IMPROVED, Verdict.HIGHER} == {
        Verdict.LOWER,
        Verdict.HIGHER,
    }


def test_markdown_is_fit_for_a_pull_request():
    first, second, *rest = compare_table(compared(), Format.MARKDOWN).splitlines()
    assert first == "<!-- recbench:compare:toy -->"
    assert second.startswith("**Failed: breaks; missing: gone; not comparable: elsewhere; regressed: drop\\|s")
    (header,) = [line for line in rest if line.startswith("| model")]
    assert header.count("|") == 8
    assert "<details>" in rest


def test_seeds_of_different_code_are_noted():
    mixed = [a_trial("bpr", seed, sources=Sources(modules={"shop.py": str(seed)})) for seed in range(2)]
    (model,) = compare_records(
        a_set("a", some_trials("bpr", seeds=2)), a_set("b", mixed), measures_at(["hr"], (10,))
    ).models
    assert "seeds of CURRENT were trained with different code or data: shop.py" in model.notes


def test_a_table_computes_no_interval_that_only_documents_and_gates_show(monkeypatch):
    counts = []

    def counted(levels, differences=(), resamples=0, infer=evidence.infer):
        if levels or differences:
            counts.append((len(levels), len(differences)))
        return infer(levels, differences, resamples)

    monkeypatch.setattr(evidence, "infer", counted)
    comparison = compare_records(*WELL, measures_at(("hr", "ndcg"), (10,)))
    decided = decide_verdicts(comparison, Policy(), "again")
    for form in (Format.TEXT, Format.MARKDOWN, Format.CSV):
        compare_table(decided, form)
    assert counts == [(0, 2)]
    # The gate checks CURRENT against chance: two models by two metrics. The document also shows the one of BASE.
    gate(comparison, Policy(), "again")
    assert counts == [(0, 2), (4, 0)]
    compare_document(decided)
    assert counts == [(0, 2), (4, 0), (2, 0)]


def test_on_a_narrow_terminal_quality_comes_before_speed():
    base = a_set("base", some_trials("bpr"), some_trials("popularity", 0.3))
    current = a_set("now", some_trials("bpr", 0.42), some_trials("popularity", 0.3, luck=1))
    decided = decide_verdicts(compare_records(base, current, measures_at(("hr",), (10,))), Policy(), "recbench compare")

    def header(width, decided=decided):
        text = compare_table(decided, Format.TEXT, View(screen=Screen(width), has_options=True))
        return next(line for line in text.splitlines() if line.startswith("model")).split("  ")

    def columns(*arguments):
        return [name.strip() for name in header(*arguments) if name.strip()]

    assert columns(40) == ["model", "metric", "diff.", "verdict"]
    with_speed = [width for width in range(30, 100) if "speed" in columns(width)]
    assert with_speed
    assert all("current" in columns(width) for width in with_speed)
    short = [a_set(name, some_trials("popularity", 0.3, fit_seconds=0.0004)) for name in ("base", "now")]
    compared = compare_records(*short, measures_at(("hr",), (10,)))
    assert "speed" not in columns(120, decide_verdicts(compared, Policy(), "recbench compare"))
