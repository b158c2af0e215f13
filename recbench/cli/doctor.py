"""``recbench doctor``: what there is to work with."""

from typing import Annotated, Any

import typer

from recbench.cli.shared.terminal import emit_json, emit_table

FRAMEWORKS = ("numpy", "scipy", "pandas", "pyarrow", "implicit", "tensorflow")


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False) -> None:
    """Show versions, threads, what can be imported, and where the cache is."""
    import os

    import recbench
    from recbench.data.cache import home
    from recbench.registry.models import known_models
    from recbench.trials import machine

    environment = machine.environment()
    folder = home()
    writable = next(os.access(place, os.W_OK) for place in (folder, *folder.parents) if place.exists())
    facts: dict[str, Any] = {
        "recbench": recbench.__version__,
        "python": environment.python,
        "os": environment.os,
        "cpu": environment.cpu,
        "cores": environment.cores,
        "pip": _version("pip"),
        "cache": str(folder),
        "cache_writable": writable,
        "thread_variables": {name: os.environ.get(name) for name in machine.THREAD_VARIABLES},
        "imports": {name: _try_import(name) for name in FRAMEWORKS},
        "models": sorted(known_models()),
    }
    if as_json:
        emit_json({"schema": 1, "doctor": facts})
        return
    plain = {key: value for key, value in facts.items() if not isinstance(value, dict | list)}
    rows = [[key, "not installed" if value is None else value] for key, value in plain.items()]
    rows += [[f"env {name}", value or "not set"] for name, value in facts["thread_variables"].items()]
    rows += [[f"import {name}", f"{r['version']}, {r['result']}"] for name, r in facts["imports"].items()]
    emit_table([*rows, ["models", ", ".join(facts["models"])]], ["", ""])


def _try_import(name: str) -> dict[str, Any]:
    """Imports a package in a process of its own, for a framework may crash or be slow."""
    import subprocess
    import sys
    import time

    version = _version(name)
    if version is None:
        return {"version": None, "result": "is not installed", "seconds": None}
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import {name}"], capture_output=True, text=True, errors="replace", check=False
    )
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"version": version, "result": f"cannot be imported: {last}", "seconds": None}
    return {"version": version, "result": f"imports in {seconds:.1f} s", "seconds": seconds}


def _version(distribution: str) -> str | None:
    """Returns the version of an installed distribution; None if it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
