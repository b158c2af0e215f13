"""Models that the tests run in another interpreter; each bad one does one thing wrong."""

import contextlib
import os
import pickle
import sys
import time
from pathlib import Path

import numpy as np

from recbench.protocol import Int32Array, TrainSet


class Mine:
    """Co-occurrence with a random part."""

    repeatable_on_threads = True

    def __init__(self, scale: float = 1.0, layers=(2, 3), epochs: int = 2):
        assert isinstance(layers, tuple)
        self.scale, self.epochs = scale, epochs

    def fit(self, train: TrainSet, context):
        sys.stdout.write("this goes to the log\n")
        os.write(1, b"and this\n")
        matrix = np.zeros((train.n_users, train.n_items), np.float32)
        matrix[train.users, train.items] = 1
        rng = np.random.default_rng(context.seed)
        self.scores = np.zeros_like(matrix)
        for epoch in range(self.epochs):
            self.scores += matrix @ (matrix.T @ matrix) * self.scale + rng.random(matrix.shape, dtype=np.float32)
            context.report(rows=len(train), first_id=str(train.item_ids[train.items[0]]))
            if not context.end_epoch(1 / (epoch + 1)):
                break

    def score(self, users: Int32Array, items: Int32Array):
        return self.scores[users[:, None], items]

    def score_all(self, users):
        return self.scores[users]


class Bad:
    def __init__(self, how=""):
        self.how = how

    def fit(self, train, context):
        if self.how == "crash":
            os._exit(3)
        if self.how == "raise":
            raise KeyError("missing")
        if self.how == "nan":
            context.end_epoch(float("nan"))
        if self.how == "stray":
            for descriptor in range(3, 20):
                with contextlib.suppress(OSError):
                    os.write(descriptor, pickle.dumps(1) + b"\n")
        if self.how == "stdin":
            assert sys.stdin.read() == ""
        if self.how.startswith("reads "):
            file = Path(self.how.partition(" ")[2])
            file.read_text()
            # Another program, while this one trains.
            time.sleep(0.05)
            os.utime(file)
        if self.how == "group":
            raise ExceptionGroup("two of them", [ValueError("one")])
        self.context = context

    def score(self, users, items):
        scores = items.astype(np.float32)
        if self.how == "late":
            self.context.report(said="late")
            assert self.context.end_epoch() is False
        if self.how == "objects":
            return scores.astype(object)
        if self.how == "pickle":
            return pickle.dumps(scores)
        if self.how == "shape":
            return scores[:, 1:]
        if self.how == "large":
            return np.zeros((3000, 3000))
        return scores


class NoModel:
    pass
