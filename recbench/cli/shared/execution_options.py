"""The options that say which models and metrics, what to train on, where and within which limits."""

from typing import Annotated, Any

import typer

from recbench.cli.shared.completion import metric_list, model_list, task_name
from recbench.device import Device
from recbench.evaluation.metric_names import builtin_metrics
from recbench.experiments.defaults import MAX_SEED

PANEL = "Machine and limits"
TASK, MODELS, METRICS, PARAM = "TASK", "MODEL,...", "METRIC[@K],...", "[MODEL.]NAME=VALUE"
METRIC_NAMES = ", ".join(builtin_metrics())
MODEL_FORMS = "names of 'recbench list', package.module:Class, file.py:Class, FRAMEWORK:Class"


def models_option(what: str, **settings: Any) -> Any:
    """Returns an option ``--models``.

    Args:
        what: What the verb does with the models, or in which forms they are written.
        settings: What ``typer.Option`` takes.
    """
    return typer.Option(
        "--models", metavar=MODELS, help=f"Comma-separated: {what}.", autocompletion=model_list, **settings
    )


def metrics_option(what: str, default: str, *, without_k: str = "K is 10") -> Any:
    """Returns an option ``--metrics``.

    Args:
        what: What the verb does with the metrics.
        default: What it takes without the option.
        without_k: The cut-off of a metric without one.
    """
    return typer.Option(
        "--metrics",
        metavar=METRICS,
        help=f"{what}. Without @K, {without_k}. Metrics: {METRIC_NAMES}, and those of plug-ins.",
        show_default=default,
        autocompletion=metric_list,
    )


Task = Annotated[
    str,
    typer.Option(metavar=TASK, help="A name of 'recbench task list', or a spec file.", autocompletion=task_name),
]
Models = Annotated[list[str], models_option(MODEL_FORMS)]
Configurations = Annotated[
    list[str],
    models_option(
        f"{MODEL_FORMS}. MODEL:NAME=VALUE sets hyper-parameters, and LABEL=MODEL gives a label, so that a model may "
        "occur in several configurations"
    ),
]
OnlyTask = Annotated[
    str | None,
    typer.Option(
        "--task",
        metavar=TASK,
        help="Only this task: its name or its spec file.",
        show_default="all",
        autocompletion=task_name,
    ),
]
OnlyModels = Annotated[list[str] | None, models_option("only these models", show_default="all")]
Metrics = Annotated[
    list[str] | None,
    metrics_option(
        "Comma-separated: show these metrics, such as recall@20, or full-recall@20 in the full ranking",
        "hr,ndcg",
        without_k="--k applies",
    ),
]
PageMetrics = Annotated[
    list[str] | None,
    metrics_option(
        "Comma-separated: show these metrics, such as full-recall@20. The first orders the models",
        "HR and NDCG, and metrics of the full ranking if there is one",
    ),
]
CutOffs = Annotated[
    list[str] | None,
    typer.Option("--k", metavar="K,...", help="Comma-separated cut-offs of the metrics.", show_default="10"),
]
Param = Annotated[
    list[str] | None,
    typer.Option(
        metavar=PARAM,
        help="Set a hyper-parameter; may be repeated. MODEL is a model of --models or its label, and may be left out "
        "if there is only one model.",
    ),
]
RunAgain = Annotated[bool, typer.Option("--force", help="Run trials again even if their records exist.")]
Seeds = Annotated[int, typer.Option(min=1, help="Number of seeds for each configuration.")]
FirstSeed = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The first seed; the others count up from it.")]
Track = Annotated[
    bool,
    typer.Option(
        "--track",
        help="Append the results to results/history.jsonl without accepting them; 'recbench history' shows them.",
    ),
]
Threads = Annotated[
    int,
    typer.Option(
        min=1,
        rich_help_panel=PANEL,
        help="Threads of each trial. One thread gives the same ranks every time, bit for bit.",
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        rich_help_panel=PANEL,
        help="Device to train on; auto is a GPU if there is one. CPU-only models ignore this option.",
    ),
]
Jobs = Annotated[
    int,
    typer.Option(
        min=1,
        rich_help_panel=PANEL,
        help="Number of trials to run at the same time, each on --threads cores of its own. Their throughput is "
        "marked as shared.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.001,
        metavar="SECONDS",
        rich_help_panel=PANEL,
        help="End a trial after this time. The import of its model has the same limit.",
    ),
]
MaxMemory = Annotated[
    str | None,
    typer.Option(
        metavar="SIZE", rich_help_panel=PANEL, help="End a trial whose process uses more memory, such as 500MB or 4GiB."
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=PANEL,
        help="Run the trials on the workers of a Dask cluster: tcp://HOST:8786.",
    ),
]
