"""Environments of other frameworks: creating, listing, checking and removing them, without a network."""

import json
import sys

import pytest

from recbench.errors import RecbenchError
from recbench.experiments import environments
from recbench.experiments.environments import Check, State
from recbench.foreign import installation, pythons
from recbench.foreign.environments import environment_names, environment_python, locks_folder, read_lock
from recbench.foreign.installation import short_message
from recbench.foreign.pythons import choose_python
from tests.command_line import CommandLine
from tests.reference_schemas import assert_fits

NO_NETWORK = """
  x Failed to fetch: `https://mirror.example/simple/cornac/`
  |-> Request failed after 3 retries
  `-> dns error: failed to lookup address information: Temporary failure in name resolution
"""
UNRESOLVED = """
  × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of cornac==3.0.1 and you require cornac==3.0.1, we can conclude that your
      requirements are unsatisfiable.
"""
PIP_UNRESOLVED = """
Collecting matplotlib
ERROR: Could not find a version that satisfies the requirement cornac==3.0.1 (from versions: 4.0)
ERROR: No matching distribution found for cornac==3.0.1
"""


def test_lock_files():
    for name in environment_names():
        lock = read_lock(name)
        assert lock.check.startswith(f"{name}:")
        assert lock.version
        assert choose_python(lock.python, with_uv=True)
        text = lock.path.read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        pins = [line for line in text.splitlines() if not line.startswith("#")]
        assert all("==" in line for line in pins)
        # PyTorch names their exact versions itself, and a wheel without CUDA needs none of them.
        assert not [line for line in pins if line.startswith(("nvidia", "triton"))]
    assert locks_folder().is_dir()
    with pytest.raises(RecbenchError, match="Unknown environment 'cornak'") as caught:
        read_lock("cornak")
    assert "cornac" in caught.value.hint


def installer(tmp_path, monkeypatch, on_install):
    """Makes a stand-in for uv: its environment has a Python that is this one."""
    program = tmp_path / "uv"
    program.write_text(
        f"""#!/bin/sh
if [ "$1" = venv ]; then
  for folder; do :; done
  mkdir -p "$folder/bin"
  printf '#!/bin/sh\\nexec {sys.executable} "$@"\\n' > "$folder/bin/python"
  chmod +x "$folder/bin/python"
else
{on_install}
fi
"""
    )
    program.chmod(0o755)
    for module in (installation, environments):
        monkeypatch.setattr(module, "find_uv", lambda: str(program))


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for uv is a script of a shell")
@pytest.mark.parametrize(
    ("output", "message", "hint"),
    [
        (NO_NETWORK, "cannot be downloaded. uv says:", "Check the network"),
        (UNRESOLVED, "can no longer be resolved. uv says:\n  No solution found", "pip install cornac==3.0.1"),
        (PIP_UNRESOLVED, "can no longer be resolved", "recbench run --models cornac:CLASS@./my-cornac"),
        ("error: No space left on device", "cannot be installed. uv says:\n  error: No space left", "Run it again"),
    ],
)
def test_what_can_go_wrong_while_packages_are_installed(tmp_path, monkeypatch, home, output, message, hint):
    (tmp_path / "output").write_text(output, encoding="utf-8")
    installer(tmp_path, monkeypatch, f"cat {tmp_path / 'output'}; exit 1")
    with pytest.raises(RecbenchError) as caught:
        environments.create("cornac", None, lambda line: None)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert environments.environment("cornac").state is State.INCOMPLETE
    with pytest.raises(RecbenchError, match="The environment cornac is not complete"):
        environment_python("cornac")


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for uv is a script of a shell")
def test_an_environment_from_its_creation_to_its_end(tmp_path, monkeypatch, home, capfd):
    installer(tmp_path, monkeypatch, "echo Installed 29 packages in 1 s")
    failed = Check("cornac:BPR", None, ("the trial failed: no",))
    results = iter([Check("cornac:BPR", 0.25, ()), failed, failed])
    monkeypatch.setattr(environments, "check_with_trial", lambda name: next(results))
    call = CommandLine(capfd, monkeypatch)
    made = call("env", "create", "cornac", "--json")
    assert made.code == 0, made.err
    assert "Installed 29 packages" in made.err
    document = json.loads(made.out)
    assert_fits("env create", document)
    assert document["check_hr"] == 0.25
    assert document["environment"]["state"] == "ready"
    assert document["environment"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert environment_python("cornac") == home / "environments" / "cornac" / "bin" / "python"
    listed = {entry["name"]: entry["state"] for entry in json.loads(call("env", "list", "--json").out)["environments"]}
    assert listed == {**dict.fromkeys(environment_names(), "not created"), "cornac": "ready"}
    # One that fails to be created again stays.
    assert call("env", "create", "cornac").code == 2
    assert environments.environment("cornac").state is State.READY
    # Its packages are those of this Python, and not those of the lock file.
    monkeypatch.setattr(environments, "read_lock", lambda name: read_lock("implicit"))
    ailing = call("env", "doctor", "cornac", "--json")
    assert ailing.code == 1
    assert_fits("env doctor", json.loads(ailing.out))
    (problems,) = [entry["problems"] for entry in json.loads(ailing.out)["environments"]]
    assert problems[0] == "it is made from an older lock file"
    assert problems[-1] == "the trial failed: no"
    monkeypatch.undo()
    monkeypatch.setenv("RECBENCH_HOME", str(home))
    assert_fits("env remove", json.loads(call("env", "remove", "cornac", "--json").out))
    assert call("env", "remove", "cornac").out == "There is no environment cornac to remove.\n"
    assert call("env", "doctor").out.startswith("No environment has been created.")


def cannot_be_imported(*_, **__):
    raise RecbenchError("it crashed.")


def is_interrupted(*_, **__):
    raise KeyboardInterrupt


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for uv is a script of a shell")
def test_an_environment_that_fails_its_check_is_not_used(tmp_path, monkeypatch, home):
    installer(tmp_path, monkeypatch, "exit 0")
    monkeypatch.setattr(environments.api, "run", is_interrupted)
    with pytest.raises(KeyboardInterrupt):
        environments.create("cornac", None, lambda line: None)
    assert environments.environment("cornac").state is State.INCOMPLETE
    monkeypatch.setattr(environments.api, "run", cannot_be_imported)
    with pytest.raises(RecbenchError, match="does not work: it crashed"):
        environments.create("cornac", None, lambda line: None)
    assert environments.environment("cornac").state is State.INCOMPLETE


def test_the_python_of_an_environment(monkeypatch):
    assert choose_python(">=3.10", with_uv=False) == sys.executable
    monkeypatch.setattr(pythons.shutil, "which", lambda name, **_: "/opt/python3.4" if name == "python3.4" else None)
    assert choose_python("<3.5", with_uv=True) == "<3.5"
    with pytest.raises(RecbenchError, match="The environment needs Python <3.5"):
        choose_python("<3.5", with_uv=False)


def test_packages_that_are_not_those_of_the_lock_file():
    lock = read_lock("implicit")
    (numpy, *_), scipy = lock.packages["numpy"], lock.packages["scipy"]
    assert environments._different(lock, {"numpy": f"{numpy}+local", "other": "1"}) == []
    assert environments._different(lock, {"NumPy": numpy, "SciPy": "0.1"}) == [
        f"it has scipy 0.1 instead of {' or '.join(sorted(scipy))}"
    ]
    assert environments._different(lock, None) == []


def test_messages_of_installers_are_shortened():
    lines = ["Resolved 3 packages", *["noise"] * 50, *UNRESOLVED.splitlines(), *["  more"] * 50]
    message = short_message(lines).splitlines()
    assert message[0] == "  No solution found when resolving dependencies:"
    assert len(message) == installation.SHOWN_LINES
