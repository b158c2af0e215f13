"""Checks, before any work, that the packages of an extra can be imported."""

from recbench.errors import RecbenchError
from recbench.requirements import install_command


def check_optuna() -> None:
    """Checks that a tuning can run.

    Raises:
        RecbenchError: optuna cannot be imported.
    """
    try:
        import optuna  # noqa: F401
    except ImportError as error:
        raise RecbenchError(
            f"Tuning needs optuna, which cannot be imported: {error}.", f"Install it: {install_command(['optuna'])}"
        ) from error
