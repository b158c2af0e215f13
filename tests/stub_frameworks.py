"""Modules that stand for other frameworks, with the parts that their bridges use."""

import sys
import types

import numpy as np
import pytest


def install(monkeypatch: pytest.MonkeyPatch, name: str, **content) -> types.ModuleType:
    """Makes a module importable during a test, and the packages around it."""
    components = name.split(".")
    for end in range(1, len(components) + 1):
        module_name = ".".join(components[:end])
        if module_name not in sys.modules or end == len(components):
            module = types.ModuleType(module_name)
            module.__path__ = []
            monkeypatch.setitem(sys.modules, module_name, module)
            if end > 1:
                monkeypatch.setattr(
                    sys.modules[".".join(components[: end - 1])], components[end - 1], module, raising=False
                )
    vars(sys.modules[name]).update(content)
    return sys.modules[name]


class CornacBPR:
    """A stub with a progress bar over its epochs."""

    def __init__(self, name="BPR", k: int = 10, max_iter: int = 3, verbose: bool = True, seed=None, num_threads=0):
        assert not verbose
        assert seed is not None
        self.max_iter, self.k, self.counts = max_iter, k, None

    def fit(self, data):
        from tqdm.std import tqdm

        users, items, _ = data.uir_tuple
        # It writes to its rows.
        users += 0
        for _ in tqdm(range(5), disable=True):
            self.counts = np.zeros(data.num_items)
        for _ in tqdm(range(self.max_iter), disable=True):
            self.counts += np.bincount(items, minlength=data.num_items)
            for _ in tqdm(range(self.max_iter), disable=True):
                pass

    def score(self, user):
        from cornac.exception import ScoreException

        if user == 1:
            raise ScoreException
        return self.counts[None, :]

    def default_score(self):
        return 0.5


class CornacLate(CornacBPR):
    """Has no scores before the end of its training."""

    def fit(self, data):
        from tqdm.std import tqdm

        counts = np.bincount(data.uir_tuple[1], minlength=data.num_items)
        for _ in tqdm(range(self.max_iter), disable=True):
            pass
        self.counts = counts

    def score(self, user):
        return self.counts + 0


class CornacWMF(CornacLate):
    """Has scores of its initial factors before the end of its training."""

    def score(self, user):
        return np.zeros(5) if self.counts is None else self.counts


def cornac(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a stub of Cornac."""
    install(monkeypatch, "cornac.models", BPR=CornacBPR, Late=CornacLate, WMF=CornacWMF)
    install(monkeypatch, "cornac.data", Dataset=lambda **given: types.SimpleNamespace(**given))
    install(monkeypatch, "cornac.exception", ScoreException=type("ScoreException", (Exception,), {}))


def irspack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a stub of irspack: one model of epochs, one without."""

    class Stopping:
        pass

    class Trained(Stopping):
        def __init__(self, X_train_all, reg: float = 1, train_epochs: int = 4, random_seed: int = 0):  # noqa: N803
            self.rows, self.train_epochs, self.passes = X_train_all, train_epochs, 0
            assert isinstance(reg, float)

        def start_learning(self):
            self.counts = np.asarray(self.rows.sum(axis=0)).ravel()

        def run_epoch(self):
            self.passes += 1

        def get_score(self, users):
            return np.tile(self.counts * self.passes, (len(users), 1))

    class Plain:
        def __init__(self, X_train):  # noqa: N803
            self.rows = X_train

        def learn(self):
            self.counts = np.asarray(self.rows.sum(axis=0)).ravel()

        def get_score(self, users):
            return np.tile(self.counts, (len(users), 1))

    content = {"BaseRecommenderWithEarlyStopping": Stopping, "Trained": Trained, "Plain": Plain}
    install(monkeypatch, "irspack.recommenders", **content)


def rectools(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a stub of RecTools, which knows the users and items of its rows only."""
    import pandas as pd

    def construct(rows):
        ids = {entity: types.SimpleNamespace(external_ids=rows[f"{entity}_id"].unique()) for entity in ("user", "item")}
        return types.SimpleNamespace(user_id_map=ids["user"], item_id_map=ids["item"], rows=rows)

    class PopularModel:
        def __init__(self, verbose: int = 0):
            self.is_fitted = False

        def fit(self, data):
            self.counts = data.rows["item_id"].value_counts()

        def recommend(self, users, data, k, filter_viewed, add_rank_col):
            assert set(users) <= set(data.user_id_map.external_ids)
            listed = self.counts.iloc[:k]
            # Another order than that of the users that were given.
            of_users = sorted(users.tolist(), reverse=True)
            return pd.DataFrame(
                {
                    "user_id": np.repeat(of_users, len(listed)),
                    "item_id": np.tile(listed.index, len(of_users)),
                    "score": np.tile(listed.to_numpy(), len(of_users)),
                }
            )

    install(monkeypatch, "rectools.models", PopularModel=PopularModel)
    install(monkeypatch, "rectools.dataset", Dataset=types.SimpleNamespace(construct=construct))


class ImplicitFactors:
    """A model of factors, which calls back after each epoch."""

    def __init__(self, factors: int = 2, iterations: int = 3, num_threads=0, random_state=None, use_gpu=True):
        assert not use_gpu
        assert (num_threads, random_state) == (1, 0)
        self.factors, self.iterations, self.user_factors = factors, iterations, None

    def fit(self, rows, show_progress=True, callback=None):
        assert not show_progress
        counts = np.asarray(rows.sum(axis=0)).ravel()
        self.user_factors = np.zeros((rows.shape[0], self.factors))
        self.item_factors = np.repeat(counts[:, None], self.factors, axis=1)
        # It writes to its rows.
        rows.data += 1
        for epoch in range(self.iterations):
            self.user_factors += 1
            callback(epoch, 0.1)


class ImplicitNeighbours:
    """A model of similarities: each item is similar to itself and, half as much, to item 0."""

    def __init__(self, K: int = 20, num_threads=0):  # noqa: N803
        self.similarity = None

    def fit(self, rows, show_progress=True):
        from scipy.sparse import csr_matrix

        similarity = np.eye(rows.shape[1])
        similarity[:, 0] += 0.5
        self.similarity = csr_matrix(similarity)


class ImplicitLists:
    """A model that only recommends lists, which end with -1 if they are short."""

    def __init__(self, num_threads=0):
        pass

    def fit(self, rows, show_progress=True):
        self.n_items = rows.shape[1]

    def recommend(self, users, rows, N, filter_already_liked_items):  # noqa: N803
        assert not filter_already_liked_items
        assert (N, rows.shape[0]) == (self.n_items, len(users))
        return np.tile([3, 1, -1], (len(users), 1)), np.tile([0.9, 0.4, 0.0], (len(users), 1))


def implicit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a stub of implicit."""
    install(monkeypatch, "implicit.als", Factors=ImplicitFactors)
    install(monkeypatch, "implicit.nearest_neighbours", Neighbours=ImplicitNeighbours, Lists=ImplicitLists)


class LensKitConfig:
    """The configuration of the scorers: a whole default of a parameter that takes other numbers too."""

    model_fields = {
        name: types.SimpleNamespace(get_default=lambda call_default_factory, value=value: value, annotation=annotation)
        for name, value, annotation in (
            ("epochs", 3, int),
            ("regularization", 1, float),
            ("feedback", "explicit", str),
            ("left_out", None, None),
        )
    }


def lenskit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a stub of LensKit: a scorer with a trainer, one without, and one that cannot be trained."""

    class Builder:
        def __init__(self, name):
            self.entities = {}

        def add_entities(self, kind, ids):
            self.entities[kind] = ids

        def add_interactions(self, kind, table, entities, default):
            assert (entities, default) == (["user", "item"], True)
            self.table = table

        def build(self):
            rows = self.table["item_id"][self.table["user_id"] == 2]
            counts = np.bincount(self.table["item_id"], minlength=len(self.entities["item"]))
            return types.SimpleNamespace(counts=counts, table=self.table, rows=rows, user_row=lambda user: user)

    class UsesTrainer:
        pass

    class Scorer:
        def __init__(self, **given):
            assert "left_out" not in given
            self.given = given

        @staticmethod
        def config_class():
            return LensKitConfig

        def __call__(self, query, items):
            scores = np.where(self.counts > 0, self.counts * 1.0 + query.user_id, np.nan)
            assert query.history_items == query.user_id
            return types.SimpleNamespace(scores=lambda form: scores[items])

    class Trained(Scorer, UsesTrainer):
        finalized = 0

        @property
        def expected_training_epochs(self):
            return self.given["epochs"]

        def create_trainer(self, data, options):
            assert (options.rng, options.device) == (0, "cpu")
            self.counts = np.zeros(len(data.counts))
            return types.SimpleNamespace(
                train_epoch=lambda: self.add(data.counts), finalize=lambda: setattr(self, "finalized", 1)
            )

        def add(self, counts):
            self.counts = self.counts + counts
            return {"loss": 0.5}

    class Closed(Scorer):
        def train(self, data, options):
            self.counts = data.counts

    class NoQuery(Closed):
        def __call__(self, items):
            return types.SimpleNamespace(scores=lambda form: np.full(len(items), np.nan))

    class SomeUsers(Closed):
        """It has no score for user 1."""

        def __call__(self, query, items):
            scores = np.full(len(items), np.nan if query.user_id == 1 else 2.0)
            return types.SimpleNamespace(scores=lambda form: scores)

    class Lost(Trained):
        """It overflows in the third epoch."""

        def __call__(self, query, items):
            scores = np.full(len(items), np.nan if self.counts.max() >= 3 * 3 else 2.0)
            return types.SimpleNamespace(scores=lambda form: scores)

    install(monkeypatch, "pyarrow", array=np.array, table=dict)
    install(monkeypatch, "lenskit.data", DatasetBuilder=Builder, ItemList=lambda ids: ids, RecQuery=_namespace)
    install(monkeypatch, "lenskit.training", TrainingOptions=_namespace, UsesTrainer=UsesTrainer)
    install(monkeypatch, "lenskit.als", Trained=Trained, Closed=Closed, NoQuery=NoQuery, PlainClass=dict)
    install(monkeypatch, "lenskit.knn", SomeUsers=SomeUsers, Lost=Lost)


def _namespace(**given) -> types.SimpleNamespace:
    return types.SimpleNamespace(**given)


class Tensor:
    """The part of PyTorch's tensors that the bridge of RecBole uses."""

    def __init__(self, values):
        self.values = values

    def to(self, device):
        assert device.type == "cpu"
        return self

    def cpu(self):
        return self

    def numpy(self):
        return self.values

    def reshape(self, *shape):
        return Tensor(self.values.reshape(*shape))


def recbole(monkeypatch: pytest.MonkeyPatch, properties) -> None:
    """Installs a stub of RecBole, which numbers the users and items of its rows from 1.

    Args:
        monkeypatch: Of the test.
        properties: The folder of a file ``properties/model/Ranks.yaml``, which the stub makes.
    """
    general, sequential = object(), object()
    types_of_models = types.SimpleNamespace(GENERAL=general, TRADITIONAL=object())
    file = properties / "properties" / "model" / "Ranks.yaml"
    file.parent.mkdir(parents=True)
    file.write_text("embedding_size: 64  # as in RecBole\n", encoding="utf-8")

    class Config(dict):
        def __init__(self, model, dataset, config_dict=None):
            basics = {"embedding_size": 64, "epochs": 3, "learning_rate": 0.001, "seed": 0, "reproducibility": True}
            names = ("train_batch_size", "learner", "weight_decay", "eval_step", "stopping_step")
            super().__init__({**dict.fromkeys(names), **basics, **(config_dict or {})})
            self["MODEL_TYPE"] = sequential if model == "Sequences" else general
            self["device"] = types.SimpleNamespace(type="cpu")
            self.update(model=model, USER_ID_FIELD="user_id", ITEM_ID_FIELD="item_id")

    def create_dataset(config):
        text = (properties.__class__(config["data_path"]) / "train" / "train.inter").read_text(encoding="utf-8")
        header, *lines = text.splitlines()
        assert header == "user_id:token\titem_id:token"
        pairs = np.array([line.split("\t") for line in lines])
        numbers = [{token: 1 + place for place, token in enumerate(dict.fromkeys(column))} for column in pairs.T]
        items = np.array([numbers[1][token] for token in pairs[:, 1]])
        return types.SimpleNamespace(
            uid_field="user_id",
            iid_field="item_id",
            field2token_id={"user_id": numbers[0], "item_id": numbers[1]},
            counts=np.bincount(items),
        )

    def data_preparation(config, data):
        split = config["eval_args"]["split"]["RS"]
        return types.SimpleNamespace(dataset=data), "validation rows" if split[1] else None, None

    class Model:
        def __init__(self, config, data):
            self.counts, self.passes, self.is_training = data.counts, 0, True

        def to(self, device):
            return self

        def train(self, mode):
            self.is_training = mode

        def load_state_dict(self, state):
            self.passes = state

        def load_other_parameter(self, other):
            assert other is None

    class Ranks(Model):
        def full_sort_predict(self, interaction):
            assert not self.is_training
            users = interaction["user_id"].values
            return Tensor(np.tile(self.counts * self.passes, len(users)))

    class Pairs(Model):
        def predict(self, interaction):
            return Tensor((self.counts * self.passes)[interaction["item_id"].values])

    class Trainer:
        saved_model_file = "best epoch"

        def __init__(self, config, model):
            self.config, self.model = config, model

        def _train_epoch(self, rows, epoch):
            self.model.train(True)
            self.model.passes += 1
            return (0.25, 0.25)

        def fit(self, train_rows, valid_rows, verbose, saved):
            assert (verbose, saved) == (False, valid_rows is not None)
            for epoch in range(self.config["epochs"]):
                self._train_epoch(train_rows, epoch)

    class NoGradients:
        def __enter__(self):
            pass

        def __exit__(self, *reason):
            pass

    install(
        monkeypatch,
        "torch",
        from_numpy=Tensor,
        no_grad=NoGradients,
        set_num_threads=lambda threads: None,
        load=lambda file, weights_only: {"state_dict": 2},
    )
    install(monkeypatch, "recbole", __file__=str(properties / "__init__.py"))
    install(monkeypatch, "recbole.config", Config=Config)
    install(monkeypatch, "recbole.data", create_dataset=create_dataset, data_preparation=data_preparation)
    install(monkeypatch, "recbole.data.interaction", Interaction=dict)
    install(monkeypatch, "recbole.trainer.trainer")
    install(
        monkeypatch,
        "recbole.utils",
        init_seed=lambda seed, reproducibility: None,
        get_trainer=lambda kind, model: Trainer,
        ModelType=types_of_models,
    )
    content = {"Ranks": Ranks, "Pairs": Pairs, "Sequences": Ranks}
    install(monkeypatch, "recbole.model.general_recommender", **content)
