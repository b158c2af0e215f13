"""The import of typer's renderer of help, without what no help of recbench uses: a third of the time of ``--help``."""

import gc
import sys
from importlib import import_module
from types import ModuleType
from typing import Any, Final

RENDERER: Final = "typer.rich_utils"
UNUSED: Final = {"rich.markdown": "Markdown", "rich.traceback": "Traceback"}
"""Modules that the renderer imports, and the class that it takes from each: they load a parser and a highlighter."""


def import_renderer() -> None:
    """Imports the renderer. It still gets the classes of ``UNUSED`` when it makes an object of them."""
    if RENDERER in sys.modules:
        return
    absent = [name for name in UNUSED if name not in sys.modules]
    for name in absent:
        sys.modules[name] = _stand_in(name)
    collecting = gc.isenabled()
    # Nothing of an import is garbage.
    gc.disable()
    try:
        import_module(RENDERER)
    # Another version of typer may need more of these modules. It then gets them.
    except (ImportError, TypeError):
        sys.modules.pop(RENDERER, None)
    finally:
        if collecting:
            gc.enable()
        for name in absent:
            del sys.modules[name]


class _Later(type):
    """A class that stands for one of the same name, whose module is imported when the class is used."""

    def real(cls) -> Any:
        return getattr(import_module(cls.__module__), cls.__name__)

    def __call__(cls, *arguments: Any, **settings: Any) -> Any:
        return cls.real()(*arguments, **settings)

    def __getattr__(cls, name: str) -> Any:
        return getattr(cls.real(), name)


def _stand_in(name: str) -> ModuleType:
    module = ModuleType(name)
    setattr(module, UNUSED[name], _Later(UNUSED[name], (), {"__module__": name}))
    return module
