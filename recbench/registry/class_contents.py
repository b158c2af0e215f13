"""What a class consists of: its attributes, and the global variables that its functions use."""

import dis
from types import CodeType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

WITHOUT_EFFECT = {
    "__annotate__", "__annotate_func__", "__annotations__", "__annotations_cache__", "__dataclass_fields__",
    "__dataclass_params__", "__dict__", "__doc__", "__firstlineno__", "__match_args__", "__module__", "__orig_bases__",
    "__parameters__", "__static_attributes__", "__weakref__", "__abstractmethods__", "_abc_impl", "_is_protocol",
    "__protocol_attrs__", "__non_callable_proto_members__", "_is_runtime_protocol",
}  # fmt: skip
"""Attributes that Python adds, or that change nothing of what the class does."""


def contents(model_class: type) -> dict[str, Any]:
    """Returns the class's own attributes by name, in the order of the names, without those that have no effect."""
    return {
        name: value
        for name, value in sorted(vars(model_class).items())
        if name not in WITHOUT_EFFECT and not isinstance(value, GetSetDescriptorType | MemberDescriptorType)
    }


def globals_of(function: FunctionType) -> dict[str, Any]:
    """Returns the global variables that the function and the functions in it use, in the order of their names."""
    names = sorted(
        {
            instruction.argval
            for code in codes_of(function.__code__)
            for instruction in dis.get_instructions(code)
            if instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME")
        }
    )
    return {name: function.__globals__[name] for name in names if name in function.__globals__}


def codes_of(code: CodeType) -> list[CodeType]:
    """Returns the code, and that of all functions, classes and comprehensions in it."""
    inner = [nested for constant in code.co_consts if isinstance(constant, CodeType) for nested in codes_of(constant)]
    return [code, *inner]
