"""TensorFlow without Keras; models here import ``tf`` from this module.

Importing TensorFlow also imports all of Keras, and Keras imports matplotlib and scikit-learn where they are installed.
That takes a tenth of the time without these two packages, and two fifths with them. No model here needs Keras.
``tf.keras`` and ``import keras`` work as usual: the first use of Keras imports it.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

__all__ = ["tf"]


class _Later(importlib.abc.Loader):
    """Imports nothing; TensorFlow goes on without Keras if its import fails."""

    def exec_module(self, module: ModuleType) -> None:
        raise ImportError(f"{module.__name__} is imported when it is first used")


class _KerasLater(importlib.abc.MetaPathFinder):
    """Finds Keras, whose folder TensorFlow looks up, but does not import it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        found = importlib.machinery.PathFinder.find_spec(fullname, path) if fullname == "keras" else None
        if found is not None:
            found.loader = _Later()
        return found


@contextmanager
def _keras_left_out() -> Iterator[None]:
    finder = _KerasLater()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _keras_left_out():
    import tensorflow as tf  # noqa: TID251
