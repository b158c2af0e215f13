"""``recbench list``: the models."""

from typing import Annotated

import typer

from recbench.cli.shared.terminal import emit, emit_json, emit_table


def list_models(
    model: Annotated[str | None, typer.Argument(help="Show one model and its parameters.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the models that can be run, or the parameters of one.

    Examples:
      recbench list
      recbench list bpr
    """
    from recbench.registry.models import describe, find_model, known_models

    references = [find_model(model)] if model else list(known_models().values())
    described = [(reference, describe(reference)) for reference in references]
    if as_json:
        emit_json(
            {
                "schema": 1,
                "models": [
                    {
                        "model": reference.name,
                        "target": reference.target,
                        "origin": reference.origin.value,
                        "summary": description.summary,
                        "params": description.parameters,
                    }
                    for reference, description in described
                ],
            }
        )
    elif model:
        (reference, description), *_ = described
        emit(f"{reference.name} ({reference.origin}, {reference.target})\n{description.summary}\n")
        emit_table([[name, default] for name, default in description.parameters.items()], ["parameter", "default"])
    else:
        emit_table(
            [[reference.name, reference.origin.value, description.summary] for reference, description in described],
            ["model", "from", "summary"],
        )
