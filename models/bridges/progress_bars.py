"""Counts the epochs of a framework that shows a progress bar of tqdm over them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any


@contextlib.contextmanager
def epochs_of_progress_bar(epochs: int | None, end_epoch: Callable[[], None]) -> Iterator[None]:
    """Calls ``end_epoch`` after each round of the first loop with a progress bar that is as long as the epochs.

    The progress bar need not be shown.

    Args:
        epochs: How many epochs the framework trains; None to count none.
        end_epoch: Ends an epoch; what it raises leaves the loop.
    """
    try:
        from tqdm.std import tqdm
    except ImportError:
        epochs = None
    if epochs is None:
        yield
        return
    original = tqdm.__iter__
    is_counted = False

    def counted(bar: Any) -> Iterator[Any]:
        nonlocal is_counted
        rounds = original(bar)
        try:
            is_theirs = not is_counted and len(bar) == epochs
        except TypeError:
            is_theirs = False
        if not is_theirs:
            yield from rounds
            return
        is_counted = True
        for one in rounds:
            yield one
            end_epoch()

    tqdm.__iter__ = counted
    try:
        yield
    finally:
        tqdm.__iter__ = original
