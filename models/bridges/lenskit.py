"""Scorers of LensKit: ``lenskit:ImplicitMFScorer``, ``lenskit:ItemKNNScorer`` and so on.

LensKit takes all users and items, with or without train rows. It leaves out the score of an item for which it has no
basis, such as one without a neighbour in the user's history: the bridge scores such an item lowest, and all items of a
user for whom it has no score at all. A task holds implicit feedback, and so a scorer with a parameter ``feedback`` gets
``implicit``. No other default differs.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import numpy as np

from .bridge import LOWEST, Bridge, bridge_class, end_epoch, find_class, with_type

if TYPE_CHECKING:
    from recbench.protocol import Int32Array, TrainContext, TrainSet

MODULES = (
    "lenskit.als",
    "lenskit.knn",
    "lenskit.basic",
    "lenskit.flexmf",
    "lenskit.graphs",
    "lenskit.sklearn.svd",
    "lenskit.sklearn.nmf",
    "lenskit.funksvd",
    "lenskit.implicit",
    "lenskit.hpf",
)


class LensKitBridge(Bridge):
    """A scorer of LensKit."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns a ``lenskit.data.Dataset``."""
        import pyarrow as pa
        from lenskit.data import DatasetBuilder

        columns = {"user_id": pa.array(train.users), "item_id": pa.array(train.items)}
        if train.ratings is not None:
            columns["rating"] = pa.array(train.ratings)
        builder = DatasetBuilder("train")
        builder.add_entities("user", np.arange(train.n_users, dtype=np.int32))
        builder.add_entities("item", np.arange(train.n_items, dtype=np.int32))
        builder.add_interactions("rating", pa.table(columns), entities=["user", "item"], default=True)
        return builder.build()

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the scorer; one with a trainer runs its epochs one by one."""
        from lenskit.data import ItemList
        from lenskit.training import TrainingOptions, UsesTrainer

        device = "cuda" if context.device == "gpu" else "cpu"
        options = TrainingOptions(rng=context.seed, device=device)
        given = {name: value for name, value in self.parameters.items() if value is not None}
        self.scorer = self.framework_class(**given)
        self.takes_query = "query" in inspect.signature(self.scorer.__call__).parameters
        self.data = prepared
        self.items = ItemList(np.arange(train.n_items, dtype=np.int32))
        self.scores_anyone: bool | None = None
        if not isinstance(self.scorer, UsesTrainer):
            if hasattr(self.scorer, "train"):
                self.scorer.train(prepared, options)
            return
        trainer = self.scorer.create_trainer(prepared, options)
        try:
            for _ in range(self.scorer.expected_training_epochs or 0):
                told = trainer.train_epoch() or {}
                self.scores_anyone = None
                loss = told.get("loss")
                end_epoch(context, float(loss) if isinstance(loss, (int, float)) else None)
        finally:
            trainer.finalize()
            self.scores_anyone = None

    def scores_of(self, users: Int32Array) -> Any:
        """Returns LensKit's scores, user by user, as its own evaluation does; NaN if it has none for any user."""
        rows = np.empty((len(users), self.n_items))
        for place, user in enumerate(users.tolist()):
            rows[place] = self._scores_of_user(user)
        return np.where(np.isnan(rows), LOWEST, rows) if self._scores_any_user(rows) else rows

    def _scores_of_user(self, user: int) -> Any:
        from lenskit.data import RecQuery

        query = RecQuery(user_id=user, history_items=self.data.user_row(user))
        inputs = {"query": query} if self.takes_query else {}
        return self.scorer(items=self.items, **inputs).scores("numpy")

    def _scores_any_user(self, rows: Any) -> bool:
        """Whether the model, as trained so far, has a score for any user of the train rows.

        An overflow leaves no user a score: that is a failure, and the harness must see it. A single user without a
        score is none. So all users decide, and not those who happen to be in one call.

        Args:
            rows: float[n, n_items], the scores of some users, which mostly have one already.
        """
        if self.scores_anyone is None:
            has_score = not np.isnan(rows).all()
            everyone = range(len(self.known_users))
            self.scores_anyone = has_score or any(not np.isnan(self._scores_of_user(user)).all() for user in everyone)
        return self.scores_anyone


def _defaults(scorer: Any) -> dict[str, Any]:
    config = scorer.config_class()
    fields = {} if config is None else config.model_fields
    defaults = {
        name: with_type(field.get_default(call_default_factory=True), field.annotation)
        for name, field in fields.items()
    }
    return {**defaults, "feedback": "implicit"} if "feedback" in defaults else defaults


def __getattr__(name: str) -> Any:
    found = find_class("LensKit", MODULES, name)
    if not hasattr(found, "config_class"):
        raise LookupError(f"{name} of LensKit is no component")
    return bridge_class(LensKitBridge, found, name, _defaults(found), __name__)
