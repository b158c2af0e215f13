"""The texts that name models in other interpreters and models of other frameworks."""

from collections.abc import Collection

from recbench.builtin_models import BRIDGES, BRIDGES_PACKAGE


def short_target(target: str) -> str:
    """Returns a target as a command line names it.

    >>> short_target("recbench_models.bridges.cornac:BPR@cornac")
    'cornac:BPR'
    """
    short = target.removeprefix(f"{BRIDGES_PACKAGE}.")
    return short if short == target else short.removesuffix(f"@{short.partition(':')[0]}")


def split_interpreter(name: str, known: Collection[str]) -> tuple[str, str] | None:
    """Splits ``MODEL@INTERPRETER``; None for a model without an interpreter.

    Args:
        name: The text.
        known: The names of the known models.

    >>> split_interpreter("my@home/net.py:Net@/opt/lk/bin/python", [])
    ('my@home/net.py:Net', '/opt/lk/bin/python')
    """
    for place in (index for index, character in enumerate(name) if character == "@"):
        model, interpreter = name[:place], name[place + 1 :]
        is_model = model in known or (":" in model and model.rpartition(":")[2].isidentifier()) or _is_bridged(model)
        if interpreter and (is_model or (model.isidentifier() and ":" not in interpreter)):
            return model, interpreter
    return None


def is_dotted_name(name: str) -> bool:
    """Whether a text is a name of Python, or several with dots between them."""
    return all(part.isidentifier() for part in name.split("."))


def _is_bridged(model: str) -> bool:
    bridge, colon, name = model.removeprefix(f"{BRIDGES_PACKAGE}.").partition(":")
    return bool(colon) and bridge in BRIDGES and is_dotted_name(name)
