"""Models by name. A model's module is imported only when the model runs."""

import ast
import importlib
import importlib.util
import inspect
import os
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import ModuleType

import recbench
from recbench.builtin_models import BRIDGES, BRIDGES_PACKAGE, BUILTIN_PACKAGE
from recbench.entry_points import entry_points_of
from recbench.errors import RecbenchError, unknown_name
from recbench.escaping.shell import shell_word
from recbench.foreign.environments import environment_names
from recbench.foreign.interpreter import find_interpreter, short_name
from recbench.path_checks import check_no_folder
from recbench.registry.class_pickles import unpickle_class
from recbench.registry.foreign_names import is_dotted_name, short_target, split_interpreter
from recbench.registry.import_failures import import_failure, not_in_module
from recbench.registry.shared_names import shared_name
from recbench.registry.user_modules import folders_of, import_file, importing, search_first
from recbench.requirements import reinstall_advice
from recbench.system_errors import cannot_read
from recbench.text_encoding import readable

ENTRY_POINT_GROUP = "recbench.models"
REQUIRED = "(required)"
"""Stands for a default of a parameter without one."""


class Origin(StrEnum):
    """Where a model's class comes from."""

    BUILTIN = "builtin"
    PLUGIN = "plugin"
    MODULE = "module"
    FILE = "file"
    VALUE = "value"
    FOREIGN = "other interpreter"


@dataclass(frozen=True, slots=True)
class ModelReference:
    """A model that has not been imported.

    Attributes:
        name: The model's name in tables.
        target: ``module:Class`` or ``file.py:Class``; for a class that is sent by value, where it was defined; with
            ``@INTERPRETER`` for a class that is imported in another interpreter.
        origin: Where the class comes from.
        pickled: The class that is sent by value; see ``recbench.registry.class_pickles``.
    """

    name: str
    target: str
    origin: Origin
    pickled: bytes = field(default=b"", repr=False)

    @property
    def recorded(self) -> str:
        """The target as records hold it; it does not depend on the locale."""
        return readable(self.target)

    @property
    def command_name(self) -> str:
        """The model as a command line names it."""
        return self.name if self.origin in (Origin.BUILTIN, Origin.PLUGIN) else short_target(self.target)

    @property
    def parameters_hint(self) -> str:
        """How to see the model's hyper-parameters, for errors."""
        if self.origin is Origin.VALUE:
            return "Its parameters are the arguments of its constructor."
        return f"Its parameters and their defaults: recbench list {shell_word(self.command_name)}"

    def load(self) -> type:
        """Imports the module and returns the class.

        Raises:
            RecbenchError: The module cannot be imported, or has no such class, or the class is not a model.
        """
        if self.origin is Origin.VALUE:
            return self._unpickle()
        if self.origin is Origin.FOREIGN:
            from recbench.registry.foreign_models import load_foreign

            return load_foreign(self)
        module_name, _, class_name = self.target.rpartition(":")
        in_file = self.origin is Origin.FILE
        folders = folders_of(Path(module_name).resolve()) if in_file else [Path.cwd()]
        try:
            with importing(module_name):
                if in_file:
                    module = import_file(module_name)
                else:
                    if self.origin is Origin.MODULE:
                        search_first(folders)
                    module = importlib.import_module(module_name)
                # It may be made by the module's own code.
                model_class = getattr(module, class_name, None)
        except (RecbenchError, KeyboardInterrupt):
            raise
        # Of any class: it runs a user's code. The message names the error itself.
        except BaseException as error:
            raise import_failure(self.name, module_name, class_name, error, folders) from error
        if not inspect.isclass(model_class):
            if shared_name(module_name, folders):
                reason = f"the module {module_name!r} has no class {class_name!r}"
                if (failure := not_in_module(self.name, module_name, class_name, reason, folders)) is not None:
                    raise failure
            classes = [name for name, _ in inspect.getmembers(module, inspect.isclass)]
            raise unknown_name(f"class in {module_name}", class_name, classes)
        check_is_model(model_class, self.target)
        return model_class

    def _unpickle(self) -> type:
        search_first([Path.cwd()])
        try:
            with importing(self.target):
                return unpickle_class(self.pickled)
        except (RecbenchError, KeyboardInterrupt):
            raise
        # As above.
        except BaseException as error:
            raise import_failure(self.name, self.target, "", error, [Path.cwd()]) from error


def check_is_model(model_class: type, target: str) -> None:
    """Checks that a class has the methods of a model.

    Raises:
        RecbenchError: It lacks one.
    """
    for method in ("fit", "score"):
        if not callable(getattr(model_class, method, None)):
            raise RecbenchError(
                f"{target} is not a model: it has no method {method}().",
                "A model has fit(train, context), and score(users, items), which returns float[n, c]: a score for each "
                "pair. The details are in recbench/protocol.py.",
            )


@dataclass(frozen=True, slots=True)
class ModelDescription:
    """What the source says of a model; the model is not imported.

    Attributes:
        summary: First line of the class's docstring.
        parameters: Hyper-parameters and their defaults, as written in the source.
    """

    summary: str
    parameters: dict[str, str]


def known_models() -> dict[str, ModelReference]:
    """Returns the builtin models and the models of installed plugins, by name."""
    known = {name: ModelReference(name, target, Origin.BUILTIN) for name, target in _builtin_models().MODELS.items()}
    for entry_point in entry_points_of(ENTRY_POINT_GROUP):
        known.setdefault(entry_point.name, ModelReference(entry_point.name, entry_point.value, Origin.PLUGIN))
    return known


def find_model(name: str) -> ModelReference:
    """Finds a model by a known name, by ``package.module:Class`` or by ``path/to/file.py:Class``.

    Each may end with ``@INTERPRETER``: the model then runs in that interpreter. ``cornac:BPR`` is a model of another
    framework, which runs in the framework's environment.

    Raises:
        RecbenchError: There is no such model; the message suggests similar names.
    """
    known = known_models()
    if name in known:
        return known[name]
    if "@" in name:
        name = short_target(name)
    if name.partition(":")[0] in BRIDGES and ":" in name:
        return _bridged(*name.split(":", 1))
    if (split := split_interpreter(name, known)) is not None:
        inner = find_model(split[0])
        find_interpreter(split[1])
        return ModelReference(f"{inner.name}@{short_name(split[1])}", f"{inner.target}@{split[1]}", Origin.FOREIGN)
    place, colon, class_name = name.rpartition(":")
    if not colon and name.endswith(".py") and os.path.isfile(name):  # noqa: PTH113 - see below
        raise RecbenchError(f"{name} is a file; a model is a class in it.", f"Name the class: {name}:CLASS")
    if not colon:
        raise unknown_name("model", name, known, "Your own model: package.module:Class or path/to/file.py:Class.")
    # A class of a module of that name is another matter: bpr:Net with a file bpr.py.
    if place in known and not class_name.isidentifier():
        raise _no_value(place, class_name)
    if not (place and class_name):
        raise RecbenchError(
            f"Model {name!r} names no {'class' if place else 'module or file'}.",
            "The form is package.module:Class or path/to/file.py:Class.",
        )
    if place.endswith(".py"):
        check_no_folder(Path(place))
        if not os.path.isfile(place):  # noqa: PTH113 - also answers for names that no file can have
            raise RecbenchError(f"Model {name!r}: there is no file {place}.", "Check the path.")
        # Records name a file alike on every system.
        return ModelReference(class_name, name.replace(os.sep, "/"), Origin.FILE)
    if ".py:" in place:
        raise _no_value(place, class_name)
    # A package in the working folder has no slash in its name.
    if {"/", os.sep} & set(place) and os.path.isdir(place):  # noqa: PTH112 - see above
        raise RecbenchError(
            f"Model {name!r}: {place} is a folder, and a file is expected.",
            f"Give the file: {place.rstrip('/')}/FILE.py:{class_name}",
        )
    return ModelReference(class_name, name, Origin.MODULE)


def _bridged(bridge: str, text: str) -> ModelReference:
    """Returns a model of another framework: ``CLASS`` or ``CLASS@INTERPRETER`` of a bridge."""
    model, _, interpreter = text.partition("@")
    if not is_dotted_name(model):
        raise RecbenchError(
            f"Model {f'{bridge}:{text}'!r} names no class.",
            f"The form is {bridge}:CLASS or {bridge}:CLASS@INTERPRETER.",
        )
    target = f"{BRIDGES_PACKAGE}.{bridge}:{model}"
    if not interpreter and bridge not in environment_names():
        return ModelReference(f"{bridge}:{model}", target, Origin.MODULE)
    find_interpreter(interpreter or bridge)
    where = f"@{short_name(interpreter)}" if interpreter not in ("", bridge) else ""
    return ModelReference(f"{bridge}:{model}{where}", f"{target}@{interpreter or bridge}", Origin.FOREIGN)


def _no_value(model: str, text: str) -> RecbenchError:
    return RecbenchError(
        f"{text!r} is not a hyper-parameter of {model!r} with its value.",
        "The form is MODEL:NAME=VALUE, such as bpr:factors=128. Parameters are listed by: recbench list MODEL",
    )


def describe(reference: ModelReference) -> ModelDescription:
    """Reads a model's docstring and constructor from its source, without running it.

    The environment of a framework describes a model of it.

    Raises:
        RecbenchError: There is no module or class of the name that the user gave, or its source cannot be read.
    """
    if reference.origin is Origin.FOREIGN and (split := split_interpreter(reference.target, ())) is not None:
        if split[0].startswith(f"{BRIDGES_PACKAGE}."):
            from recbench.registry.foreign_models import describe_foreign

            return ModelDescription(*describe_foreign(reference))
        return describe(find_model(split[0]))
    module_name, _, class_name = reference.target.rpartition(":")
    of_user = reference.origin in (Origin.FILE, Origin.MODULE)
    if reference.origin is Origin.MODULE:
        search_first([Path.cwd()])
        _check_exists(reference.name, module_name, class_name)
    try:
        spec = None if reference.origin is Origin.FILE else importlib.util.find_spec(module_name)
        source = Path(module_name if reference.origin is Origin.FILE else (spec and spec.origin) or "")
        tree = ast.parse(source.read_bytes(), str(source))
    except (ImportError, OSError, SyntaxError, ValueError) as error:
        if reference.origin is Origin.FILE:
            raise _unreadable_source(module_name, error) from error
        # A module may have no source, and one broken plug-in must not hide the other models.
        return ModelDescription(f"(its source cannot be read: {error})", {})
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name == class_name:
            return ModelDescription((ast.get_docstring(node) or "").partition("\n")[0], _parameters(node, tree))
    if of_user and not _may_hold(tree, class_name):
        classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
        raise unknown_name(f"class in {module_name}", class_name, classes)
    return ModelDescription(f"(its class is not written in {source.name})", {})


def _unreadable_source(file: str, error: Exception) -> RecbenchError:
    if isinstance(error, OSError):
        return cannot_read(f"the source {file}", error)
    line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
    return RecbenchError(
        f"{file}{line} is not Python: {error.msg if isinstance(error, SyntaxError) else error}.", "Correct the file."
    )


def _may_hold(tree: ast.Module, name: str) -> bool:
    """Whether a module may have an attribute of that name which is no class of its source: imported or made."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(names=names) | ast.Import(names=names):
                bound = {alias.asname or alias.name.partition(".")[0] for alias in names}
            case ast.Name(id=found, ctx=ast.Store()) | ast.ClassDef(name=found):
                bound = {found}
            case ast.FunctionDef(name="__getattr__") | ast.Call(func=ast.Name(id="globals" | "vars")):
                return True
            case _:
                continue
        if {name, "*"} & bound:
            return True
    return False


def _check_exists(name: str, module: str, class_name: str) -> None:
    try:
        missing = None if importlib.util.find_spec(module) else ModuleNotFoundError(name=module)
    except ModuleNotFoundError as error:
        missing = error
    except (ImportError, ValueError):
        return
    if missing is not None:
        raise import_failure(name, module, class_name, missing, [Path.cwd()]) from missing


def _parameters(node: ast.ClassDef, tree: ast.Module) -> dict[str, str]:
    """Returns the parameters of a class's constructor, which may be that of a dataclass or of a class above it."""
    for function in node.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            arguments = function.args
            positional = arguments.args[1:]
            defaults = dict(zip([a.arg for a in reversed(positional)], reversed(arguments.defaults), strict=False))
            pairs = [(a.arg, defaults.get(a.arg)) for a in positional]
            pairs += [(a.arg, d) for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
            return {name: ast.unparse(default) if default else REQUIRED for name, default in pairs}
    before = {
        statement.name: statement
        for statement in tree.body[: tree.body.index(node)]
        if isinstance(statement, ast.ClassDef)
    }
    bases = [before[base.id] for base in node.bases if isinstance(base, ast.Name) and base.id in before]
    inherited = next((parameters for base in bases if (parameters := _parameters(base, tree))), {})
    is_dataclass = any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list)
    return inherited | (_fields(node) if is_dataclass else {})


def _fields(node: ast.ClassDef) -> dict[str, str]:
    """Returns the fields of a dataclass."""
    return {
        field.target.id: ast.unparse(field.value) if field.value else REQUIRED
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


def _builtin_models() -> ModuleType:
    """Imports the package of the builtin models.

    Raises:
        RecbenchError: The package is missing.
    """
    try:
        return importlib.import_module(BUILTIN_PACKAGE)
    except ModuleNotFoundError as error:
        raise RecbenchError(
            f"The package {BUILTIN_PACKAGE!r} cannot be found; it belongs beside {Path(recbench.__file__).parent}.",
            reinstall_advice(),
        ) from error
