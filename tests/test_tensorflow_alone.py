import pytest

pytest.importorskip("tensorflow")


def test_tensorflow_comes_without_keras_and_keras_works_later(python):
    done = python(
        "import sys, warnings\n"
        "warnings.simplefilter('error', ImportWarning)\n"
        "from recbench_models.tensorflow_alone import tf\n"
        "print([name for name in ('keras', 'sklearn') if name in sys.modules])\n"
        "from tensorflow.keras import layers\n"
        "import keras\n"
        "print(tf.keras.layers.Dense is keras.layers.Dense is layers.Dense)\n"
        "print(layers.Dense(3)(tf.ones((2, 5))).shape)\n"
    )
    assert done.stdout.splitlines() == ["[]", "True", "(2, 3)"], done.stderr


def test_keras_may_come_first(python):
    done = python(
        "import keras\nfrom recbench_models.tensorflow_alone import tf\nprint(tf.keras.Model is keras.Model)\n"
    )
    assert done.stdout == "True\n", done.stderr


def test_models_come_without_keras(python):
    models = ", ".join(f"recbench_models.{name}" for name in ("bpr", "lightgcn", "mf", "ncf"))
    done = python(f"import sys\nimport {models}\nprint('keras' in sys.modules)\n")
    assert done.stdout == "False\n", done.stderr
