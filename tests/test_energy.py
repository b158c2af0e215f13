"""The energy counters of Linux, as files of a folder; the carbon intensity; GPUs through NVML."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np

from recbench.records.cost_values import EnergyValue, GpuUse
from recbench.records.tuned_settings import TunedModel
from recbench.registry.hyperparameters import configure
from recbench.registry.models import ModelReference, Origin
from recbench.reports.formats import Format
from recbench.reports.pages.effort_table import effort_section
from recbench.reports.pages.figure_tables import cost_columns
from recbench.reports.run.cost_table import cost_table
from recbench.reports.run.document import run_document
from recbench.reports.run.run_report import run_report
from recbench.trials import energy
from recbench.trials.carbon import CarbonIntensity, carbon_intensity, grams_of
from recbench.trials.conditions import Conditions
from recbench.trials.curve_epochs import CurveEpochs
from recbench.trials.energy import EnergyMeter
from recbench.trials.events import ignore
from recbench.trials.gpu_meter import GpuMeter
from recbench.trials.trial import run_trial
from tests.examples import ENVIRONMENT, TASK, a_trial
from tests.test_settings import a_provenance


def write(zone, name, energy, highest="1000000"):
    zone.mkdir(exist_ok=True)
    for file, text in (("name", name), ("energy_uj", energy), ("max_energy_range_uj", highest)):
        (zone / file).write_text(f"{text}\n")


def test_joules_of_all_packages_between_readings(tmp_path):
    for number in (0, 1):
        write(tmp_path / f"intel-rapl:{number}", f"package-{number}", "900000")
    write(tmp_path / "intel-rapl:0:0", "core", "5")
    write(tmp_path / "intel-rapl:2", "psys", "5")
    meter = EnergyMeter(tmp_path, clock=lambda: 0.0)
    assert meter.since_last() == 0.0
    write(tmp_path / "intel-rapl:0", "package-0", "950000")
    # The second counter has started again at 0.
    write(tmp_path / "intel-rapl:1", "package-1", "100000")
    assert meter.since_last() == 0.25
    (tmp_path / "intel-rapl:1" / "energy_uj").unlink()
    assert meter.since_last() is None
    write(tmp_path / "intel-rapl:1", "package-1", "300000")
    assert meter.since_last() is None
    assert meter.since_last() == 0.0


def test_without_a_sensor_nothing_is_known(tmp_path):
    assert EnergyMeter(tmp_path / "none").since_last() is None
    write(tmp_path / "intel-rapl:0", "package-0", "no number")
    assert EnergyMeter(tmp_path).since_last() is None


def test_a_counter_that_may_have_turned_more_often_tells_nothing(tmp_path):
    now = [0.0]
    write(tmp_path / "intel-rapl:0", "package-0", "900000", highest="10000000000")
    meter = EnergyMeter(tmp_path, clock=lambda: now[0])
    assert meter.can_be_read
    # 10 kJ take at least 10 s.
    now[0] = 9.0
    write(tmp_path / "intel-rapl:0", "package-0", "800000", highest="10000000000")
    assert meter.since_last() == 9999.9
    now[0] += 11.0
    assert meter.since_last() is None
    now[0] += 9.0
    assert meter.since_last() == 0.0


class Uses:
    """A model whose training takes 2 J in each epoch, and whose ranking takes 1 J."""

    folder: Path

    def _use(self, joules):
        counter = self.folder / "intel-rapl:0" / "energy_uj"
        counter.write_text(str(int(counter.read_text()) + joules * 1_000_000))

    def fit(self, train, context):
        for _ in range(3):
            self._use(2)
            context.end_epoch()

    def score(self, users, items):
        self._use(1)
        return np.zeros(items.shape)


def energy_of(board, **conditions):
    configuration = configure(ModelReference("toy", "toy:Toy", Origin.MODULE), Uses, {})
    return run_trial(board, configuration, 0, Conditions(**conditions), ignore).record.energy


def test_the_energy_of_a_trial(board, tmp_path, monkeypatch):
    Uses.folder = tmp_path
    write(tmp_path / "intel-rapl:0", "package-0", "0", highest="262143328850")
    monkeypatch.setattr(energy, "POWERCAP", tmp_path)
    monkeypatch.setitem(sys.modules, "pynvml", None)
    monkeypatch.setitem(sys.modules, "codecarbon", None)
    energy_value = energy_of(board)
    assert (energy_value.sensors, energy_value.fit_joules, energy_value.score_joules) == (("rapl",), 6.0, 1.0)
    assert (energy_value.grams_per_kwh, energy_value.country) == (None, None)
    # Points of a learning curve do not count as training.
    assert energy_of(board, curve=CurveEpochs(every=1)).fit_joules == 6.0
    monkeypatch.setattr(energy, "POWERCAP", tmp_path / "none")
    assert energy_of(board) is None


def carbon(monkeypatch, country, table):
    """Puts modules with the names of CodeCarbon's in their place."""
    config = SimpleNamespace(get_hierarchical_config=lambda: {"country_iso_code": country} if country else {})
    data = SimpleNamespace(DataSource=lambda: SimpleNamespace(get_global_energy_mix_data=lambda: table))
    for name, module in (("codecarbon.core.config", config), ("codecarbon.input", data)):
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("codecarbon", "codecarbon.core"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))


def test_the_carbon_intensity_is_that_of_a_known_country_alone(monkeypatch):
    table = {"FRA": {"carbon_intensity": 44.2}, "XXX": {"total_TWh": 3}}
    carbon(monkeypatch, "fra", table)
    assert carbon_intensity() == CarbonIntensity("FRA", 44.2)
    assert (grams_of(7.2e6), grams_of(None)) == (88.4, None)
    for country in ("", "XXX", "ATL"):
        carbon(monkeypatch, country, table)
        assert carbon_intensity() is None
        assert grams_of(7.2e6) is None
    monkeypatch.setitem(sys.modules, "codecarbon.input", None)
    assert carbon_intensity() is None


def test_grams_are_marked_as_an_estimate_and_shared_machines_have_no_energy():
    value = EnergyValue(sensors=("rapl",), fit_joules=7.2e6, score_joules=3.6e6, grams_per_kwh=100.0, country="FRA")
    report = run_report(TASK, [a_trial("bpr", 0, energy=value)], ENVIRONMENT, (10,))
    text = cost_table(report, Format.TEXT)
    assert "fit CO2 g (est.)" in text
    assert "est.: measured joules x mean carbon intensity of the country (FRA) in CodeCarbon's table." in text
    costs = run_document(report)["results"][0]["costs"]
    assert {name: cost["mean"] for name, cost in costs.items()} == {
        "fit_joules": 7.2e6,
        "score_joules": 3.6e6,
        "fit_co2_grams_estimate": 200.0,
        "score_co2_grams_estimate": 100.0,
    }
    assert [column.header for column in cost_columns(report)][-4:-2] == ["fit J", "scoring J"]
    shared = a_trial("bpr", 0, energy=value, concurrent_trials=2)
    assert "costs" not in run_document(run_report(TASK, [shared], ENVIRONMENT, (10,)))["results"][0]


def test_the_effort_of_a_tuning_shows_joules_and_marks_grams_as_an_estimate():
    measured = a_provenance(default_score=0.1, validation_score=0.2).model_copy(update={"joules": 7.2e6})
    for grams, has_grams in ((None, False), (88.4, True)):
        tuned = TunedModel(parameters={}, provenance=measured.model_copy(update={"co2_grams_estimate": grams}))
        page = "\n".join(effort_section({"bpr": tuned}, (), (), (), ()))
        assert "7,200,000" in page
        assert ("88.4" in page, "CO2 g (est.)" in page, "est.: an estimate" in page) == (has_grams,) * 3


class Nvml:
    """NVML of a machine with two GPUs. This process uses the second, and another one the first."""

    class NVMLError(Exception):
        pass

    def __init__(self):
        self.energy, self.memory, self.rates = [1000, 5000], 100, 50
        self.others = [(0, 1, 100)]

    def nvmlDeviceGetCount(self):  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, number):  # noqa: N802
        return number

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu):  # noqa: N802
        if self.energy[gpu] is None:
            raise self.NVMLError
        return self.energy[gpu]

    def nvmlDeviceGetComputeRunningProcesses(self, gpu):  # noqa: N802
        running = [*self.others, (1, os.getpid(), self.memory)]
        return [SimpleNamespace(pid=pid, usedGpuMemory=memory) for number, pid, memory in running if number == gpu]

    def nvmlDeviceGetUtilizationRates(self, gpu):  # noqa: N802
        return SimpleNamespace(gpu=self.rates)


def test_gpus_that_this_process_uses():
    nvml, now = Nvml(), [0.0]
    meter = GpuMeter(nvml, clock=lambda: now[0])
    nvml.energy = [9000, 7000]
    assert meter.since_last() == 2.0
    now[0], nvml.memory, nvml.rates = 1.0, 300, 100
    assert meter.since_last() == 0.0
    now[0], nvml.memory, nvml.rates = 2.0, 200, 0
    meter.since_last()
    assert meter.is_used
    assert meter.use() == GpuUse(peak_memory_bytes=300, utilisation=0.5, n_samples=3)
    nvml.energy[1] = None
    assert meter.since_last() is None
    assert not meter.is_used
    nvml.nvmlDeviceGetComputeRunningProcesses = lambda gpu: []
    assert GpuMeter(nvml).since_last() == 0.0
    assert GpuMeter(nvml).use() is None


def test_gpus_of_the_processes_that_this_process_has_started():
    nvml = Nvml()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        nvml.others = [(0, 1, 7), (0, child.pid, 30), (1, child.pid, 20)]
        meter = GpuMeter(nvml)
        nvml.energy = [9000, 7000]
        assert meter.since_last() == 10.0
        assert meter.use() == GpuUse(peak_memory_bytes=150, utilisation=0.5, n_samples=1)
        nvml.others = [(0, child.pid, None)]
        meter = GpuMeter(nvml)
        meter.since_last()
        assert meter.use() == GpuUse(peak_memory_bytes=None, utilisation=0.5, n_samples=1)
        child.communicate(b"\n")
