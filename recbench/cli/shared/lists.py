"""Options whose value is a comma-separated list."""

from recbench.errors import RecbenchError
from recbench.registry.model_entries import split_entries


def model_names(models: str) -> list[str]:
    """Reads the names of ``--models``, each once.

    Raises:
        RecbenchError: There is none.
    """
    names = split_entries(models)
    if not names:
        raise RecbenchError("--models names no model.", "For example: --models popularity,bpr")
    return list(dict.fromkeys(names))


def cut_offs(text: str) -> tuple[int, ...]:
    """Reads the numbers of ``--k``, ascending.

    Raises:
        RecbenchError: They are not whole numbers from 1 up.
    """
    try:
        ks = sorted({int(part) for part in text.split(",")})
    except ValueError:
        ks = [0]
    if ks[0] < 1:
        raise RecbenchError(f"--k {text!r} is not a list of whole numbers from 1 up.", "For example: --k 5,10,20")
    return tuple(ks)
