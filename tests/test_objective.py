"""What a tuning maximises: any metric, among candidates or in the full ranking."""

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from recbench.errors import RecbenchError
from recbench.evaluation.full_ranking import rank_catalogue
from recbench.evaluation.metric_names import parse_measure
from recbench.evaluation.ranking import rank_cases
from recbench.tasks.spec import PublishedSplit
from recbench.tasks.task import Cases
from recbench.tasks.tuning_task import tuning_task
from recbench.trials.curve_measure import CurveMeasure
from recbench.trials.curve_scoring import CurveScoring, drawn_users
from recbench.tuning.objective import NDCG_AT_10, Objective, curve_epochs, main_objective
from recbench.tuning.past import Budget, End, best
from tests.tuned_models import tuned


@pytest.fixture(scope="module")
def seen(synthetic_task):
    return tuning_task(synthetic_task)


class ByItem:
    """Scores items by their number."""

    def score(self, users, items):
        return (items * 7919 % 1009).astype(np.float64)


@pytest.mark.parametrize("metric", ["mrr", "recall@20"])
def test_a_point_of_a_curve_is_scored_by_any_metric(seen, metric):
    train, model, measure = seen.train_set(), ByItem(), parse_measure(metric)
    among_candidates = CurveScoring.of(CurveMeasure(metric), train, seen.test)
    ranks = rank_cases(model, seen.test)
    expected = {metric: float(measure.values(ranks).mean())}
    assert among_candidates.score(model) == among_candidates.score(model, ranks) == expected
    every = CurveScoring.of(CurveMeasure(metric, 10_000), train, seen.test)
    full = rank_catalogue(model, train, seen.test).ranks
    assert every.score(model) == {metric: float(measure.values(full).mean())}
    some = CurveScoring.of(CurveMeasure(metric, 50), train, seen.test)
    chosen = np.isin(full.users, drawn_users(seen.test.users, 50))
    sample = replace(full, **{name: getattr(full, name)[chosen] for name in ("users", "n_others", "better", "tied")})
    assert some.score(model) == {metric: float(measure.values(sample).mean())}


def test_the_users_of_a_curve_are_drawn_once():
    users = np.repeat(np.arange(1000, dtype=np.int32), 3)
    drawn = drawn_users(users, 100)
    assert len(np.unique(drawn)) == len(drawn) == 100
    assert drawn.tolist() == drawn_users(users, 100).tolist() == sorted(drawn.tolist())
    assert 400 < drawn.mean() < 600
    assert drawn_users(users, 1000).tolist() == list(range(1000))


def test_a_tuning_by_a_metric_of_users_in_the_full_ranking(synthetic_task, tmp_path):
    objective = Objective.parse("full-recall@20")
    past = tuned(synthetic_task, tmp_path, Budget(8, 1000.0), objective=objective)
    assert {trial.end for trial in past} <= {End.COMPLETED, End.PRUNED}
    best_trial = best(past)
    assert abs(best_trial.parameters["good"] - 0.7) < 0.3
    assert best_trial.best_epochs == 3
    assert 0.05 < best_trial.score < 0.9
    assert best_trial.score > past[0].last_score


def test_names_and_labels():
    assert [objective.name for objective in map(Objective.parse, ("NDCG@10", "full-recall@20", "full-mrr"))] == [
        "ndcg@10",
        "full-recall@20",
        "full-mrr",
    ]
    assert Objective.parse("full-user-ndcg@20").label == "full User NDCG@20"
    assert Objective.parse("ndcg@10") == NDCG_AT_10
    for text, message in (("full-recal@20", "recall"), ("ndcg", "cut-off"), ("recall@0", "cut-off")):
        with pytest.raises(RecbenchError) as raised:
            Objective.parse(text)
        assert message in f"{raised.value.message} {raised.value.hint}"


def test_the_main_metric_of_a_task(synthetic_task):
    assert main_objective(synthetic_task) == NDCG_AT_10
    split = PublishedSplit(method="published", validation_share=Decimal("0.1"))
    by_user = replace(synthetic_task, spec=synthetic_task.spec.model_copy(update={"split": split}))
    assert main_objective(by_user) == Objective.parse("full-user-ndcg@20")


def test_a_cut_off_beyond_the_ranking_is_refused_before_any_trial(synthetic_task):
    Objective.parse("recall@101").check(synthetic_task)
    with pytest.raises(RecbenchError, match="more than the 101 items") as raised:
        Objective.parse("recall@102").check(synthetic_task)
    assert "--metric full-recall@102" in raised.value.hint
    with pytest.raises(RecbenchError, match="more than the"):
        Objective.parse(f"full-recall@{synthetic_task.n_items + 1}").check(synthetic_task)


def test_a_metric_of_users_with_one_case_each(synthetic_task):
    single_case = synthetic_task.validation.part(0, 1)
    caution = Objective.parse("full-recall@20").caution(replace(synthetic_task, validation=single_case))
    assert caution == "Each user of synthetic has one validation case, so full Recall@20 equals full HR@20."
    assert Objective.parse("full-hr@20").caution(replace(synthetic_task, validation=single_case)) is None
    same_user = Cases(
        *(np.repeat(array, 2, axis=0) for array in (single_case.users, single_case.items, single_case.negatives))
    )
    assert Objective.parse("recall@20").caution(replace(synthetic_task, validation=same_user)) is None


def test_the_full_ranking_has_fewer_points():
    assert (curve_epochs(100).every, curve_epochs(100, Objective.parse("full-mrr")).every) == (2, 4)
