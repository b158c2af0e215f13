"""Where in a model's code an error was raised."""

import sysconfig
import traceback
from pathlib import Path
from typing import Final

import recbench
from recbench.errors import shortened
from recbench.registry.import_failures import INSTALLED

SENT_BY_VALUE: Final = "<dynamic-code>"
"""What cloudpickle writes instead of the file of a class of a notebook or of a script; the lines stay as they were."""
_OF_OTHERS: Final = (Path(recbench.__file__).parent, Path(sysconfig.get_path("stdlib")))
_MOST_CHARACTERS: Final = 300


def error_place(error: BaseException) -> str | None:
    """Returns the last line of the model's code before an error; None if no code of the model was running.

    Frames of recbench, of Python and of installed packages are left out: ``int() argument must be a string`` inside of
    pandas does not lead a user to the mistake.
    """
    frames = [
        (frame.f_code, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if _is_of_model(frame.f_code.co_filename)
    ]
    if not frames:
        return None
    code, line = frames[-1]
    function = code.co_qualname.rpartition("<locals>.")[2]
    if code.co_filename == SENT_BY_VALUE:
        return shortened(f"line {line} of its cell or script, in {function}", _MOST_CHARACTERS)
    return shortened(f"{_file(Path(code.co_filename))}, line {line}, in {function}", _MOST_CHARACTERS)


def _is_of_model(filename: str) -> bool:
    if filename.startswith("<"):
        return filename == SENT_BY_VALUE
    path = Path(filename)
    return not INSTALLED & set(path.parts) and not any(path.is_relative_to(folder) for folder in _OF_OTHERS)


def _file(path: Path) -> str:
    """Returns a file's path from the working folder; elsewhere its name alone, because records are published."""
    return path.relative_to(Path.cwd()).as_posix() if path.is_relative_to(Path.cwd()) else path.name
