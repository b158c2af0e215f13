"""A model in every version of Python that may run one, with old and new numpy: the same ranks, bit for bit.

It makes environments, which takes time and the package registry, so it runs by itself: tox -e pythons
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from recbench.records.ranks_file import ranks_to_bytes
from recbench.trials.curve_epochs import CurveEpochs
from tests.test_foreign import FILE, configured, trial

ASKED_FOR = "RECBENCH_TEST_PYTHONS"
VERSIONS = (
    ("3.9", "numpy==1.23.0"),
    ("3.9", "numpy"),
    ("3.10", "numpy==1.23.0"),
    ("3.11", "numpy==1.23.5"),
    ("3.12", "numpy==1.26.0"),
    ("3.12", "numpy==2.0.0"),
    ("3.13", "numpy"),
    ("3.14", "numpy"),
)


def new_environment(folder: Path, version: str, numpy: str) -> Path:
    """Returns the interpreter of a new environment; skips the test if there is no such Python."""
    if not os.environ.get(ASKED_FOR):
        pytest.skip("tox -e pythons runs it")
    uv = shutil.which("uv", path=os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]))
    assert uv, "uv is not installed"
    made = subprocess.run(
        [uv, "venv", "--quiet", "--no-python-downloads", "--python", version, str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"there is no Python {version} here")
    interpreter = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    subprocess.run([uv, "pip", "install", "--quiet", "--python", str(interpreter), numpy], check=True)
    return interpreter


@pytest.mark.parametrize(("version", "numpy"), VERSIONS)
def test_a_model_has_the_same_ranks_in_every_python(synthetic_task, tmp_path, version, numpy):
    interpreter = new_environment(tmp_path / "environment", version, numpy)
    for model in (f"{FILE}:Mine", "popularity"):
        here, there = configured(model), configured(f"{model}@{interpreter}")
        assert (here.parameters, here.code_version) == (there.parameters, there.code_version)
        own, foreign = (
            trial(synthetic_task, configuration, catalogue=True, curve=CurveEpochs(every=1))
            for configuration in (here, there)
        )
        assert foreign.record.error is None
        assert ranks_to_bytes(own.ranks) == ranks_to_bytes(foreign.ranks)
        assert own.record.catalogue.metrics == foreign.record.catalogue.metrics
        assert [point.metrics for point in own.record.curve] == [point.metrics for point in foreign.record.curve]
        assert foreign.record.environment.python.startswith(f"{version}.")
        assert foreign.record.environment.packages["numpy"].startswith(numpy.partition("==")[2])
        there.model_class.connection.close()
