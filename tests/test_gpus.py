"""Which GPUs a record lists. A program in place of nvidia-smi answers as NVIDIA's driver does."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from recbench.records.schema import Environment, Gpu
from recbench.trials import gpus
from recbench.trials.gpus import gpus_used
from tests.examples import ENVIRONMENT

SMI = """#!/bin/sh
case "$1" in
--query-gpu=*) printf 'GPU-1, NVIDIA A100-SXM4-40GB, 550.54.15\\nGPU-2, NVIDIA L4, 550.54.15\\n';;
--query-compute-apps=*) printf '%s';;
esac
"""
HAS_LOADED_DRIVER = gpus._has_loaded_driver
A100, L4 = (Gpu(name=name, driver="550.54.15") for name in ("NVIDIA A100-SXM4-40GB", "NVIDIA L4"))


@pytest.fixture
def driver(tmp_path, monkeypatch):
    """Puts the program on the path; ``apps`` is what it says of processes."""

    def install(apps: str) -> None:
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir(exist_ok=True)
        program.write_text(SMI % apps)
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)

    monkeypatch.setattr(gpus, "_has_loaded_driver", lambda: True)
    return install


def test_the_gpu_on_which_the_driver_sees_this_process(driver):
    driver(f"1, GPU-1\\n{os.getpid()}, GPU-2\\n")
    assert gpus_used(reported=False) == (L4,)


def test_a_process_on_no_gpu_lists_none(driver):
    driver("1, GPU-1\\n")
    assert gpus_used(reported=False) == ()


def test_in_a_container_the_driver_sees_no_process_and_the_report_of_the_model_counts(driver):
    driver("")
    assert gpus_used(reported=True) == (A100, L4)


def test_a_process_that_has_loaded_no_driver_is_not_asked_about(driver, monkeypatch):
    driver(f"{os.getpid()}, GPU-2\\n")
    monkeypatch.setattr(gpus, "_has_loaded_driver", lambda: False)
    assert gpus_used(reported=False) == ()
    assert gpus_used(reported=True) == (L4,)


def test_a_driver_that_answers_with_an_error_is_as_none(tmp_path, driver):
    driver("")
    (tmp_path / "bin" / "nvidia-smi").write_text("#!/bin/sh\necho 'No devices were found'\nexit 6\n")
    assert gpus_used(reported=False) == ()
    assert gpus_used(reported=True) == (Gpu(name="unknown", driver=None),)


def test_another_make_has_the_name_that_a_loaded_torch_tells(monkeypatch):
    cuda = SimpleNamespace(is_initialized=lambda: True, get_device_name=lambda: "AMD Instinct MI250")
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(gpus, "_has_loaded_driver", lambda: True)
    monkeypatch.setattr(gpus, "_other_driver", lambda: "6.7")
    assert gpus_used(reported=False) == (Gpu(name="AMD Instinct MI250", driver="6.7"),)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files a process has loaded")
@pytest.mark.parametrize("below", ["child", "grandchild"])
def test_the_gpu_of_a_process_that_this_process_has_started(tmp_path, driver, monkeypatch, below):
    monkeypatch.setattr(gpus, "_has_loaded_driver", HAS_LOADED_DRIVER)
    library = tmp_path / "libcuda.so.1"
    library.write_bytes(bytes(4096))
    loads = (
        "import mmap, os\n"
        f"file = open({str(library)!r}, 'r+b'); loaded = mmap.mmap(file.fileno(), 0)\n"
        "print(os.getpid(), flush=True); input()\n"
    )
    starts = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {loads!r}])\n"
    code = loads if below == "child" else starts
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        pid = int(child.stdout.readline())
        driver(f"1, GPU-1\\n{pid}, GPU-2\\n")
        assert gpus_used(reported=False) == (L4,)
        child.communicate(b"\n")
    assert gpus_used(reported=False) == ()


def test_a_record_without_a_gpu_has_no_such_field():
    assert "gpus" not in ENVIRONMENT.model_dump()
    used = ENVIRONMENT.model_copy(update={"gpus": (L4,)})
    assert used.model_dump(mode="json")["gpus"] == [{"name": "NVIDIA L4", "driver": "550.54.15"}]
    assert Environment.model_validate_json(used.model_dump_json()) == used
