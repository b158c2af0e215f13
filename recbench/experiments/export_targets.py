"""What records can be exported to, and the packages that this needs."""

from enum import StrEnum
from importlib.util import find_spec
from typing import Final

from recbench.errors import RecbenchError
from recbench.requirements import install_command


class ExportTarget(StrEnum):
    """A program that reads an export."""

    MLFLOW = "mlflow"
    WANDB = "wandb"
    BENCHER = "bencher"
    ACTION_BENCHMARK = "github-action-benchmark"
    PARQUET = "parquet"


FILES: Final = (ExportTarget.PARQUET,)
PACKAGES: Final = {
    ExportTarget.MLFLOW: {"mlflow": "mlflow-skinny", "sqlalchemy": "sqlalchemy", "alembic": "alembic"},
    ExportTarget.WANDB: {"wandb": "wandb"},
}
"""The packages of each service, by their modules. MLflow needs two more for a database, which its own store is."""


def check_installed(target: ExportTarget) -> None:
    """Checks that the packages of a target are installed.

    Raises:
        RecbenchError: One is not.
    """
    packages = PACKAGES.get(target, {})
    missing = [package for module, package in packages.items() if find_spec(module) is None]
    if missing:
        raise RecbenchError(
            f"--to {target} needs {', '.join(missing)}, which {'are' if missing[1:] else 'is'} not installed.",
            f"Install it: {install_command(packages.values())}",
        )
