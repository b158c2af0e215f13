"""Models of RecTools: ``rectools:EASEModel``, ``rectools:ImplicitALSWrapperModel`` and so on.

RecTools recommends lists with scores, so the bridge asks for a list of all items. It knows the users and items of the
train rows only. A wrapper of implicit takes the parameters of the model inside; ``ImplicitItemKNNWrapperModel`` also
takes ``model``, the class in ``implicit.nearest_neighbours``.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .bridge import (
    LOWEST,
    Bridge,
    accepted_by,
    bridge_class,
    constructor_defaults,
    end_epoch,
    find_class,
)

if TYPE_CHECKING:
    from recbench.protocol import Int32Array, TrainContext, TrainSet

SET_BY_BRIDGE = ("verbose", "random_state", "num_threads", "recommend_n_threads", "recommend_use_gpu_ranking", "model")
SET_INSIDE = ("num_threads", "random_state", "use_gpu", "dtype")
WRAPPED = {
    "ImplicitALSWrapperModel": ("implicit.als", "AlternatingLeastSquares"),
    "ImplicitBPRWrapperModel": ("implicit.bpr", "BayesianPersonalizedRanking"),
    "ImplicitItemKNNWrapperModel": ("implicit.nearest_neighbours", "TFIDFRecommender"),
}
CHOSEN_BY_PARAMETER = "ImplicitItemKNNWrapperModel"


class RecToolsBridge(Bridge):
    """A model of RecTools."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns a ``rectools.dataset.Dataset`` with weight 1 in each row."""
        import pandas as pd
        from rectools.dataset import Dataset

        times = np.zeros(len(train), np.int64) if train.timestamps is None else train.timestamps
        columns = {"user_id": train.users, "item_id": train.items, "weight": 1.0}
        return Dataset.construct(pd.DataFrame({**columns, "datetime": pd.to_datetime(times, unit=_unit(times))}))

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the model; the models of implicit inside report their epochs."""
        self.known_users = np.isin(np.arange(train.n_users), prepared.user_id_map.external_ids)
        self.known_items = np.isin(np.arange(train.n_items), prepared.item_id_map.external_ids)
        self.data = prepared
        own = {"random_state": context.seed, "num_threads": context.threads, "recommend_n_threads": context.threads}
        given = dict(self.parameters)
        inner = None
        if type(self).__name__ in WRAPPED:
            module, name = WRAPPED[type(self).__name__]
            inner_class = getattr(importlib.import_module(module), given.pop("model", name))
            accepted = accepted_by(inner_class, given)
            given = {one: value for one, value in given.items() if one not in accepted}
            inner = inner_class(**accepted, **accepted_by(inner_class, own))
            given["model"] = inner
        self.model = self.framework_class(**given, **accepted_by(self.framework_class, own))
        # RecTools refuses lists before the end of training; the harness may ask for scores after an epoch.
        self.model.is_fitted = True
        with _epochs_of(type(inner), lambda: end_epoch(context)):
            self.model.fit(prepared)

    def scores_of(self, users: Int32Array) -> Any:
        """Returns the scores of a list of all items; an item that is not in the list is lowest."""
        found = self.model.recommend(
            users, self.data, k=int(self.known_items.sum()), filter_viewed=False, add_rank_col=False
        )
        rows = np.full((len(users), self.n_items), LOWEST)
        place = np.zeros(len(self.known_users), dtype=np.int64)
        place[users] = np.arange(len(users))
        rows[place[found["user_id"].to_numpy()], found["item_id"].to_numpy()] = found["score"].to_numpy()
        return rows


@contextlib.contextmanager
def _epochs_of(model_class: Any, ended: Callable[[], None]) -> Iterator[None]:
    """Lets the models of implicit with factors call ``ended`` after each epoch."""
    original = model_class.fit if hasattr(model_class, "recalculate_user") else None
    if original is None:
        yield
        return

    def fit(model: Any, matrix: Any, show_progress: bool = True) -> None:
        original(model, matrix, show_progress=show_progress, callback=lambda *_: ended())

    model_class.fit = fit
    try:
        yield
    finally:
        model_class.fit = original


def _defaults(found: Any, name: str) -> dict[str, Any]:
    own = constructor_defaults(found, SET_BY_BRIDGE)
    if name not in WRAPPED:
        return own
    module, inner = WRAPPED[name]
    inside = constructor_defaults(getattr(importlib.import_module(module), inner), SET_INSIDE)
    chosen = {"model": inner} if name == CHOSEN_BY_PARAMETER else {}
    return {**own, **chosen, **inside}


def __getattr__(name: str) -> Any:
    found = find_class("RecTools", ["rectools.models"], name)
    return bridge_class(RecToolsBridge, found, name, _defaults(found, name), __name__)


def _unit(times: Any) -> Literal["s", "ms", "us", "ns"]:
    """Returns the unit that the size of the times suggests; recbench keeps them as the data has them."""
    latest = int(np.max(times, initial=0))
    if latest < 10**11:
        return "s"
    if latest < 10**14:
        return "ms"
    return "us" if latest < 10**17 else "ns"
