"""The functions behind ``import recbench``: one function for each task of a user, with plain arguments."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from recbench.arguments import (
    POSITIVE,
    POSITIVE_NUMBER,
    SEVERAL,
    read_argument,
)
from recbench.data.readers.layout import Layout
from recbench.device import Device
from recbench.errors import RecbenchError
from recbench.experiments import evaluate as evaluation
from recbench.experiments import run as runs
from recbench.experiments import suite as suites
from recbench.experiments import sweep as sweeps
from recbench.experiments.api_arguments import (
    ModelArgument,
    ModelsArgument,
    SpacesArgument,
    TaskArgument,
    read_curve,
    read_ks,
    read_optional_path,
    read_path,
    read_seed,
    read_seeds,
    read_settings,
    read_settings_of_tasks,
    read_spaces_argument,
    several_models,
)
from recbench.experiments.defaults import DEFAULT_OUTPUT, DEFAULT_TASK, N_SEEDS
from recbench.experiments.execution import Execution
from recbench.experiments.load import load_run
from recbench.experiments.optional_packages import check_optuna
from recbench.experiments.python_words import advising_in_python
from recbench.experiments.results import Run
from recbench.experiments.suite import Suite
from recbench.experiments.sweep import Sweep
from recbench.experiments.train import Reuse
from recbench.progress.choice import run_progress, tuning_progress
from recbench.protocol import Recommender
from recbench.registry.parameter_values import as_text
from recbench.registry.requested import request_models
from recbench.tasks.suite_spec import DEFAULT_METRIC, find_suite
from recbench.trials.serving_plan import ServingPlan
from recbench.tuning.past import Budget
from recbench.tuning.space_proposal import NoSpaceError, python_form

if TYPE_CHECKING:
    import pandas as pd

    from recbench.experiments.tuning import Tuning


@advising_in_python
def run(
    models: ModelsArgument,
    task: TaskArgument = DEFAULT_TASK,
    *,
    seeds: int | Sequence[int] = N_SEEDS,
    k: int | Sequence[int] = 10,
    settings: "str | os.PathLike[str] | Tuning | None" = None,
    curve: str | None = None,
    reach: float | None = None,
    full: bool = False,
    serving: bool = False,
    threads: int = 1,
    device: Device = "auto",
    jobs: int = 1,
    timeout: float | None = None,
    max_memory: int | str | None = None,
    cluster: str | None = None,
    in_process: bool = False,
    output: str | os.PathLike[str] = DEFAULT_OUTPUT,
    reuse: Literal["keep", "repeat", "only"] = "keep",
    track: bool = False,
    quiet: bool = False,
) -> Run:
    """Trains each model on the task, ranks the same candidates with each, and returns the run.

    Each trial runs in a process of its own, also that of a class from a notebook. A trial whose record is in the output
    folder does not run again, unless the task, the model's code or its hyper-parameters have changed.

    Args:
        models: One model or several: names, classes, untrained instances, or ``recbench.Model``; or a dict of models by
            label.
        task: A task, its name, or the path of a spec file.
        seeds: Number of seeds, counted from 0; or the seeds.
        k: Cut-off, or cut-offs, of HR and NDCG.
        settings: ``"tuned"`` (what the project tuned, else what comes with the models), ``"default"``, what ``tune``
            returned, or the file that it wrote.
        curve: Epochs after which to also score: ``"all"``, ``"every:N"`` or ``"N,N,..."``.
        reach: HR for which the table shows how long each model took to reach it; needs ``curve``.
        full: Whether to rank each held-out item in the full ranking too.
        serving: Whether to also measure each trained model in use: latency, users per second, size and memory.
        threads: Threads of each trial. One thread gives the same ranks every time, bit for bit.
        device: ``"auto"``, ``"cpu"`` or ``"gpu"``.
        jobs: Trials at a time.
        timeout: Seconds after which a trial ends.
        max_memory: Memory at which a trial ends, in bytes or as text such as ``"4GiB"``.
        cluster: Address of a Dask scheduler.
        in_process: Whether all trials run in this process, for a debugger.
        output: Folder of the records.
        reuse: ``"keep"`` records that exist, ``"repeat"`` every trial, or report ``"only"`` what exists.
        track: Whether to append the results to ``results/history.jsonl``, which ``recbench history`` shows.
        quiet: Whether to show no progress.

    Returns:
        The run. A model that failed is part of it: see ``Run.failed``.

    Raises:
        RecbenchError: Bad input, with a ``hint``.

    Examples:
        >>> import recbench as rb
        >>> result = rb.run(["popularity", "random"], "synthetic", seeds=1, output="runs", quiet=True)
        >>> result.to_frame()[["model", "metric"]].values.tolist()
        [['popularity', 'hr@10'], ['popularity', 'ndcg@10'], ['random', 'hr@10'], ['random', 'ndcg@10']]
    """
    request = runs.RunRequest(
        models=request_models(several_models(models)),
        task=task,
        seeds=read_seeds(seeds),
        ks=read_ks(k),
        settings=read_settings(settings),
        curve=read_curve(curve),
        reach=None if reach is None else read_argument("reach", POSITIVE_NUMBER, reach, "For example: reach=0.4"),
        full=full,
        serving=ServingPlan() if serving else None,
        output=read_path("output", output),
        reuse=Reuse(reuse),
        execution=Execution.of(
            threads=threads,
            device=device,
            jobs=jobs,
            timeout=timeout,
            max_memory=max_memory,
            cluster=cluster,
            in_process=in_process,
        ),
        track=track,
    )
    return runs.run(request, run_progress(quiet=quiet))


@advising_in_python
def sweep(
    model: ModelArgument,
    parameter: str,
    values: Sequence[Any],
    task: TaskArgument = DEFAULT_TASK,
    *,
    seeds: int | Sequence[int] = N_SEEDS,
    threads: int = 1,
    device: Device = "auto",
    jobs: int = 1,
    timeout: float | None = None,
    max_memory: int | str | None = None,
    cluster: str | None = None,
    output: str | os.PathLike[str] = DEFAULT_OUTPUT,
    reuse: Literal["keep", "repeat"] = "keep",
    track: bool = False,
    quiet: bool = False,
) -> Sweep:
    """Trains a model once per value of a hyper-parameter, to compare quality, time and memory.

    Args:
        model: The model, with its other hyper-parameters: ``recbench.Model("bpr", epochs=30)``.
        parameter: Name of the hyper-parameter.
        values: Its values.
        task: A task, its name, or the path of a spec file.
        seeds: See ``run``, also for the other arguments.
        threads: Threads of each trial.
        device: What to train on.
        jobs: Trials at a time.
        timeout: Seconds after which a trial ends.
        max_memory: Memory at which a trial ends.
        cluster: Address of a Dask scheduler.
        output: Folder of the records.
        reuse: What to do with records that exist.
        track: Whether to append the results to the project's history.
        quiet: Whether to show no progress.

    Returns:
        The sweep. ``points`` has one point for each value, ``run`` is the run of all trials, ``plot(path)`` draws it.

    Raises:
        RecbenchError: Bad input, with a ``hint``.

    Examples:
        >>> import recbench as rb
        >>> sweep = rb.sweep("itemknn", "overlap", [2, 8], "synthetic", seeds=1, output="runs", quiet=True)
        >>> [point.value for point in sweep.points]
        [2.0, 8.0]
    """
    (requested,) = request_models([model])
    several = read_argument("values", SEVERAL, values, "For example: values=[8, 16, 32]")
    request = sweeps.SweepRequest(
        model=requested,
        parameter=parameter,
        values=[value if isinstance(value, str) else as_text(value) for value in several],
        task=task,
        seeds=read_seeds(seeds),
        output=read_path("output", output),
        reuse=Reuse(reuse),
        execution=Execution.of(
            threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
        ),
        track=track,
    )
    return sweeps.sweep(request, run_progress(quiet=quiet))


@advising_in_python
def suite(
    suite: str | os.PathLike[str] | None = None,
    models: ModelsArgument | None = None,
    *,
    tasks: Sequence[TaskArgument] | None = None,
    name: str = "suite",
    metric: str | None = None,
    seeds: int | Sequence[int] | None = None,
    settings: str | os.PathLike[str] | None = None,
    threads: int = 1,
    device: Device = "auto",
    jobs: int = 1,
    timeout: float | None = None,
    max_memory: int | str | None = None,
    cluster: str | None = None,
    output: str | os.PathLike[str] | None = None,
    reuse: Literal["keep", "repeat"] = "keep",
    track: bool = False,
    quiet: bool = False,
) -> Suite:
    """Trains each model on several tasks, and compares the models over all of them.

    Args:
        suite: The name of a builtin suite, or the path of a suite file; None to give ``tasks`` and ``models``.
        models: The models; None for those of the suite. See ``run``.
        tasks: Tasks, their names, or paths of spec files; None for those of the suite.
        name: The name of a suite that is given by its tasks.
        metric: The metric that ranks the models, such as ``"ndcg@10"``; None for that of the suite.
        seeds: Number of seeds, or the seeds; None for those of the suite.
        settings: See ``run``, also for the other arguments; None for those of the suite.
        threads: Threads of each trial.
        device: What to train on.
        jobs: Trials at a time.
        timeout: Seconds after which a trial ends.
        max_memory: Memory at which a trial ends.
        cluster: Address of a Dask scheduler.
        output: Folder of the records; None for ``results/suites/NAME/local``.
        reuse: What to do with records that exist.
        track: Whether to append the results to the project's history.
        quiet: Whether to show no progress.

    Returns:
        The suite. ``report`` has the figures, ``runs`` the run on each task.

    Raises:
        RecbenchError: Bad input, with a ``hint``.

    Examples:
        >>> import recbench as rb
        >>> result = rb.suite(
        ...     models=["popularity", "random"],
        ...     tasks=["synthetic", "skewed-synthetic"],
        ...     seeds=1,
        ...     output="suite",
        ...     quiet=True,
        ... )
        >>> [(one.name, one.mean_rank) for one in result.report.standings]
        [('popularity', 1.0), ('random', 2.0)]
    """
    if (suite is None) == (tasks is None):
        raise RecbenchError(
            "Give either a suite (name or file) or tasks, not both.",
            'For example: recbench.suite("small"), or recbench.suite(tasks=["synthetic", "ml-100k"], models=["ease"])',
        )
    spec = None if suite is None else find_suite(suite)
    chosen = models if models is not None or spec is None else spec.models
    if chosen is None:
        raise RecbenchError("There is no model to run.", 'For example: models=["popularity", "ease"]')
    several = read_argument(
        "tasks", SEVERAL, spec.tasks if spec else tasks, 'For example: tasks=["synthetic", "ml-100k"]'
    )
    request = suites.SuiteRequest(
        name=spec.name if spec else name,
        tasks=several,
        models=request_models(several_models(chosen)),
        metric=metric or (spec.metric if spec else DEFAULT_METRIC),
        seeds=read_seeds(seeds if seeds is not None else spec.seeds if spec else N_SEEDS),
        settings=read_settings_of_tasks(settings) or (spec.settings if spec else None),
        output=read_optional_path("output", output),
        reuse=Reuse(reuse),
        execution=Execution.of(
            threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
        ),
        track=track,
    )
    return suites.run_suite(request, lambda: run_progress(quiet=quiet))


@advising_in_python
def tune(
    models: ModelsArgument,
    task: TaskArgument = DEFAULT_TASK,
    *,
    trials: int = 30,
    budget: float = 600.0,
    seed: int = 0,
    spaces: SpacesArgument | None = None,
    storage: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    metric: str | None = None,
    importance: bool = False,
    threads: int = 1,
    device: Device = "auto",
    jobs: int = 1,
    timeout: float | None = None,
    max_memory: int | str | None = None,
    cluster: str | None = None,
    quiet: bool = False,
) -> "Tuning":
    """Tunes the hyper-parameters of each model on validation cases, with the same budget for each model.

    No trial gets a test case. Call it again with the same arguments to resume, or with a larger budget.

    Args:
        models: One model or several; see ``run``. A tuning takes no labels and no hyper-parameters.
        task: A task, its name, or the path of a spec file.
        trials: Trials of each model.
        budget: Seconds that the trials of each model may take together.
        seed: Seed of the search and of every training.
        spaces: Search spaces: a TOML file, or a dict such as ``{"MyModel": {"factors": {"low": 8, "high": 64}, "loss":
            {"choices": ["bpr", "softmax"]}}}``. A builtin model that is not in it keeps its own search space.
        storage: SQLite file of all trials; None for ``results/tuning/TASK.db``.
        output: File of the tuned settings; None for ``results/settings/TASK.toml``, which ``settings="tuned"`` reads.
        force: Whether to replace a file that recbench did not write, and settings of another task.
        metric: What to maximise on validation cases, such as ``"ndcg@10"``, or in the full ranking
            ``"full-recall@20"``; None for the task's main metric.
        importance: Whether to compute how much each hyper-parameter matters.
        threads: See ``run``, also for the other arguments.
        device: What to train on.
        jobs: Trials at a time.
        timeout: Seconds after which a trial ends.
        max_memory: Memory at which a trial ends.
        cluster: Address of a Dask scheduler.
        quiet: Whether to show no progress.

    Returns:
        The tuning. ``settings`` has the best hyper-parameters by model, ``to_frame()`` every trial. A run uses them
        with ``settings=tuning``.

    Raises:
        RecbenchError: Bad input, or optuna is not installed. If no model has a search space, the error proposes some.

    Examples:
        >>> import recbench as rb
        >>> tuning = rb.tune(
        ...     "itemknn", "synthetic", trials=2, storage="trials.db", output="tuned.toml", quiet=True
        ... )
        >>> len(tuning.to_frame()), sorted(tuning.settings)
        (2, ['itemknn'])
    """
    check_optuna()
    # Here, because optuna is an extra.
    from recbench.experiments import tune as tunings

    limits = Budget(
        read_argument("trials", POSITIVE, trials, "For example: trials=30"),
        read_argument("budget", POSITIVE_NUMBER, budget, "For example: budget=600, in seconds"),
    )
    request = tunings.TuneRequest(
        models=request_models(several_models(models)),
        task=task,
        budget=limits,
        seed=read_seed(seed),
        spaces=read_spaces_argument(spaces),
        storage=read_optional_path("storage", storage, "trials.db"),
        output=read_optional_path("output", output, "settings.toml"),
        force=force,
        metric=metric,
        importance=importance,
        execution=Execution.of(
            threads=threads, device=device, jobs=jobs, timeout=timeout, max_memory=max_memory, cluster=cluster
        ),
    )
    try:
        return tunings.tune(request, tuning_progress(limits, quiet=quiet))
    except NoSpaceError as error:
        if not error.spaces:
            raise
        advice = "Give their search spaces, with your own limits and choices:"
        raise RecbenchError(error.message, f"{advice}\n\n{python_form(error.spaces)}") from error


@advising_in_python
def evaluate(
    task: TaskArgument,
    scores: "str | os.PathLike[str] | pd.DataFrame | evaluation.Scores | Recommender",
    *,
    name: str,
    seed: int = 0,
    k: int | Sequence[int] = 10,
    ranked: bool = False,
    missing_last: bool = False,
    user_column: str | None = None,
    item_column: str | None = None,
    score_column: str | None = None,
    output: str | os.PathLike[str] | None = None,
    force: bool = False,
    track: bool = False,
) -> Run:
    """Ranks the test cases of a task by scores that were computed elsewhere.

    Args:
        task: A task, its name, or the path of a spec file.
        scores: A DataFrame or a file with one (user, item, score) a row and original ids. Each case needs the score of
            its held-out item and of its negatives; ``Task.cases_frame`` lists them. Or a function, or a trained model
            with a method ``score``, that takes users int32[n] and items int32[n, c] (the task's indices) and returns
            float[n, c].
        name: Name of the model in tables.
        seed: The seed that it was trained with.
        k: Cut-off, or cut-offs, of HR and NDCG.
        ranked: For rows: lists of items, of each user the best first, without scores.
        missing_last: For rows: put candidates without a score last, tied, instead of an error.
        user_column: Column of user ids, if its name is not a usual one.
        item_column: Column of item ids.
        score_column: Column of scores. Default: ``score`` or ``prediction``, else a column of ratings.
        output: Folder for the record; None to store nothing.
        force: Whether to replace a record of the same name and seed with another result.
        track: Whether to append the result to the project's history.

    Raises:
        RecbenchError: The scores cannot be read or ranked, or the folder has a record of the same name and seed with
            another result.

    Examples:
        >>> import numpy as np
        >>> import pandas as pd
        >>> import recbench as rb
        >>> task = rb.load_task("synthetic")
        >>> counts = np.bincount(task.items, minlength=task.n_items)
        >>> theirs = rb.evaluate(task, lambda users, items: counts[items].astype(float), name="theirs")
        >>> theirs.to_frame()["metric"].tolist()
        ['hr@10', 'ndcg@10']

        The same from a DataFrame, which has a row for every held-out item and every negative:

        >>> cases = task.cases_frame()
        >>> negatives = cases[["user", "negatives"]].explode("negatives").rename(columns={"negatives": "item"})
        >>> scores = pd.concat([cases[["user", "item"]], negatives])
        >>> scores["score"] = scores["item"].map(task.train_frame()["item"].value_counts()).fillna(0)
        >>> frame = rb.evaluate(task, scores, name="theirs").to_frame()
        >>> frame["value"].equals(theirs.to_frame()["value"])
        True
    """
    layout = Layout(user_column, item_column, "" if ranked else score_column, "")
    return evaluation.evaluate(
        task,
        scores,
        name=name,
        seed=read_seed(seed),
        ks=read_ks(k),
        ranked=ranked,
        missing_last=missing_last,
        layout=layout,
        output=read_optional_path("output", output),
        force=force,
        track_result=track,
    )


@advising_in_python
def load(records: str | os.PathLike[str], *, task: TaskArgument | None = None, k: int | Sequence[int] = 10) -> Run:
    """Reads a finished run from its records.

    Args:
        records: A folder of records, one record, a label of accepted baselines, or ``REV:PATH`` in git.
        task: The task of the records; None to find it in the cache by its digest.
        k: Cut-off, or cut-offs, of HR and NDCG.

    Raises:
        RecbenchError: The records cannot be read, are of several tasks, or their task is not in the cache.
        NothingToCompareError: There are no records.

    Examples:
        >>> import recbench as rb
        >>> _ = rb.run("popularity", "synthetic", seeds=1, output="runs", quiet=True)
        >>> rb.load("runs").metrics("hr@5").to_frame()[["model", "metric"]].values.tolist()
        [['popularity', 'hr@5']]
    """
    read_path("records", records)
    return load_run(os.fspath(records), task=task, ks=read_ks(k))
