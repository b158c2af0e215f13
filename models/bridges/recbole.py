"""General models of RecBole: ``recbole:BPR``, ``recbole:NeuMF``, ``recbole:EASE`` and so on.

RecBole's own trainer runs, with its own negatives. Early stopping is off: all ``epochs`` run, 300 by default. With
``validation_share=0.1``, RecBole cuts a tenth of each user's train rows off, stops early on them, and keeps its best
epoch. RecBole knows the users and items of the train rows only.
"""

from __future__ import annotations

import logging
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .bridge import LOWEST, Bridge, bridge_class, end_epoch, find_class, with_lowest

if TYPE_CHECKING:
    from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

MODULE = "recbole.model.general_recommender"
OF_TRAINING = ("epochs", "train_batch_size", "learner", "learning_rate", "weight_decay", "eval_step", "stopping_step")
"""The settings of RecBole's trainer that are parameters beside those of the model."""
VALIDATION = "validation_share"
PAIRS_AT_ONCE = 2**16
"""Pairs for which ``predict`` is called: the layers of a network keep hundreds of numbers for each."""


class RecBoleBridge(Bridge):
    """A general model of RecBole."""

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns RecBole's configuration, dataset and data loaders; RecBole reads its rows from a file."""
        from recbole.config import Config
        from recbole.data import create_dataset, data_preparation
        from recbole.utils import init_seed

        settings = {one: value for one, value in self.parameters.items() if value is not None}
        share = float(settings.pop(VALIDATION, 0.0))
        self.folder = tempfile.TemporaryDirectory()
        settings.update(
            data_path=self.folder.name,
            checkpoint_dir=str(Path(self.folder.name, "saved")),
            seed=context.seed,
            use_gpu=context.device == "gpu",
            show_progress=False,
            eval_args={"split": {"RS": [1 - share, share, 0]}, "group_by": "user", "order": "RO", "mode": "full"},
            load_col={"inter": ["user_id", "item_id"]},
        )
        file = Path(self.folder.name, "train", "train.inter")
        file.parent.mkdir()
        rows = np.stack([train.users, train.items], axis=1)
        np.savetxt(file, rows, "%d", "\t", header="user_id:token\titem_id:token", comments="")
        config = Config(model=type(self).__name__, dataset="train", config_dict=settings)
        if context.device == "gpu" and config["device"].type == "cpu":
            raise ValueError("RecBole finds no GPU")
        logging.getLogger().setLevel(logging.WARNING)
        init_seed(config["seed"], config["reproducibility"])
        data = create_dataset(config)
        loaders = data_preparation(config, data)
        return config, data, loaders, share

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the model with RecBole's trainer."""
        import torch
        from recbole.trainer import trainer as trainers
        from recbole.utils import get_trainer, init_seed

        # RecBole would write its log for TensorBoard into the user's working folder.
        trainers.get_tensorboard = lambda logger: _NoTensorBoard()  # noqa: ARG005

        config, data, (train_rows, valid_rows, _), share = prepared
        torch.set_num_threads(context.threads)
        self.users = _numbers(data, data.uid_field, train.n_users)
        self.items = _numbers(data, data.iid_field, train.n_items)
        self.known_users, self.known_items = self.users > 0, self.items > 0
        self.config = config
        init_seed(config["seed"], config["reproducibility"])
        self.model = self.framework_class(config, train_rows.dataset).to(config["device"])
        trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, self.model)
        run_epoch = trainer._train_epoch

        def counted(*arguments: Any, **named: Any) -> Any:
            loss = run_epoch(*arguments, **named)
            self.model.train(False)
            end_epoch(context, float(sum(loss) if isinstance(loss, tuple) else loss))
            return loss

        trainer._train_epoch = counted
        try:
            trainer.fit(train_rows, valid_rows if share else None, verbose=False, saved=bool(share))
            if share:
                saved = torch.load(trainer.saved_model_file, weights_only=False)
                self.model.load_state_dict(saved["state_dict"])
                self.model.load_other_parameter(saved.get("other_parameter"))
        finally:
            self.model.train(False)
            self.folder.cleanup()

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Scores the candidates alone where the model has no way to score all items, such as NeuMF."""
        import torch
        from recbole.data.interaction import Interaction

        if "full_sort_predict" in vars(self.framework_class):
            return super().score(users, items)
        given = {
            self.config["USER_ID_FIELD"]: np.repeat(self.users[users], items.shape[1]),
            self.config["ITEM_ID_FIELD"]: self.items[items].ravel(),
        }
        scores = np.empty(items.size)
        for start in range(0, items.size, PAIRS_AT_ONCE):
            some = slice(start, start + PAIRS_AT_ONCE)
            tensors = {name: torch.from_numpy(values[some]).to(self.config["device"]) for name, values in given.items()}
            with torch.no_grad():
                scores[some] = self.model.predict(Interaction(tensors)).cpu().numpy()
        known = self.known_users[users][:, None] & self.known_items[items]
        return with_lowest(np.where(known, scores.reshape(items.shape), LOWEST))

    def scores_of(self, users: Int32Array) -> Any:
        """Returns RecBole's scores of all items."""
        import torch
        from recbole.data.interaction import Interaction

        if "full_sort_predict" not in vars(self.framework_class):
            return self.score(users, np.tile(np.arange(self.n_items, dtype=np.int32), (len(users), 1)))
        numbers = torch.from_numpy(self.users[users]).to(self.config["device"])
        with torch.no_grad():
            scores = self.model.full_sort_predict(Interaction({self.config["USER_ID_FIELD"]: numbers}))
        return scores.reshape(len(users), -1).cpu().numpy()[:, self.items]


class _NoTensorBoard:
    """Takes the figures that RecBole logs, and keeps none."""

    def __getattr__(self, name: str) -> Any:
        return lambda *figures: None  # noqa: ARG005


def _numbers(data: Any, field: str, size: int) -> Any:
    """Returns int64[size], the number that RecBole gives each index; 0 for one that it does not know."""
    known = data.field2token_id[field]
    return np.array([known.get(str(index), 0) for index in range(size)], dtype=np.int64)


def _defaults(name: str) -> dict[str, Any]:
    from recbole.config import Config
    from recbole.utils import ModelType

    config = Config(model=name, dataset="train")
    logging.getLogger().setLevel(logging.WARNING)
    if config["MODEL_TYPE"] not in (ModelType.GENERAL, ModelType.TRADITIONAL):
        raise LookupError(f"{name} is no general model of RecBole: it needs more than train rows")
    import recbole

    own = Path(str(recbole.__file__)).parent / "properties" / "model" / (name + ".yaml")
    names = re.findall(r"^(\w+):", own.read_text(encoding="utf-8"), re.MULTILINE) if own.is_file() else []
    is_trained = config["MODEL_TYPE"] is ModelType.GENERAL
    names += [one for one in OF_TRAINING if is_trained and one not in names]
    return {**{one: config[one] for one in names}, **({VALIDATION: 0.0} if is_trained else {})}


def __getattr__(name: str) -> Any:
    found = find_class("RecBole", [MODULE], name)
    return bridge_class(RecBoleBridge, found, name, _defaults(name), __name__)
