"""Train rows as a dense matrix, and models fitted to a task, for comparing with formulas written out."""

import numpy as np

from recbench.trials.clock import TimedContext


def dense_rows(train):
    rows = np.zeros((train.n_users, train.n_items))
    rows[train.users, train.items] = 1
    return rows


def fitted(model, task):
    model.fit(task.train_set(), TimedContext(0, 1))
    return model
