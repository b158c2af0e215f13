"""The reference of the builtin models, from their constructors and docstrings; no model is imported."""

import ast
import inspect
import re

from recbench.registry.frameworks import needed_modules, owners
from recbench.registry.models import Origin, describe, known_models
from tests.conftest import ROOT
from tests.documented_attributes import sections
from tests.generated_parts import code, plain, table


def builtin_models() -> str:
    """Returns one section for each builtin model."""
    models = {name: model for name, model in known_models().items() if model.origin is Origin.BUILTIN}
    blocks = []
    for name, reference in models.items():
        module, _, class_name = reference.target.partition(":")
        docstring = _docstring(f"models/{module.partition('.')[2]}.py", class_name)
        text, arguments = sections(docstring, "Args")
        packages = owners(needed_modules(reference))
        needs = [package for package in packages if package not in ("numpy",)]
        blocks.append(f"### {name}\n\n{_paragraphs(text)}")
        blocks.append(f"Needs: {', '.join(map(code, needs))}." if needs else "Needs no other package.")
        rows = [
            [code(parameter), code(default), plain(arguments[parameter])]
            for parameter, default in describe(reference).parameters.items()
        ]
        if rows:
            blocks.append(table(["hyper-parameter", "default", "meaning"], rows))
    return "\n\n".join(blocks)


def _docstring(path: str, class_name: str) -> str:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return next(
        ast.get_docstring(node) or ""
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == class_name
    )


def _paragraphs(text: str) -> str:
    """Returns a docstring's text; an indented paragraph is a block of code."""
    rendered = []
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith("    "):
            rendered.append(f"```text\n{inspect.cleandoc(paragraph)}\n```")
        else:
            rendered.append(plain(paragraph.replace("::", ":")))
    return "\n\n".join(rendered)
