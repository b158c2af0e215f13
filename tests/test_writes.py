"""Every write of the package is whole or absent: all go through a few functions, which this test knows."""

import ast
from pathlib import Path

import recbench

PACKAGE = Path(recbench.__file__).parent

WRITERS = {
    "write_text", "write_bytes", "savefig", "to_csv", "to_parquet", "to_excel", "tofile", "save", "savez",
    "savez_compressed", "write_csv", "write_table", "copyfile", "copy", "copy2", "copytree", "move", "rename", "touch",
    "hardlink_to", "symlink_to", "mkstemp", "mkdtemp", "NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory",
    "fdopen", "open", "truncate", "ZipFile",
}  # fmt: skip
"""Names of functions through which a file is written; ``open`` counts with a mode that writes."""

KNOWN = {
    "experiments/environments.py": "writes through atomic_path; a temporary folder holds the records of the check",
    "foreign/host.py": "the pipes to the harness",
    "foreign/serving_loop.py": "a setting of Linux on its own process, below /proc",
    # The mechanisms.
    "temporary_files.py": "the temporary files",
    "data/cache.py": "atomic_path and move_into_place",
    "output_files.py": "in atomic_path or a temporary folder",
    "process_locks.py": "the files of locks",
    "trials/memory_claims.py": "under a lock; a claim that was cut short counts as none",
    "records/transactions.py": "several files at once, by a journal",
    "records/store.py": "in a temporary folder, which is renamed",
    # Into a temporary file or folder that one of the mechanisms moves.
    "data/download.py": "into the folder that fetch gathers files in",
    "data/fetch.py": "into the same folder",
    "data/published_files.py": "in atomic_path",
    "tasks/array_file.py": "in atomic_path of task_file.save",
    "tasks/named_specs.py": "in atomic_path",
    "tasks/exchange/export.py": "in write_all",
    "experiments/export.py": "in write_all",
    "experiments/ab_state.py": "in atomic_path",
    "experiments/commit_trials.py": "in atomic_path",
    "tasks/exchange/export_ncf.py": "in write_all",
    "tasks/exchange/export_tables.py": "in write_all",
    "records/gate_notes.py": "in atomic_path",
    "records/suite_folder.py": "in atomic_path",
    "records/git_records.py": "into a temporary folder, to read a revision",
    "runners/dask/remote_trials.py": "under a name that only one run uses, then renamed; and in a temporary folder",
    "reports/plots/figures.py": "into memory",
    "records/ranks_file.py": "into memory",
    "experiments/own_environments.py": "into an environment of a temporary folder; and an unnamed file",
    # Files that grow, or have no content.
    "tasks/verification_cache.py": "an empty file",
    "trials/logs.py": "logs, which grow while a trial runs",
    "trials/output_redirection.py": "the same logs",
    "runners/in_process.py": "the same logs",
    "experiments/tree_programs.py": "unnamed files",
    "runners/dask/cluster.py": "the log of a worker",
    "runners/processes/guardian.py": "the null device",
    "cli/shared/terminal.py": "the null device",
    "unexpected_errors.py": "a report of an error, in a file of its own",
    "data/file_use.py": "opened to be locked",
    "progress/console.py": "standard error",
    "selftest/worker.py": "the null device",
    "runners/schedule.py": "an unnamed file, to see whether the folder can be written",
}


def writes(path: Path) -> set[str]:
    """The functions through which a module may write a file."""
    functions = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in WRITERS:
            continue
        if name in ("open", "ZipFile", "fdopen"):
            values = [
                argument.value
                for argument in (*node.args, *(k.value for k in node.keywords))
                if isinstance(argument, ast.Constant)
            ]
            modes = {value for value in values if isinstance(value, str) and len(value) <= 3}
            flags = {child.attr for child in ast.walk(node) if isinstance(child, ast.Attribute)}
            if not any(set(mode) & set("wax+") for mode in modes) and not flags & {"O_WRONLY", "O_RDWR", "O_CREAT"}:
                continue
        elif name in ("copy", "save", "move", "rename", "truncate") and not _is_of_files(node):
            continue
        functions.add(name)
    return functions


def _is_of_files(call: ast.Call) -> bool:
    """Whether a name that other objects also have is that of a function of files."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in ("shutil", "os", "np", "numpy", "made")


def test_only_known_modules_write_files():
    writes_by_module = {path.relative_to(PACKAGE).as_posix(): writes(path) for path in PACKAGE.rglob("*.py")}
    unknown = {name: names for name, names in writes_by_module.items() if names and name not in KNOWN}
    assert not unknown, "write through atomic_path, OutputFile.write or write_all, or say here why not"


def test_the_scan_sees_writes(tmp_path):
    for text in (
        'open("x", "w")', 'path.open("ab")', 'path.open(mode="r+")', "figure.savefig(path)", "frame.to_csv(path)",
        "np.savez(path)", "shutil.copy(a, b)", "os.open(path, os.O_CREAT)", 'zipfile.ZipFile(p, "w")',
        "p.write_text(t)",
    ):  # fmt: skip
        (tmp_path / "module.py").write_text(text)
        assert writes(tmp_path / "module.py"), text
    (tmp_path / "module.py").write_text('open("a.txt")\npath.open("rb")\narray.copy()\nlist.copy()\nframe.rename(a)\n')
    assert not writes(tmp_path / "module.py")
