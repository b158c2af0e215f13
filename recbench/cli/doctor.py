"""``recbench doctor``: what recbench can use here."""

from typing import TYPE_CHECKING

from recbench.cli.shared.output_options import AsJson
from recbench.cli.shared.tables import emit_facts
from recbench.cli.shared.terminal import emit_json

if TYPE_CHECKING:
    from recbench.cli.shared.check_document_types import DoctorDocument, FactsDocument, ImportDocument

LIBRARIES = ("numpy", "pandas", "pyarrow")
"""What recbench itself needs to build a task. What the models need is read from their source."""


def doctor(as_json: AsJson = False) -> None:
    """Show versions, threads, which models can run, where the cache is, and what this system cannot guarantee."""
    import os

    import recbench
    from recbench.data.cache import home
    from recbench.installations import other_installations
    from recbench.operating_system.guarantees import weaker_guarantees
    from recbench.registry.frameworks import how_to_install, needed_modules, owners
    from recbench.registry.models import known_models
    from recbench.requirements import running_folder
    from recbench.trials import machine

    environment = machine.environment()
    folder = home()
    writable = next(os.access(place, os.W_OK) for place in (folder, *folder.parents) if place.exists())
    needs = {name: needed_modules(reference) for name, reference in known_models().items()}
    modules = sorted({*LIBRARIES, *(module for needed in needs.values() for module in needed)})
    imports = {
        package: _try_import(package, [module for module in modules if owners([module]) == [package]])
        for package in owners(modules)
    }
    broken = {package for package, result in imports.items() if result["seconds"] is None}
    cannot_run = {
        name: blocking_packages
        for name, needed in needs.items()
        if (blocking_packages := sorted(broken & {*owners(needed)}))
    }
    missing = sorted(package for package in broken if imports[package]["result"] == NOT_INSTALLED)
    facts: FactsDocument = {
        "recbench": recbench.__version__,
        "folder": str(running_folder()),
        "other_installations": [str(other) for other in other_installations()],
        "python": environment.python,
        "os": environment.os,
        "cpu": environment.cpu,
        "cores": environment.cores,
        "pip": _version("pip"),
        "cache": str(folder),
        "cache_writable": writable,
        "thread_variables": {name: os.environ.get(name) for name in machine.THREAD_VARIABLES},
        "imports": imports,
        "models": sorted(needs),
        "models_that_cannot_run": cannot_run,
        "weaker_guarantees": {name.value: how for name, how in weaker_guarantees().items()},
    }
    if as_json:
        document: DoctorDocument = {"schema": 1, "doctor": facts}
        emit_json(document)
        return
    plain = {key: value for key, value in facts.items() if not isinstance(value, dict | list)}
    rows = [[key, NOT_INSTALLED if value is None else value] for key, value in plain.items()]
    rows += [["another recbench", f"{other}; it does not run"] for other in facts["other_installations"]]
    rows += [[f"env {name}", value or "not set"] for name, value in facts["thread_variables"].items()]
    for package, result in imports.items():
        rows.append([f"import {package}", ", ".join(filter(None, (result["version"], result["result"])))])
    rows.append(["models that can run", ", ".join(sorted(needs.keys() - cannot_run.keys()))])
    for package in sorted(broken):
        models = sorted(name for name, packages in cannot_run.items() if package in packages)
        rows += [[f"cannot run without {package}", ", ".join(models)]] if models else []
    rows += [["to install", how_to_install(missing)]] if missing else []
    rows += [[f"weaker here: {name}", how] for name, how in facts["weaker_guarantees"].items()]
    emit_facts(rows, ["", ""])


NOT_INSTALLED = "not installed"


def _try_import(package: str, modules: list[str]) -> "ImportDocument":
    """Imports the modules of a package in a process of its own, for a framework may crash or be slow."""
    import subprocess
    import sys
    import time

    from recbench.registry.frameworks import is_installed

    version = _version(package)
    if not all(is_installed(module) for module in modules):
        return {"version": version, "result": NOT_INSTALLED, "seconds": None}
    began = time.perf_counter()
    command = [sys.executable, "-P", "-c", f"import {', '.join(modules)}"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        return {"version": version, "result": f"its import fails: {last}", "seconds": None}
    return {"version": version, "result": f"imports in {seconds:.1f} s", "seconds": seconds}


def _version(distribution: str) -> str | None:
    """Returns the version of an installed distribution; None if it is not installed."""
    from importlib import metadata

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
