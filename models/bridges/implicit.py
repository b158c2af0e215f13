"""Models of implicit: ``implicit:AlternatingLeastSquares``, ``implicit:BM25Recommender`` and so on.

implicit takes all users and items, with or without train rows. It draws and weights by ones, not by ratings.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from .bridge import (
    LOWEST,
    Bridge,
    accepted_by,
    bridge_class,
    constructor_defaults,
    end_epoch,
    find_class,
    interactions,
)

if TYPE_CHECKING:
    from recbench.protocol import Int32Array, TrainContext, TrainSet

SET_BY_BRIDGE = ("num_threads", "random_state", "use_gpu", "dtype")
MODULES = ("implicit.als", "implicit.bpr", "implicit.lmf", "implicit.nearest_neighbours", "implicit.ann")


class ImplicitBridge(Bridge):
    """A model of implicit."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns the matrix of the train rows."""
        return interactions(train)

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the model; the models with factors report their epochs."""
        own = {"num_threads": context.threads, "random_state": context.seed}
        if context.device != "auto":
            own["use_gpu"] = context.device == "gpu"
        self.rows = prepared
        self.model = self.framework_class(**self.parameters, **accepted_by(self.framework_class, own))
        arguments: dict[str, Any] = {"show_progress": False}
        reports_epochs = hasattr(self.model, "iterations")
        if reports_epochs and "callback" in inspect.signature(self.model.fit).parameters:
            arguments["callback"] = lambda *_: end_epoch(context)
        self.model.fit(prepared, **arguments)

    def scores_of(self, users: Int32Array) -> Any:
        """Returns products of factors, sums of similarities, or else the scores of ``recommend``."""
        factors = getattr(self.model, "user_factors", None)
        if isinstance(factors, np.ndarray):
            return factors[users] @ self.model.item_factors.T
        similarity = getattr(self.model, "similarity", None)
        if similarity is not None:
            return (self.rows[users] @ similarity).toarray()
        items, scores = self.model.recommend(users, self.rows[users], N=self.n_items, filter_already_liked_items=False)
        rows = np.full((len(users), self.n_items), LOWEST)
        places, ranks = np.nonzero(np.asarray(items) >= 0)
        rows[places, np.asarray(items)[places, ranks]] = np.asarray(scores)[places, ranks]
        return rows


def __getattr__(name: str) -> Any:
    found = find_class("implicit", MODULES, name)
    return bridge_class(ImplicitBridge, found, name, constructor_defaults(found, SET_BY_BRIDGE), __name__)
