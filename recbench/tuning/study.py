"""One model's study in Optuna's storage: what was tried, what to try next, and whether it may go on.

The sampler is seeded anew for each trial, from the seed and the number of trials before it, running ones included: no
two are the same by chance, and a tuning that was interrupted tries what it would have tried without the interruption.
"""

import sqlite3
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.exceptions import ExperimentalWarning
from optuna.pruners import PercentilePruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, Trial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from recbench.errors import RecbenchError
from recbench.records.interruption import uninterrupted
from recbench.records.schema import ParameterValue
from recbench.records.tuned_settings import ConfigurationOrigin, SettingValue
from recbench.system_errors import reason
from recbench.tuning.past import End, PastTrial, Versions, counts
from recbench.tuning.space_check import first_setting
from recbench.tuning.spaces import Choices, ModelSpace, Parameter

STARTUP_TRIALS = 3
"""Trials after which the sampler learns from scores; until then it draws at random.

Optuna's own 10 are too many for a slow model: of 12 trials, 10 would be random. On 40 quadratic functions of nine
parameters, a sampler that starts after 3 and models all parameters together was .035 below the optimum after 10 trials
and .012 after 30; Optuna's default sampler was .043 and .021 below.
"""
RANDOM_EVERY = 4
"""Every fourth trial is drawn at random, as BOHB draws a third (Falkner et al., ICML 2018).

A sampler that only looks near good settings does not come back to a kind, such as a similarity, that it first tried
with unsuitable values of other parameters. On 40 functions whose best kind is only the best in a part of the space, a
search without these draws still had another kind after 100 trials in 55 %, a search with them in 10 %. The price: on
the 40 quadratic functions, .006 after 30 trials and .0025 after 100.
"""
PRUNED_AFTER_TRIALS = 5
"""Fewer completed trials prune nothing."""
PERCENT_KEPT = 75.0
"""A trial is pruned if its best score so far is in the rest of the scores after the same epoch: the worst quarter."""
PRUNED_BY_TRIALS = 3
"""So many others must have been scored after the same epoch: short trainings are no match for the later epochs."""
PRUNED_AFTER_SHARE = 0.35
"""Nothing is pruned in this share of the longest training: slow learners may be good learners.

The best configurations of ``slim`` learn slowly. In 200 random orders of 24 of its trainings on ``ml-100k-loo``,
pruning below the median from .2 on lost the best one in 78 %. This rule lost none, and saved 19 % of the epochs.
"""
IMPORTANT_FROM = 5
"""Fewer different scores say nothing about parameters."""
BEGAN = "began"
"""The attribute of a study that says when its search began."""
ORIGIN = "origin"
KNOWN_SOURCE = "known_source"
"""The attributes of a trial that say where its configuration comes from."""
UNNAMED = "the default"
"""What an identity means by a part that it does not name."""
KEPT_BY_OPTUNA = ("number", "parameters", "began", ORIGIN, KNOWN_SOURCE)
STATES = {End.COMPLETED: TrialState.COMPLETE, End.PRUNED: TrialState.PRUNED}
"""All other ends are failures to Optuna: nothing is learned from them."""


class Study:
    """A study that can be resumed.

    Args:
        storage: The SQLite file; made if it does not exist.
        name: The study's name in it.
        identity: What must be the same for trials to be comparable, in words.
        space: Where to look, and what to try first, after the defaults.
        defaults: The model's parameters without any setting.
        seed: Seed of the search.
        longest: Epochs of the longest training.

    Raises:
        RecbenchError: The storage cannot be used, or holds a study of that name and another identity.
    """

    def __init__(
        self,
        storage: Path,
        name: str,
        identity: Mapping[str, str],
        space: ModelSpace,
        defaults: Mapping[str, ParameterValue],
        seed: int,
        longest: int,
    ) -> None:
        self._where = storage
        self._seed = seed
        self._distributions = {name: _distribution(parameter) for name, parameter in space.parameters.items()}
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        with usable(storage), _opening(storage):
            storage.parent.mkdir(parents=True, exist_ok=True)
            _check_owner(storage)
            self.optuna = optuna.create_study(
                storage=optuna.storages.RDBStorage(
                    f"sqlite:///{storage}", engine_kwargs={"creator": partial(_connect, storage)}
                ),
                pruner=PercentilePruner(
                    PERCENT_KEPT,
                    n_startup_trials=PRUNED_AFTER_TRIALS,
                    n_warmup_steps=int(longest * PRUNED_AFTER_SHARE),
                    n_min_trials=PRUNED_BY_TRIALS,
                ),
                study_name=name,
                direction="maximize",
                load_if_exists=True,
            )
            self._identify(name, dict(identity))
            # A process that was killed here may have queued some of them. No trial begins before all are queued.
            queued = len(self.optuna.get_trials(deepcopy=False))
            for parameters, origin in _starts(space, defaults)[queued:]:
                self._try(parameters, origin)
            for left in self.optuna.get_trials(states=[TrialState.RUNNING]):
                self._interrupt(left.number, left)

    def name_objective(self, name: str) -> None:
        """Names what is maximised, for other programs that show the storage, such as optuna-dashboard.

        Args:
            name: The metric, such as ``ndcg@10``.
        """
        if self.optuna.metric_names == [name]:
            return
        with usable(self._where), warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ExperimentalWarning)
            self.optuna.set_metric_names([name])

    @property
    def began(self) -> datetime | None:
        """When the search began, in UTC; None in older storages."""
        began = self.optuna.user_attrs.get(BEGAN)
        return None if began is None else datetime.fromisoformat(began)

    def past(self) -> list[PastTrial]:
        """Returns the trials that are over."""
        return [_past(trial) for trial in self.optuna.get_trials(deepcopy=False) if trial.state.is_finished()]

    def ask(self) -> Trial:
        """Begins the next trial.

        The first is that of the model's defaults, see ``first_setting``; then come the known settings.
        """
        running = self.optuna.get_trials(deepcopy=False, states=[TrialState.RUNNING])
        asked = counts(self.past()).ended + len(running)
        state = np.random.SeedSequence([self._seed, asked]).generate_state(1)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=ExperimentalWarning)
            self.optuna.sampler = _sampler(asked, int(state[0]))
            # A default outside of its range is tried on purpose.
            warnings.filterwarnings("ignore", message="Fixed parameter")
            trial = self.optuna.ask(self._distributions)
        if ORIGIN not in trial.user_attrs:
            trial.set_user_attr(ORIGIN, ConfigurationOrigin.DRAWN)
        return trial

    def falls_behind(self, trial: Trial, score: float, epoch: int) -> bool:
        """Takes in a score during training, and returns whether the trial fell behind and should end."""
        trial.report(score, epoch)
        return trial.should_prune()

    def note_cost(self, trial: Trial, seconds: float, joules: float | None) -> None:
        """Keeps what a trial has taken so far, for the case that nobody can say it later."""
        trial.set_user_attr("seconds", seconds)
        trial.set_user_attr("joules", joules)

    def end(self, trial: Trial, past: PastTrial) -> None:
        """Ends a trial."""
        facts = {name: value for name, value in asdict(past).items() if name not in KEPT_BY_OPTUNA}
        with uninterrupted():
            trial.set_user_attr("trial", facts)
            self.optuna.tell(
                trial, past.score if past.end is End.COMPLETED else None, STATES.get(past.end, TrialState.FAIL)
            )

    def interrupt(self, trial: Trial, seconds: float, joules: float | None) -> None:
        """Ends a trial that was interrupted, and lets it be tried again."""
        with uninterrupted():
            self.note_cost(trial, seconds, joules)
            self._interrupt(trial.number, self.optuna.get_trials(deepcopy=False)[trial.number])

    def importance(self) -> dict[str, float]:
        """Returns how much each parameter decides about the score, the most first; empty if too little was tried.

        PED-ANOVA (Watanabe et al., IJCAI 2023), normalised to a sum of 1.
        """
        completed = self.optuna.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
        if len({trial.value for trial in completed}) < IMPORTANT_FROM:
            return {}
        return optuna.importance.get_param_importances(self.optuna)

    def _interrupt(self, number: int, left: FrozenTrial) -> None:
        origin = {name: left.user_attrs[name] for name in (ORIGIN, KNOWN_SOURCE) if name in left.user_attrs}
        self._try({**left.system_attrs.get("fixed_params", {}), **left.params}, origin)
        self.optuna.tell(number, state=TrialState.FAIL)

    def _try(self, parameters: Mapping[str, Any], origin: Mapping[str, str]) -> None:
        self.optuna.enqueue_trial(dict(parameters), user_attrs=dict(origin))

    def _identify(self, name: str, identity: dict[str, str]) -> None:
        stored = self.optuna.user_attrs.get("identity")
        if stored is None:
            self.optuna.set_user_attr("identity", identity)
            self.optuna.set_user_attr(BEGAN, datetime.now(UTC).isoformat())
            return
        differing = [what for what in {**stored, **identity} if stored.get(what) != identity.get(what)]
        if differing:
            differences = "; ".join(
                f"{what} was {stored.get(what, UNNAMED)} and is {identity.get(what, UNNAMED)}" for what in differing
            )
            raise RecbenchError(
                f"{self._where} holds trials of {name!r} that cannot be resumed: {differences}.",
                "Choose another file with --storage FILE, or delete this one; the settings found so far are kept.",
            )


def _sampler(asked: int, seed: int) -> BaseSampler:
    """Returns what draws the next trial, after so many others."""
    if asked >= STARTUP_TRIALS and asked % RANDOM_EVERY == 0:
        return RandomSampler(seed=seed)
    # A constant liar takes running trials for bad ones, and so looks elsewhere.
    return TPESampler(seed=seed, n_startup_trials=STARTUP_TRIALS, multivariate=True, constant_liar=True)


def _starts(
    space: ModelSpace, defaults: Mapping[str, ParameterValue]
) -> list[tuple[dict[str, SettingValue], dict[str, str]]]:
    """Returns the configurations that a search begins with, each with the attributes that say where it comes from.

    The sampler draws defaults that cannot be tried, see ``first_setting``: the first trial is not that of the defaults
    then.
    """
    first = first_setting(space.parameters, defaults)
    is_whole = first.keys() == space.parameters.keys()
    origin = ConfigurationOrigin.DEFAULT if is_whole else ConfigurationOrigin.DRAWN
    # A parameter that a known configuration leaves out may be newer than it, and had its default then.
    known = [
        (
            {**first, **configuration.setting},
            {ORIGIN: str(ConfigurationOrigin.KNOWN), KNOWN_SOURCE: configuration.source},
        )
        for configuration in space.known
    ]
    return [*([(first, {ORIGIN: str(origin)})] if first else []), *known]


@contextmanager
def usable(storage: Path) -> Iterator[None]:
    """Turns what goes wrong with a storage into an error that names it.

    Raises:
        RecbenchError: It cannot be read or written, or is none.
    """
    try:
        yield
    except (sqlite3.Error, SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        # Of databases alone: the trials that run meanwhile have errors of their own.
        cause = error.__cause__ or error
        raise _unusable(storage, str(cause).splitlines()[0] if str(cause) else type(cause).__name__) from error


@contextmanager
def _opening(storage: Path) -> Iterator[None]:
    """Does the same for what only the opening of a storage raises."""
    try:
        yield
    except OSError as error:
        raise _unusable(storage, reason(error)) from error
    except RuntimeError as error:
        # Optuna's, for tables of another version.
        raise _unusable(storage, str(error).splitlines()[0] if str(error) else "RuntimeError") from error


def _unusable(storage: Path, why: str) -> RecbenchError:
    return RecbenchError(
        f"{storage} cannot be used as the storage of a tuning: {why}.",
        "Choose another file with --storage, in a folder that you may write to, on a disk with free space.",
    )


def _check_owner(storage: Path) -> None:
    """Checks that the file is no database of another program, into which Optuna would put its tables.

    Raises:
        RecbenchError: It is one.
    """
    if not storage.exists():
        return
    with closing(sqlite3.connect(storage)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if tables and "studies" not in tables:
        raise RecbenchError(
            f"{storage} is a database of another program, with the tables {', '.join(sorted(tables))}.",
            "Choose another file with --storage.",
        )


def _connect(storage: Path) -> sqlite3.Connection:
    """Connects without waiting for the disk after each of a trial's scores.

    A killed process loses nothing by that; a power cut may lose the last words, and damages nothing.
    """
    connection = sqlite3.connect(storage)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _distribution(parameter: Parameter) -> BaseDistribution:
    if isinstance(parameter, Choices):
        return CategoricalDistribution(parameter.choices)
    if parameter.integer:
        return IntDistribution(int(parameter.low), int(parameter.high), log=parameter.log)
    return FloatDistribution(parameter.low, parameter.high, log=parameter.log)


def _past(trial: FrozenTrial) -> PastTrial:
    origin = trial.user_attrs.get(ORIGIN)
    kept: dict[str, Any] = {
        "number": trial.number,
        "parameters": dict(trial.params),
        "began": trial.datetime_start.astimezone(UTC) if trial.datetime_start else None,
        "origin": None if origin is None else ConfigurationOrigin(origin),
        "known_source": trial.user_attrs.get(KNOWN_SOURCE),
    }
    facts = trial.user_attrs.get("trial")
    if facts is None:
        cost = {"seconds": trial.user_attrs.get("seconds", 0.0), "joules": trial.user_attrs.get("joules")}
        return PastTrial(end=End.INTERRUPTED, **cost, **kept)
    versions = facts["versions"]
    fields = {**facts, "end": End(facts["end"]), "versions": None if versions is None else Versions(**versions)}
    return PastTrial(**fields, **kept)
