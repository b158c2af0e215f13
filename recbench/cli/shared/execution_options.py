"""The options that say what to train on, where and within which limits; shared by run, sweep and tune."""

from typing import Annotated

import typer

from recbench.device import Device
from recbench.experiments.defaults import MAX_SEED

Task = Annotated[str, typer.Option(help="A name of 'recbench task list', or a spec file.")]
Models = Annotated[
    str, typer.Option(help="Comma-separated: names of 'recbench list', package.module:Class, file.py:Class.")
]
Configurations = Annotated[
    str,
    typer.Option(
        metavar="[LABEL=]MODEL[:NAME=VALUE]...,...",
        help="Comma-separated. MODEL is a name of 'recbench list', package.module:Class or file.py:Class; the same "
        "model may occur in several configurations.",
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="Number of seeds for each configuration.")]
FirstSeed = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="The first seed; the others count up from it.")]
Threads = Annotated[
    int, typer.Option(min=1, help="Threads of each trial. One thread gives the same ranks every time, bit for bit.")
]
DeviceOption = Annotated[
    Device, typer.Option(help="What to train on; auto is a GPU where there is one. CPU-only models ignore this option.")
]
Jobs = Annotated[
    int,
    typer.Option(
        min=1, help="Trials at a time, each with --threads cores of its own. Their throughput is marked as shared."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        min=0.001, metavar="SECONDS", help="End a trial after this time. The import of its model has the same limit."
    ),
]
MaxMemory = Annotated[
    str | None,
    typer.Option(metavar="SIZE", help="End a trial whose process uses more memory, such as 500MB or 4GiB."),
]
Cluster = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="Run the trials on the workers of a Dask cluster: tcp://HOST:8786."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress and no notes; only errors and the result.")]
