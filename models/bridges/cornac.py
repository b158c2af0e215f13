"""Models of Cornac: ``cornac:BPR`` is ``cornac.models.BPR``.

Cornac takes all users and items, with or without train rows. Models that need texts, images or graphs fail in ``fit``
with Cornac's own error.
"""

from __future__ import annotations

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
)
from .progress_bars import epochs_of_progress_bar

if TYPE_CHECKING:
    from recbench.protocol import Int32Array, TrainContext, TrainSet

SET_BY_BRIDGE = ("name", "trainable", "verbose", "seed", "num_threads", "init_params", "use_gpu", "B", "U")
EPOCHS = ("max_iter", "num_epochs", "n_epochs")
"""What Cornac's models call the number of epochs."""
SCORED_AT_THE_END = ("WMF",)
"""Until their training ends, these give scores of their initial factors: they train copies."""


class CornacBridge(Bridge):
    """A model of Cornac."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns a ``cornac.data.Dataset``; a task without ratings has the rating 1 in each row."""
        from cornac.data import Dataset

        ratings = np.ones(len(train)) if train.ratings is None else train.ratings.astype(np.float64)
        return Dataset(
            num_users=train.n_users,
            num_items=train.n_items,
            uid_map={user: user for user in range(train.n_users)},
            iid_map={item: item for item in range(train.n_items)},
            uir_tuple=(train.users.copy(), train.items.copy(), ratings),
            timestamps=None if train.timestamps is None else train.timestamps.copy(),
            seed=context.seed,
        )

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the model; epochs are counted where Cornac has a progress bar over them."""
        own = {
            "seed": context.seed,
            "num_threads": context.threads,
            "verbose": False,
            "use_gpu": context.device == "gpu",
        }
        self.model = self.framework_class(**self.parameters, **accepted_by(self.framework_class, own))
        epochs = next((self.parameters[name] for name in EPOCHS if name in self.parameters), None)
        can_score: list[bool] = []

        def ended() -> None:
            if not can_score:
                can_score.append(self._can_score())
            # Some models have no scores before the end of their training: the harness could not ask for them.
            if can_score[0]:
                end_epoch(context)

        with epochs_of_progress_bar(epochs, ended):
            self.model.fit(prepared)

    def scores_of(self, users: Int32Array) -> Any:
        """Returns Cornac's scores; a user that it cannot score gets the default score for all items, as in Cornac."""
        from cornac.exception import ScoreException

        rows = np.full((len(users), self.n_items), LOWEST)
        for row, user in enumerate(users.tolist()):
            try:
                scores = np.asarray(self.model.score(user), dtype=np.float64).ravel()
            except ScoreException:
                scores = np.full(self.n_items, self.model.default_score())
            rows[row, : len(scores)] = scores
        return rows

    def _can_score(self) -> bool:
        if type(self).__name__ in SCORED_AT_THE_END:
            return False
        try:
            self.model.score(0)
        # Of any class: it is the model's own code, in a state that its author did not expect.
        except Exception:  # noqa: BLE001
            return False
        return True


def __getattr__(name: str) -> Any:
    found = find_class("Cornac", ["cornac.models"], name)
    return bridge_class(CornacBridge, found, name, constructor_defaults(found, SET_BY_BRIDGE), __name__)
