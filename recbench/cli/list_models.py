"""``recbench list``: the models."""

from typing import TYPE_CHECKING, Annotated

import typer

from recbench.cli.shared.completion import model_name
from recbench.cli.shared.next_steps import after_list, emit_next_step
from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.table_options import Columns, Sort, table_view
from recbench.cli.shared.tables import emit_prose, emit_table
from recbench.cli.shared.terminal import emit_json
from recbench.progress.console import messages

if TYPE_CHECKING:
    from recbench.cli.shared.document_types import ModelsDocument

MODEL_COLUMNS, PARAMETER_COLUMNS = ("model", "from", "runs", "summary"), ("parameter", "default")


def list_models(
    model: Annotated[
        str | None, typer.Argument(help="Show the hyper-parameters of this model.", autocompletion=model_name)
    ] = None,
    as_json: AsJson = False,
    columns: Columns = None,
    sort: Sort = None,
) -> None:
    """List the models and the packages that are missing, or the hyper-parameters of one model.

    Examples:
      recbench list
      recbench list bpr
    """
    from recbench.escaping.terminal import one_line
    from recbench.registry.frameworks import how_to_install, missing_modules, owners
    from recbench.registry.models import describe, find_model, known_models

    view = table_view(columns, sort, PARAMETER_COLUMNS if model else MODEL_COLUMNS)
    references = [find_model(model)] if model else list(known_models().values())
    described = [(reference, describe(reference), owners(missing_modules(reference))) for reference in references]
    missing = list(dict.fromkeys(package for *_, packages in described for package in packages))
    if as_json:
        document: ModelsDocument = {
            "schema": 1,
            "models": [
                {
                    "model": reference.name,
                    "target": reference.target,
                    "origin": reference.origin.value,
                    "summary": description.summary,
                    "params": description.parameters,
                    "missing": packages,
                }
                for reference, description, packages in described
            ],
        }
        emit_json(document)
    elif model:
        (reference, description, packages), *_ = described
        needs = (
            f"It {_state(packages)}, which {'is' if len(packages) == 1 else 'are'} not installed.\n" if packages else ""
        )
        head = [f"{reference.name} ({reference.origin}, {reference.target})", description.summary]
        emit_prose("\n".join([*map(one_line, head), f"{needs}\n"]))
        emit_table([[name, default] for name, default in description.parameters.items()], PARAMETER_COLUMNS, view)
    else:
        emit_table(
            [
                [reference.name, reference.origin.value, _state(packages), description.summary]
                for reference, description, packages in described
            ],
            MODEL_COLUMNS,
            view,
        )
        emit_next_step(after_list(), view.screen)
    if missing and not as_json:
        messages().print(how_to_install(missing))


def _state(missing: list[str]) -> str:
    return f"needs {', '.join(missing)}" if missing else "yes"
