"""The version of a class that was sent by value: a hash of what it does, for no file holds its source.

The hash covers the class's attributes and functions, and everything that these use: global variables, other classes and
functions, and the source of modules that are not installed packages. Functions count by their byte code, so that the
same cell of a notebook has the same version each time it runs, in any place. Another version of Python compiles to
other byte code, and so to another version of the class.
"""

import dis
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, GenericAlias, ModuleType, UnionType
from typing import Any

import numpy as np

from recbench.registry.class_contents import codes_of, contents, globals_of
from recbench.registry.code_version import ModelCode, source_code
from recbench.registry.installed import is_installed

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis))


IMMUTABLE = (tuple, frozenset, CodeType)
"""Python may or may not keep two equal ones as one object."""


class _UnstableError(Exception):
    """An object whose content cannot be determined."""


def class_code(model_class: type) -> ModelCode:
    """Returns the code of a class; its version is None if the class uses an object of unknown content.

    Args:
        model_class: The class.
    """
    digest = hashlib.sha256()
    walk = _Walk()
    try:
        for part in walk.parts(model_class):
            digest.update(f"{len(part)} ".encode() + part)
    except (_UnstableError, RecursionError):
        return ModelCode(None, {})
    return ModelCode(f"sha256:{digest.hexdigest()}", walk.files)


class _Walk:
    """Turns an object, and all that it refers to, into bytes.

    Attributes:
        files: The files of the modules that it refers to, by the path that a record lists.
    """

    def __init__(self) -> None:
        self.files: dict[str, Path] = {}
        self._seen: dict[int, int] = {}
        # An id may be taken again once its object is gone.
        self._alive: list[object] = []

    def parts(self, value: Any) -> Iterator[bytes]:
        """Yields the parts of an object's content.

        Raises:
            _UnstableError: Its content cannot be determined.
        """
        if isinstance(value, PLAIN):
            yield f"{type(value).__name__} {value!r}".encode()
            return
        if not isinstance(value, IMMUTABLE):
            if id(value) in self._seen:
                yield f"seen {self._seen[id(value)]}".encode()
                return
            self._seen[id(value)] = len(self._seen)
            self._alive.append(value)
        yield type(value).__name__.encode()
        match value:
            case tuple() | list():
                for item in value:
                    yield from self.parts(item)
            case set() | frozenset():
                for item in sorted(b"".join(self.parts(item)) for item in value):
                    yield item
            case dict():
                for item in value.items():
                    yield from self.parts(item)
            case np.ndarray() | np.generic():
                yield from self._array(np.asarray(value))
            case ModuleType():
                yield from self._module(value.__name__)
            case CodeType():
                yield from self._code(value)
            case FunctionType():
                yield from self._function(value)
            case type():
                yield from self._class(value)
            case staticmethod() | classmethod():
                yield from self.parts(value.__func__)
            case property():
                yield from self.parts((value.fget, value.fset, value.fdel))
            case partial():
                yield from self.parts((value.func, value.args, value.keywords))
            case _:
                yield from self._named(value)

    def _array(self, array: Any) -> Iterator[bytes]:
        if array.dtype.hasobject:
            raise _UnstableError
        yield f"{array.dtype.str} {array.shape}".encode()
        yield np.ascontiguousarray(array).tobytes()

    def _code(self, code: CodeType) -> Iterator[bytes]:
        yield code.co_code
        yield code.co_exceptiontable
        yield repr((code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)).encode()
        yield repr((code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)).encode()
        for constant in code.co_consts:
            yield from self.parts(constant)

    def _function(self, function: FunctionType) -> Iterator[bytes]:
        if _is_of_a_module(function):
            yield from self._module(function.__module__)
            yield function.__qualname__.encode()
            return
        yield from self.parts(function.__code__)
        yield from self.parts((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            yield from self.parts(_content(cell))
        yield from self.parts(globals_of(function))
        for code in codes_of(function.__code__):
            for instruction in dis.get_instructions(code):
                if instruction.opname == "IMPORT_NAME" and instruction.argval:
                    yield from self._module(instruction.argval)

    def _class(self, model_class: type) -> Iterator[bytes]:
        if _is_of_a_module(model_class):
            yield from self._module(model_class.__module__)
            yield model_class.__qualname__.encode()
            return
        yield model_class.__qualname__.encode()
        yield from self.parts(model_class.__bases__)
        yield from self.parts(contents(model_class))

    def _named(self, value: Any) -> Iterator[bytes]:
        """Builtin functions, types of ``typing`` and the like, which a name tells; nothing else."""
        module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
        if (type(value).__module__ == "typing" or isinstance(value, GenericAlias | UnionType)) and " at 0x" not in repr(
            value
        ):
            yield repr(value).encode()
        elif isinstance(module, str) and isinstance(name, str) and _is_of_a_module(value):
            yield from self._module(module)
            yield name.encode()
        else:
            raise _UnstableError

    def _module(self, name: str) -> Iterator[bytes]:
        """Yields the module's name, and the version of its source unless it belongs to an installed package."""
        yield name.encode()
        package = name.partition(".")[0]
        if package == "recbench" or package in sys.builtin_module_names:
            return
        try:
            spec = importlib.util.find_spec(name)
        except (ImportError, ValueError, AttributeError):
            return
        if spec is None or spec.origin in (None, "built-in", "frozen"):
            return
        if not is_installed(str(spec.origin)):
            code = source_code(name, Path(str(spec.origin)))
            if code.version is None:
                raise _UnstableError
            self.files |= code.files
            yield code.version.encode()


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _is_of_a_module(value: Any) -> bool:
    """Whether the object is what its module has under its name, and the module has a source of its own."""
    if value.__module__ == "__main__" or (module := sys.modules.get(value.__module__)) is None:
        return False
    attribute: Any = module
    for name in value.__qualname__.split("."):
        attribute = getattr(attribute, name, None)
    return attribute is value and getattr(module, "__spec__", None) is not None
