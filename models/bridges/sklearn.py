"""Any class in the style of scikit-learn: ``sklearn:my_module.Mine`` has ``fit(matrix)`` and ``recommend(users, n)``.

``fit`` gets the train rows as a matrix [n_users, n_items] of ones: a scipy matrix of compressed rows, or a numpy array
where scipy is not installed. ``recommend`` gets int32[users] and a number, and returns the items of each user, best
first, or a pair of these and their scores. Without scores, the place in the list is the score, and the record says so.
"""

from __future__ import annotations

import importlib
import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from .bridge import LOWEST, Bridge, accepted_by, bridge_class, constructor_defaults, interactions

if TYPE_CHECKING:
    from recbench.protocol import Int32Array, TrainContext, TrainSet

SEEDS = ("random_state", "seed")
THREADS = ("n_jobs", "num_threads", "n_threads")


class SklearnBridge(Bridge):
    """A class with ``fit`` and ``recommend``."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns the matrix of the train rows."""
        try:
            return interactions(train)
        except ImportError:
            matrix = np.zeros((train.n_users, train.n_items), dtype=np.float32)
            matrix[train.users, train.items] = 1
            return matrix

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Calls ``fit``; it counts as one pass."""
        own = {**dict.fromkeys(SEEDS, context.seed), **dict.fromkeys(THREADS, context.threads)}
        self.model = self.framework_class(**self.parameters, **accepted_by(self.framework_class, own))
        self.model.fit(prepared)
        self.ranked_list = not isinstance(self._recommended(np.zeros(min(1, train.n_users), np.int32)), tuple)

    def scores_of(self, users: Int32Array) -> Any:
        """Returns the scores of ``recommend``, or the places in its lists; an item in no list is lowest."""
        found = self._recommended(users)
        items, scores = found if isinstance(found, tuple) else (found, None)
        rows = np.full((len(users), self.n_items), LOWEST)
        for place, row in enumerate(rows):
            own_items = np.asarray(items[place])
            own_scores = -np.arange(len(own_items)) if scores is None else np.asarray(scores[place])
            if own_scores.shape != own_items.shape:
                raise ValueError(f"recommend() returned {own_items.size} items and {own_scores.size} scores for a user")
            # -1 stands for no item, at any place of a list.
            is_item = own_items >= 0
            listed = own_items[is_item].astype(np.int64)
            if len(np.unique(listed)) < len(listed) or (listed >= self.n_items).any():
                raise ValueError("recommend() returned an item twice, or an item that does not exist")
            row[listed] = own_scores[is_item]
        return rows

    def _recommended(self, users: Int32Array) -> Any:
        found = self.model.recommend(users, self.n_items)
        if len(found[0] if isinstance(found, tuple) else found) != len(users):
            raise ValueError("recommend() returned lists for another number of users than it was given")
        return found


def __getattr__(name: str) -> Any:
    module, dot, class_name = name.rpartition(".")
    if name.startswith("__") or not dot:
        raise AttributeError(name)
    found = getattr(importlib.import_module(module), class_name, None)
    if not inspect.isclass(found):
        raise LookupError(f"{module} has no class {class_name!r}")
    for method in ("fit", "recommend"):
        if not callable(getattr(found, method, None)):
            raise LookupError(f"{name} has no method {method}()")
    # The code of the model is that of the user's module.
    return bridge_class(SklearnBridge, found, class_name, constructor_defaults(found, SEEDS + THREADS), module)
