"""Modules that stand for other frameworks, with the parts that their bridges use."""

import sys
import types

import numpy as np
import pytest


def install(monkeypatch: pytest.MonkeyPatch, name: str, **content) -> types.ModuleType:
    """Makes a module importable during a test, and the packages around it."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        module_name = ".".join(parts[:end])
        if module_name not in sys.modules or end == len(parts):
            module = types.ModuleType(module_name)
            module.__path__ = []
            monkeypatch.setitem(sys.modules, module_name, module)
            if end > 1:
                monkeypatch.setattr(sys.modules[".".join(parts[: end - 1])], parts[end - 1], module, raising=False)
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


def cornac(monkeypatch: pytest.MonkeyPatch) -> None:
    """Installs a stub of Cornac."""
    install(monkeypatch, "cornac.models", BPR=CornacBPR, Late=CornacLate)
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
        ids = {one: types.SimpleNamespace(external_ids=rows[f"{one}_id"].unique()) for one in ("user", "item")}
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
