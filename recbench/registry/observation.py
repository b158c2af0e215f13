"""What a process loads and opens while it imports, trains and scores a model.

What a model consists of is known for certain only afterwards: a library may be on ``PYTHONPATH``, a module may be
imported by a computed name, and a file of weights is opened by ordinary code. So modules are looked up in
``sys.modules``, and files are noticed by an audit hook. The hook sees what Python opens. It does not see what native
code or another process opens; a class names such files in ``sources``.
"""

import contextlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar

from recbench.records.sources import CHANGED, Sources
from recbench.registry.file_hashes import file_hash, folder_hash
from recbench.registry.input_files import InputFiles
from recbench.registry.module_files import locate, module_files

MANY = 500
"""With more data files than this, the content of their folders counts in place of the single files."""
MISSING = "missing"


class Observation:
    """What this process loads and opens while a model's code runs."""

    _watching: ClassVar["Observation | None"] = None
    _hooked: ClassVar[bool] = False

    def __init__(self) -> None:
        self._modules: set[str] = set()
        self._before: frozenset[str] | None = None
        self._folder = os.getcwd()  # noqa: PTH109
        self._began = time.time_ns()
        self._read: dict[str, int] = {}
        self._written: set[str] = set()
        self._updated: set[str] = set()

    @contextlib.contextmanager
    def watch(self, *, files: bool) -> Iterator[None]:
        """Notices the modules that are loaded in this block, in any thread.

        Args:
            files: Whether to notice the files that Python opens, too.
        """
        if files and not Observation._hooked:
            # Python removes no audit hook: there is one for the whole process.
            sys.addaudithook(_audit)
            Observation._hooked = True
        self._before = frozenset(sys.modules)
        Observation._watching = self if files else None
        try:
            yield
        finally:
            Observation._watching = None
            self._modules |= sys.modules.keys() - self._before
            self._before = None

    @property
    def modules(self) -> set[str]:
        """The names of the modules that were loaded in blocks so far."""
        return self._modules if self._before is None else self._modules | (sys.modules.keys() - self._before)

    def late(self, known: Sources, files: frozenset[str], search_path: Sequence[str]) -> Sources:
        """Returns the files with which the model's code is complete.

        Args:
            known: The files that are known from before the training.
            files: The same as absolute paths.
            search_path: The folders in which modules were looked for then.
        """
        loaded = {path: str(file) for path, file in module_files(self.modules).items() if str(file) not in files}
        # A module that no import finds was generated, or loaded by its path: it counts as a file that was read.
        modules = {path: file for path, file in loaded.items() if _is_same(locate(path, search_path), file)}
        code = {*files, *modules.values()}
        inputs = InputFiles(self._folder, [*(str(Path(file).parent) for file in code), *search_path])
        data = {
            inputs.path_of(file): digest
            for file, opened in self._sources_read().items()
            if file not in code and file not in self._written and inputs.has(file)
            if (digest := self._content(file, opened)) is not None
        }
        if len(data) > MANY:
            data = present_data({f"{path.rpartition('/')[0]}/" for path in data}, self._folder)
        late_modules = {path: self._content(file, self._began) or CHANGED for path, file in modules.items()}
        return known.model_copy(update={"late_modules": late_modules, "data": data})

    def note(self, path: object, flags: int, when: int | None = None) -> None:
        """Notes that a file is opened.

        Args:
            path: Its path; anything else is ignored.
            flags: Those of ``os.open``.
            when: When it was opened, in ns since 1970; None for now. Another process tells of it later.
        """
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if not isinstance(path, str):
            return
        path = os.path.abspath(path)  # noqa: PTH100 - fast, for this happens while a model is timed
        if flags & os.O_WRONLY or flags & (os.O_CREAT | os.O_TRUNC):
            self._written.add(path)
            return
        self._read.setdefault(path, time.time_ns() if when is None else when)
        if flags & os.O_RDWR:
            self._updated.add(path)

    def _sources_read(self) -> dict[str, int]:
        """Returns when each file was first read; of a compiled module, its source counts."""
        first_reads: dict[str, int] = {}
        for file, opened in list(self._read.items()):
            source = file
            if file.endswith(".pyc"):
                with contextlib.suppress(ValueError, NotImplementedError):
                    source = importlib.util.source_from_cache(file)
            first_reads[source] = min(opened, first_reads.get(source, opened))
        return first_reads

    def _content(self, file: str, opened: int) -> str | None:
        """Returns the hash of a file; ``CHANGED`` if it was changed after it was opened.

        None for a file that does not exist or was made by the trial: it is no input.
        """
        digest = file_hash(file)
        if digest is None:
            return None
        modified = Path(file).stat().st_mtime_ns
        if modified > opened and file not in self._updated:
            return CHANGED
        return None if modified > self._began else digest


def present_modules(paths: Sequence[str], search_path: Sequence[str]) -> dict[str, str]:
    """Returns the present hashes of modules, wherever an import would find them now.

    Args:
        paths: Paths of modules, as a record lists them.
        search_path: The folders in which modules are looked for.
    """
    files = {path: locate(path, search_path) for path in paths}
    return {path: (file_hash(file) if file else None) or MISSING for path, file in files.items()}


def present_data(paths: Sequence[str] | set[str], folder: str) -> dict[str, str]:
    """Returns the present hashes of data files.

    Args:
        paths: Paths of files, as a record lists them; one that ends with a slash is a folder.
        folder: The working folder.
    """
    files = {path: InputFiles(folder, ()).find(path) for path in paths}
    return {
        path: (folder_hash(file) if path.endswith("/") else file_hash(file)) or MISSING for path, file in files.items()
    }


def _is_same(file: str | None, other: str) -> bool:
    try:
        return file is not None and Path(file).samefile(other)
    except OSError:
        # One of them was removed meanwhile.
        return False


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    # It runs for every event of the interpreter, and must be fast for all but these.
    if event not in ("open", "sqlite3.connect"):
        return
    watching = Observation._watching
    if watching is None:
        return
    # An error would become one of the code that opens the file.
    with contextlib.suppress(Exception):
        watching.note(arguments[0], arguments[2] if event == "open" else os.O_RDWR)
