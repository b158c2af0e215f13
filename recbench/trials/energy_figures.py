"""The energy of a trial, as its record keeps it."""

from collections.abc import Mapping
from typing import Any

from recbench.records.cost_values import EnergyValue
from recbench.trials.carbon import carbon_intensity
from recbench.trials.energy import EnergyClock, EnergyMeter, Meter
from recbench.trials.gpu_meter import GpuMeter, gpu_meter


class TrialEnergy:
    """The sensors of this machine, and what they measure during a trial. Without sensors, nothing is read.

    Attributes:
        clock: The clock of the energy.
    """

    def __init__(self) -> None:
        processors, self._gpus = EnergyMeter(), gpu_meter()
        meters: dict[str, Meter] = {"rapl": processors} if processors.can_be_read else {}
        if self._gpus is not None:
            meters["nvml"] = self._gpus
        self.clock = EnergyClock(meters)

    def fields(self, fit: Mapping[str, float], score: Mapping[str, float]) -> dict[str, Any]:
        """Returns the fields of a record; none without sensors.

        Args:
            fit: What the clock took while the model was trained, by sensor.
            score: What it took while the candidates were ranked.
        """
        gpus = self._gpus
        use = None if gpus is None else gpus.use()
        fields: dict[str, Any] = {} if use is None else {"gpu_use": use}
        sensors = tuple(name for name in ("rapl", "nvml") if name in fit and (name != "nvml" or _is_used(gpus)))
        if not sensors:
            return fields
        scored = [score[name] for name in sensors if name in score]
        carbon = carbon_intensity()
        energy = EnergyValue(
            sensors=sensors,
            fit_joules=sum(fit[name] for name in sensors),
            score_joules=sum(scored) if len(scored) == len(sensors) else None,
            grams_per_kwh=None if carbon is None else carbon.grams_per_kwh,
            country=None if carbon is None else carbon.country,
        )
        return fields | {"energy": energy}


def _is_used(gpus: GpuMeter | None) -> bool:
    return gpus is not None and gpus.is_used
