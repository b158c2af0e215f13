"""Models of irspack: ``irspack:IALSRecommender`` is ``irspack.recommenders.IALSRecommender``.

irspack takes all users and items, with or without train rows. Early stopping is off: it would need an evaluator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .bridge import (
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

SEEDS = ("random_seed", "rng_seed", "seed")
SET_BY_BRIDGE = ("X_train_all", "X_train", "user_features", "item_features", "n_threads", *SEEDS)


class IrspackBridge(Bridge):
    """A model of irspack."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns the matrix of the train rows."""
        return interactions(train, "float64")

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the model; a model that learns in epochs runs them one by one."""
        from irspack.recommenders import BaseRecommenderWithEarlyStopping

        seeds = dict.fromkeys(SEEDS, context.seed)
        own = accepted_by(self.framework_class, {"n_threads": context.threads, **seeds})
        self.model = self.framework_class(prepared, **self.parameters, **own)
        if not isinstance(self.model, BaseRecommenderWithEarlyStopping):
            self.model.learn()
            return
        self.model.start_learning()
        for _ in range(self.model.train_epochs):
            self.model.run_epoch()
            end_epoch(context)

    def scores_of(self, users: Int32Array) -> Any:
        """Returns irspack's scores."""
        scores = self.model.get_score(users)
        return scores.toarray() if hasattr(scores, "toarray") else scores


def __getattr__(name: str) -> Any:
    found = find_class("irspack", ["irspack.recommenders"], name)
    return bridge_class(IrspackBridge, found, name, constructor_defaults(found, SET_BY_BRIDGE), __name__)
