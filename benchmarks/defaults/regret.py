"""Which configuration does well on all datasets, and on a dataset that it was not chosen on: pure functions.

The regret of a configuration on a dataset is the best value on this dataset minus the configuration's value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.defaults.trial_results import Result

Values = Mapping[str, Mapping[str, float]]
"""Value by configuration and dataset."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A configuration and its regrets.

    Attributes:
        key: The configuration.
        regrets: Regret by dataset.
    """

    key: str
    regrets: dict[str, float]

    @property
    def mean(self) -> float:
        """The mean regret over the datasets."""
        return sum(self.regrets.values()) / len(self.regrets)


def values_of(results: Iterable[Result]) -> dict[str, dict[str, float]]:
    """Returns the value of each configuration on each dataset.

    A configuration that two trials give, one of them as a training with fewer epochs, has the value of its own trial.
    """
    values: dict[str, dict[str, float]] = {}
    own: dict[str, dict[str, float]] = {}
    for result in results:
        for key, value in result.values():
            (own if key == result.key else values).setdefault(key, {})[result.dataset] = value
    for key, by_dataset in own.items():
        values[key] = values.get(key, {}) | by_dataset
    return values


def best_values(values: Values) -> dict[str, float]:
    """Returns the best value on each dataset."""
    best: dict[str, float] = {}
    for by_dataset in values.values():
        for dataset, value in by_dataset.items():
            best[dataset] = max(value, best.get(dataset, value))
    return best


def regrets(values: Values, key: str) -> dict[str, float]:
    """Returns the regret of a configuration on each dataset on which it was tried."""
    best = best_values(values)
    return {dataset: best[dataset] - value for dataset, value in values.get(key, {}).items()}


def choose(values: Values, datasets: Sequence[str], scored: Sequence[str] | None = None) -> Choice | None:
    """Returns the configuration with the smallest mean regret; None if no configuration has all values.

    Args:
        values: All values.
        datasets: The datasets over which the regret is averaged.
        scored: Only configurations with a value on all of these count; None for ``datasets``.
    """
    best = best_values(values)
    choices = [
        Choice(key, {dataset: best[dataset] - by_dataset[dataset] for dataset in datasets})
        for key, by_dataset in values.items()
        if by_dataset.keys() >= set(scored or datasets)
    ]
    # By the text of the configuration among equals, so that the order of the trials does not matter.
    return min(choices, key=lambda choice: (choice.mean, choice.key), default=None)


def leave_one_out(values: Values, datasets: Sequence[str]) -> Choice | None:
    """Returns the regret on each dataset of the configuration that is chosen on all other datasets.

    The key is empty: each dataset has a configuration of its own. None if no configuration was tried on all datasets,
    or there are fewer than two datasets.
    """
    regret_by_dataset: dict[str, float] = {}
    for left_out in datasets:
        others = [dataset for dataset in datasets if dataset != left_out]
        choice = choose(values, others, datasets) if others else None
        if choice is None:
            return None
        regret_by_dataset[left_out] = regrets(values, choice.key)[left_out]
    return Choice("", regret_by_dataset) if regret_by_dataset else None
