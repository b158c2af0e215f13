"""What all bridges have in common: the constructor, the epochs, and items and users that a framework does not know.

A bridge prepares the train rows in ``warm_up``, which is not timed. The clock of ``fit`` measures the framework alone.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from recbench.protocol import FloatArray, Int32Array, TrainContext, TrainSet

LOWEST = -np.inf
"""Stands for the score of an item or a user that a framework does not know, until ``with_lowest`` replaces it."""
SCORES_AT_ONCE = 4_000_000


class StoppedError(Exception):
    """Leaves the loop of a framework when the harness has asked to stop training. It is no failure."""


class Bridge:
    """A model of another framework.

    Attributes:
        framework_class: The class of the framework.
        defaults: Its hyper-parameters that have a default, and the defaults.
        parameters: The hyper-parameters of this model.
        known_users: bool[n_users], the users that the framework knows; set by ``learn`` if it drops some.
        known_items: bool[n_items], likewise.
        ranked_list: Whether scores are made from the places of a ranked list.
    """

    framework_class: Any
    defaults: Mapping[str, Any] = {}
    ranked_list = False

    def __init__(self, **parameters: Any) -> None:
        self.parameters = {**self.defaults, **parameters}
        self._prepared: Any = None

    def warm_up(self, train: TrainSet, context: TrainContext) -> None:
        """Prepares the train rows for the framework."""
        self._prepared = self.prepare(train, context)

    def fit(self, train: TrainSet, context: TrainContext) -> None:
        """Lets the framework train its model."""
        self.n_items = train.n_items
        self.known_users = np.ones(train.n_users, dtype=bool)
        self.known_items = np.ones(train.n_items, dtype=bool)
        prepared = self.prepare(train, context) if self._prepared is None else self._prepared
        self._prepared = None
        with contextlib.suppress(StoppedError):
            self.learn(prepared, train, context)
        self._report_unknown(context)

    def score(self, users: Int32Array, items: Int32Array) -> FloatArray:
        """Scores candidates; see ``recbench.protocol``."""
        unique, rows = np.unique(users, return_inverse=True)
        scores = np.empty(items.shape, dtype=np.float64)
        step = max(1, SCORES_AT_ONCE // max(self.n_items, 1))
        for start in range(0, len(unique), step):
            cases = np.flatnonzero((rows >= start) & (rows < start + step))
            block = self.score_all(unique[start : start + step])
            scores[cases] = block[rows[cases][:, None] - start, items[cases]]
        return scores

    def score_all(self, users: Int32Array) -> FloatArray:
        """Scores all items; see ``recbench.protocol``."""
        scores = np.full((len(users), self.n_items), LOWEST, dtype=np.float64)
        known = self.known_users[users]
        if known.any():
            given = np.asarray(self.scores_of(users[known]), dtype=np.float64)
            scores[np.ix_(known, self.known_items)] = given[:, self.known_items]
        return with_lowest(scores)

    def prepare(self, train: TrainSet, context: TrainContext) -> Any:
        """Returns the train rows as the framework takes them."""
        raise NotImplementedError

    def learn(self, prepared: Any, train: TrainSet, context: TrainContext) -> None:
        """Trains the framework's model."""
        raise NotImplementedError

    def scores_of(self, users: Int32Array) -> Any:
        """Returns float[n, n_items], the scores of all items for known users."""
        raise NotImplementedError

    def _report_unknown(self, context: TrainContext) -> None:
        if self.ranked_list:
            context.report(scores="places in a ranked list")
        unknown = {"users": int((~self.known_users).sum()), "items": int((~self.known_items).sum())}
        for kind, count in unknown.items():
            if count:
                context.report(**{"unknown_" + kind: count})
        if any(unknown.values()):
            name = type(self).__name__
            print(  # noqa: T201 - it goes to the log of the trial
                f"{name} does not know {unknown['users']} users and {unknown['items']} items; their scores are lowest."
            )


def with_lowest(scores: Any) -> Any:
    """Replaces each LOWEST by a score below all others of its row.

    Its distance from them is that from the lowest to the highest, so that it does not make them near ties.

    Args:
        scores: float[n, c].
    """
    is_lowest = np.isneginf(scores)
    if not is_lowest.any():
        return scores
    is_empty = is_lowest.all(axis=1)
    low = np.where(is_empty, 0.0, np.where(is_lowest, np.inf, scores).min(axis=1))
    high = np.where(is_empty, 0.0, scores.max(axis=1))
    lowest = low - np.where(high > low, high - low, 1.0)
    return np.where(is_lowest, lowest[:, None], scores)


def end_epoch(context: TrainContext, loss: float | None = None) -> None:
    """Ends an epoch.

    Raises:
        StoppedError: Training should stop.
    """
    if not context.end_epoch(loss):
        raise StoppedError


def interactions(train: TrainSet, dtype: Any = np.float32) -> Any:
    """Returns the train rows as a scipy matrix [n_users, n_items] of ones in compressed rows."""
    from scipy.sparse import csr_matrix

    ones = np.ones(len(train.indices), dtype=dtype)
    # Frameworks write to these arrays, and compiled code takes indices of 32 bits.
    rows = (ones, train.indices.astype(np.int32), train.indptr.astype(np.int32))
    return csr_matrix(rows, shape=(train.n_users, train.n_items))


def bridge_class(
    base: type[Bridge], framework_class: Any, name: str, parameters: Mapping[str, Any], module: str
) -> type[Bridge]:
    """Makes the class of a model.

    Args:
        base: The bridge of its framework.
        framework_class: The class of the framework.
        name: Its name.
        parameters: The hyper-parameters and their defaults; ``inspect.Parameter.empty`` for those without.
        module: The module of the bridge.
    """
    signature = inspect.Signature(
        [
            inspect.Parameter(one, inspect.Parameter.KEYWORD_ONLY, default=default)
            for one, default in parameters.items()
            if one.isidentifier()
        ]
    )
    content = {
        "__module__": module,
        "__doc__": inspect.getdoc(framework_class),
        "__signature__": signature,
        # A function that makes a model is no method.
        "framework_class": staticmethod(framework_class),
        "defaults": {one: value for one, value in parameters.items() if value is not inspect.Parameter.empty},
    }
    return type(name, (base,), content)


def constructor_defaults(framework_class: Any, without: Iterable[str]) -> dict[str, Any]:
    """Returns the parameters of a constructor and their defaults, without those that the bridge sets."""
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    parameters = inspect.signature(framework_class).parameters.values()
    kept = [one for one in parameters if one.kind in kinds and one.name not in set(without)]
    return {one.name: with_type(one.default, one.annotation) for one in kept}


def with_type(default: Any, annotation: Any) -> Any:
    """Returns a default as a number with a point where the parameter takes such numbers, and the default is whole."""
    return float(default) if type(default) is int and annotation in (float, "float") else default


def accepted_by(framework_class: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns those of the values that a constructor takes."""
    parameters = inspect.signature(framework_class).parameters
    return {name: value for name, value in values.items() if name in parameters}


def find_class(framework: str, modules: Iterable[str], name: str) -> Any:
    """Finds a class of a framework.

    Args:
        framework: The name of the framework, for errors.
        modules: Where to look for it, in this order.
        name: Its name.

    Raises:
        AttributeError: The name is one that Python itself looks up.
        LookupError: There is no such class; the message suggests similar names.
    """
    if name.startswith("__"):
        raise AttributeError(name)
    names: list[str] = []
    failed: ImportError | None = None
    found_any = False
    for module in modules:
        try:
            content = importlib.import_module(module)
            # Some frameworks import a class when it is looked up.
            found = getattr(content, name, None)
        except ImportError as error:
            # An optional part of the framework; another module may hold the class.
            failed = error
            continue
        if callable(found):
            return found
        found_any = True
        names += [one for one in dir(content) if one[:1].isupper() and not one.endswith("Config")]
    if failed is not None and not found_any:
        raise failed
    close = difflib.get_close_matches(name, sorted(set(names)), 3, 0.5)
    similar = f"; similar: {', '.join(close)}" if close else ""
    missing = f" (a part of it cannot be imported: {failed})" if failed is not None else ""
    raise LookupError(f"{framework} has no model {name!r}{similar}{missing}")
