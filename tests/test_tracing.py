import pytest

pytest.importorskip("tensorflow")

from recbench_models.tensorflow_alone import tf
from recbench_models.tracing import compiled, repeat, traced


@pytest.mark.parametrize("kind", [traced, compiled])
@pytest.mark.parametrize("times", [0, 1, 5])
def test_steps_are_repeated_with_their_numbers(kind, times):
    @kind
    def numbers(times):
        def step(number, digits, total):
            return 10 * digits + number, total + number

        return repeat(times, step, (tf.constant(0), tf.constant(100)))

    digits, total = numbers(tf.constant(times))
    assert (int(digits), int(total)) == {0: (0, 100), 1: (0, 100), 5: (1234, 110)}[times]


def test_functions_are_traced_as_they_are_written():
    @traced
    def branches(value):
        return 1 if value > 0 else 2

    with pytest.raises(tf.errors.OperatorNotAllowedInGraphError, match="bool"):
        branches(tf.constant(3))
