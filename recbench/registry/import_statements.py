"""The import statements of a source: what they name. Nothing is imported."""

import ast
from collections.abc import Iterable, Iterator

_LATER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def imported_names(nodes: Iterable[ast.AST], package: str) -> Iterator[str]:
    """Yields the full names of imported modules, and of imported names, which may be modules too.

    Args:
        nodes: Statements; those that import nothing are passed over.
        package: The package from which relative imports start; empty for a module that stands alone.
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level and package else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            if module:
                yield module
            yield from (f"{module}.{alias.name}".removeprefix(".") for alias in node.names)


def at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """Yields the nodes that run when the module is imported: not those in functions, and not those for types alone."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, _LATER):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        else:
            waiting += ast.iter_child_nodes(node)
