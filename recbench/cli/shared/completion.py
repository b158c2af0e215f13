"""What a shell completes: names of models, tasks and datasets. No numeric library is loaded, and no error is shown."""

from collections.abc import Callable, Iterable

from recbench.escaping.shell import shell_word


def model_list(incomplete: str) -> list[str]:
    """Completes the last item of a list of models."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _matching(last, _models)]


def model_name(incomplete: str) -> list[str]:
    """Completes the name of one model."""
    return _matching(incomplete, _models)


def metric_list(incomplete: str) -> list[str]:
    """Completes the last item of a list of metrics."""
    before, comma, last = incomplete.rpartition(",")
    return [f"{before}{comma}{name}" for name in _matching(last, _metrics)]


def task_name(incomplete: str) -> list[str]:
    """Completes the name of a task."""
    return _matching(incomplete, _tasks)


def dataset_name(incomplete: str) -> list[str]:
    """Completes the name of a dataset."""
    return _matching(incomplete, _datasets)


def environment_name(incomplete: str) -> list[str]:
    """Completes the name of an environment of another framework."""
    return _matching(incomplete, _environments)


def _matching(start: str, names: Callable[[], Iterable[str]]) -> list[str]:
    try:
        # zsh evaluates what it is given: a name that it would need quotes for is left out.
        return [name for name in names() if name.startswith(start) and shell_word(name) == name]
    except Exception:  # noqa: BLE001 - a traceback would end up in the command line that is being typed
        return []


def _models() -> Iterable[str]:
    from recbench.registry.models import known_models

    return sorted(known_models())


def _metrics() -> Iterable[str]:
    from recbench.evaluation.metric_names import metric_names

    return metric_names()


def _tasks() -> Iterable[str]:
    from recbench.tasks.names import task_names

    return task_names()


def _datasets() -> Iterable[str]:
    from recbench.data.dataset_names import dataset_names

    return dataset_names()


def _environments() -> Iterable[str]:
    from recbench.foreign.environments import environment_names

    return environment_names()
