import numpy as np
import pytest
from scipy import stats

from recbench.data.random_bits import Purpose, RandomBits


def test_the_stream_is_pinned():
    drawn = RandomBits(0, Purpose.TEST_NEGATIVES).below(1000, 8)
    assert drawn.tolist() == [907, 775, 937, 399, 80, 589, 243, 656]


def test_draws_are_uniform_and_in_range():
    drawn = RandomBits(3, Purpose.SYNTHETIC).below(7, 70_000)
    counts = np.bincount(drawn, minlength=7)
    assert len(counts) == 7
    assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize(
    "other", [(1, Purpose.SYNTHETIC, 0), (0, Purpose.TEST_NEGATIVES, 0), (0, Purpose.SYNTHETIC, 1)]
)
def test_seed_purpose_and_block_each_make_another_stream(other):
    base = RandomBits(0, Purpose.SYNTHETIC, 0).below(2**62, 16)
    assert not np.isin(base, RandomBits(*other).below(2**62, 16)).any()
