import numpy as np
import pytest
from pydantic import ValidationError

from recbench.data.synthetic import SyntheticParameters, generate
from recbench.errors import RecbenchError


def test_it_has_the_size_and_density_asked_for_and_no_pair_twice():
    made = generate(SyntheticParameters(n_users=200, n_items=100, density=0.1))
    assert len(made) == 2000
    assert made.n_users <= 200
    assert made.n_items <= 100
    assert len(set(zip(made.users.tolist(), made.items.tolist(), strict=True))) == 2000


def test_one_seed_makes_the_same_rows_and_another_seed_others():
    interactions, same, other = (generate(SyntheticParameters(seed=seed)) for seed in (1, 1, 2))
    assert np.array_equal(interactions.items, same.items)
    assert list(interactions.user_ids) == list(same.user_ids)
    assert not np.array_equal(interactions.items, other.items)


def test_popularity_skew_makes_popular_items_more_popular():
    def share_of_top_tenth(skew: float) -> float:
        counts = np.bincount(generate(SyntheticParameters(popularity_skew=skew, choices=1)).items)
        return np.sort(counts)[-len(counts) // 10 :].sum() / counts.sum()

    assert share_of_top_tenth(0.0) < share_of_top_tenth(0.5) < share_of_top_tenth(1.0)


def test_a_data_set_that_cannot_be_filled_is_refused():
    with pytest.raises(RecbenchError, match="could not be filled"):
        generate(SyntheticParameters(n_users=50, n_items=50, density=0.5, popularity_skew=3, activity_skew=3))


@pytest.mark.parametrize("bad", [{"n_users": 1}, {"density": 0}, {"density": 0.9}, {"popularity_skew": -1}])
def test_parameters_out_of_range_are_refused(bad):
    with pytest.raises(ValidationError, match=next(iter(bad))):
        SyntheticParameters(**bad)
