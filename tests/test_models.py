import os
import subprocess
import sys
from typing import ClassVar

import numpy as np
import pytest

from recbench.testing import RecommenderContract
from recbench.trials.machine import library_settings
from recbench_models import bpr, ncf

OUT_OF_RANGE = [{"factors": 0}, {"epochs": -1}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}]


class TestPopularity(RecommenderContract):
    model = "popularity"
    personalises = False
    uses_seed = False


class TestRandom(RecommenderContract):
    model = "random"
    personalises = False


class ReusesItsArrays:
    """Counts train rows by item and user, a quarter more each epoch, into arrays that all of its models share."""

    arrays: ClassVar = {}

    def __init__(self, epochs: int = 4):
        if epochs < 1:
            raise ValueError("epochs must be positive")
        self.epochs = epochs

    def fit(self, train, context):
        seen = np.zeros((train.n_users, train.n_items))
        seen[train.users, train.items] = 1
        for epoch in range(1, self.epochs + 1):
            self.scores = seen @ (seen.T @ seen) * epoch + np.random.default_rng(context.seed).random(train.n_items)
            if not context.end_epoch():
                break

    def score(self, users, items):
        return self.filled(self.scores[users[:, None], items])

    def score_all(self, users):
        return self.filled(self.scores[users])

    def filled(self, scores):
        array = self.arrays.setdefault(scores.shape, np.empty(scores.shape))
        array[:] = scores
        return array


class TestReusesItsArrays(RecommenderContract):
    model = ReusesItsArrays
    bad_parameters = [{"epochs": 0}]


class TestImplicitBPR(RecommenderContract):
    model = "implicit-bpr"
    parameters = {"epochs": 200, "factors": 8}
    bad_parameters = [*OUT_OF_RANGE, {"regularization": -1.0}]


BAD_BPR = [
    *OUT_OF_RANGE,
    {"regularization": -1.0},
    {"batch_size": 0},
    {"negatives": 0},
    {"init_std": 0.0},
    {"negative_exponent": -0.5},
    {"loss": "mse"},
    {"optimizer": "lion"},
]


class TestBPR(RecommenderContract):
    model = "bpr"
    parameters = {
        "epochs": 60,
        "factors": 8,
        "batch_size": 128,
        "learning_rate": 0.2,
        "regularization": 0.1,
        "loss": "bpr",
        "similarity": "inner",
    }
    bad_parameters = BAD_BPR


class TestBPRWithPools(RecommenderContract):
    """Large and sparse datasets are trained so; here it is asked for. The loss is softmax, to test both at once."""

    model = "bpr"
    parameters = {**TestBPR.parameters, "loss": "softmax", "negatives": 16}
    bad_parameters = BAD_BPR

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def always_pooled(cls):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bpr, "SPARSE", 2.0)
            yield


class TestBPRWithOtherChoices(RecommenderContract):
    model = "bpr"
    parameters = {
        **TestBPR.parameters,
        "loss": "bce",
        "optimizer": "adam",
        "learning_rate": 0.02,
        "negatives": 1,
        "negative_exponent": 0.5,
    }
    bad_parameters = BAD_BPR


class TestBPRWithSharedNegatives(RecommenderContract):
    model = "bpr"
    parameters = {**TestBPR.parameters, "loss": "sampled_softmax", "similarity": "cosine", "shared_negatives": 64}
    bad_parameters = [*BAD_BPR, {"similarity": "euclid"}, {"temperature": 0}, {"shared_negatives": 0}]


class TestBPRWithOneRowABatch(RecommenderContract):
    """As many batches as users."""

    model = "bpr"
    parameters = {
        "epochs": 20,
        "factors": 8,
        "batch_size": 1,
        "loss": "hinge",
        "similarity": "inner",
        "optimizer": "sgd",
        "learning_rate": 0.05,
    }
    bad_parameters = BAD_BPR


class TestNeuMF(RecommenderContract):
    model = "ncf"
    parameters = {"epochs": 30, "factors": 4, "mlp_factors": 4, "batch_size": 64}
    bad_parameters = [
        *OUT_OF_RANGE,
        {"mlp_factors": 0},
        {"balance": -1.0},
        {"negatives": 0},
        {"batch_size": 0},
        {"regularization": -1.0},
        {"layer_regularization": -1.0},
        {"pretraining_epochs": -1},
        {"loss": "hinge"},
        {"optimizer": "lion"},
    ]

    @pytest.mark.parametrize("pairs", [1, 7, 40])
    def test_the_whole_catalogue_may_be_scored_in_parts(self, trained, board, monkeypatch, pairs):
        users = np.arange(5, dtype=np.int32)
        whole = trained.score_all(users)
        monkeypatch.setattr(ncf, "PAIRS_AT_ONCE", pairs)
        np.testing.assert_allclose(trained.score_all(users), whole, rtol=1e-5, atol=1e-5)


class TestNeuMFWithSoftmax(RecommenderContract):
    model = "ncf"
    parameters = {
        "epochs": 30,
        "factors": 4,
        "mlp_factors": 8,
        "batch_size": 64,
        "loss": "softmax",
        "balance": 0.5,
    }
    bad_parameters = [{"loss": "sampled-softmax"}, {"precision": "float16"}]


class TestNeuMFWithPretraining(RecommenderContract):
    model = "ncf"
    parameters = {
        "epochs": 8,
        "pretraining_epochs": 12,
        "factors": 4,
        "mlp_factors": 4,
        "batch_size": 64,
        "loss": "bpr",
        "negative_exponent": 0.5,
    }
    bad_parameters = TestNeuMF.bad_parameters
    n_epochs = 8 + 2 * 12


class TestEASE(RecommenderContract):
    model = "ease"
    parameters = {"l2": 5.0}
    uses_seed = False
    bad_parameters = [{"l2": 0.0}, {"l2": -1.0}, {"l2": float("inf")}]


class TestItemKNN(RecommenderContract):
    model = "itemknn"
    uses_seed = False
    bad_parameters = [{"overlap": 0.0}, {"similarity": "jaccard"}, {"k1": -1.0}, {"b": -0.1}, {"b": 1.1}]


class TestItemKNNByCosine(RecommenderContract):
    model = "itemknn"
    parameters = {"similarity": "cosine"}
    uses_seed = False
    bad_parameters = TestItemKNN.bad_parameters


class TestItemKNNByTFIDF(RecommenderContract):
    model = "itemknn"
    parameters = {"similarity": "tfidf"}
    uses_seed = False
    bad_parameters = TestItemKNN.bad_parameters


class TestALS(RecommenderContract):
    model = "als"
    parameters = {"epochs": 10, "factors": 8, "regularization": 0.1}
    bad_parameters = [{"factors": 0}, {"epochs": 0}, {"regularization": -1.0}, {"unobserved_ratio": 0.0}]


class TestIALS(RecommenderContract):
    model = "ials"
    parameters = {"epochs": 10, "factors": 8}
    bad_parameters = [
        {"factors": 0},
        {"epochs": 0},
        {"regularization": 0.0},
        {"regularization_exponent": -1.0},
        {"unobserved_ratio": 0.0},
        {"init_std": 0.0},
    ]


class TestSLIM(RecommenderContract):
    model = "slim"
    parameters = {"l1": 0.5, "l2": 2.0, "epochs": 15}
    uses_seed = False
    bad_parameters = [{"l1": -1.0}, {"l2": 0.0}, {"epochs": 0}]


class TestRP3Beta(RecommenderContract):
    model = "rp3beta"
    uses_seed = False
    bad_parameters = [{"overlap": 0.0}, {"alpha": -1.0}, {"beta": -0.1}]


class TestGFCF(RecommenderContract):
    model = "gf-cf"
    parameters = {"factors": 4, "alpha": 1.0}
    uses_seed = False
    bad_parameters = [{"factors": 0}, {"alpha": -1.0}]


class TestMF(RecommenderContract):
    model = "mf"
    parameters = {"epochs": 40, "factors": 8, "batch_size": 128, "learning_rate": 0.2, "regularization": 0.01}
    bad_parameters = [bad for bad in BAD_BPR if "loss" not in bad]


class TestLightGCN(RecommenderContract):
    model = "lightgcn"
    parameters = {"epochs": 20, "factors": 8, "batch_size": 128, "learning_rate": 0.02}
    bad_parameters = [
        *OUT_OF_RANGE,
        {"layers": 0},
        {"regularization": -1.0},
        {"negatives": 0},
        {"negative_exponent": -0.5},
        {"batch_size": 0},
        {"init_std": 0.0},
    ]


class TestLightGCNWithSharedNegatives(RecommenderContract):
    model = "lightgcn"
    parameters = {
        **TestLightGCN.parameters,
        "loss": "sampled_softmax",
        "similarity": "cosine",
        "temperature": 0.5,
        "shared_negatives": 64,
    }
    bad_parameters = [
        *TestLightGCN.bad_parameters,
        {"loss": "hinge"},
        {"similarity": "euclid"},
        {"temperature": 0},
        {"shared_negatives": 0},
        {"balance": -1.0},
    ]


TWO_THREADS = """
import sys
import numpy as np
from recbench.trials.clock import TimedContext
from recbench.registry.models import find_model
from recbench.testing import RecommenderContract
from recbench.data.synthetic import SyntheticParameters, generate
from recbench.tasks.build import split_and_draw
from recbench.tasks.named_specs import builtin_specs

data = generate(SyntheticParameters(n_users=900, n_items=700, density=0.05))
task = split_and_draw(builtin_specs()["synthetic"].model_copy(update={"digest": None}), data)
# Of bpr, many blocks side by side; of ncf, whose epochs are long, only one.
chosen = {"bpr": {"epochs": 3, "batch_size": 512}, "ncf": {"epochs": 1}}
chosen |= dict.fromkeys(["ease", "gf-cf", "itemknn", "rp3beta"], {})
for name in sys.argv[1:]:
    model_class = find_model(name).load()
    assert model_class.repeatable_on_threads
    scores = []
    for _ in range(2):
        model = model_class(**chosen.get(name, {"epochs": 3}))
        model.fit(task.train_set(), TimedContext(0, threads=2))
        scores.append(model.score(task.test.users, task.test.negatives))
    assert np.array_equal(*scores), name
"""


@pytest.mark.parametrize(
    "names", [["als", "ease", "gf-cf", "ials", "itemknn", "rp3beta", "slim"], ["bpr", "lightgcn", "ncf"]]
)
def test_models_that_promise_it_repeat_themselves_on_two_threads(names):
    settings = {**os.environ, **library_settings(2, "cpu")}
    done = subprocess.run(
        [sys.executable, "-c", TWO_THREADS, *names], env=settings, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
