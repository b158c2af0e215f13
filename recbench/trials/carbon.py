"""The carbon intensity of a country's electricity, from the table of CodeCarbon.

CodeCarbon's own tracker is not used: where it can read no sensor it estimates the power from a table of processors, and
its thread runs beside the training. Of CodeCarbon's data, a country without a figure has none here; CodeCarbon would
take the mean of the world.
"""

import importlib
from dataclasses import dataclass
from typing import Any, Final

JOULES_PER_KWH: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class CarbonIntensity:
    """The mean carbon intensity of a country's electricity.

    Attributes:
        country: ISO 3166-1 alpha-3, such as ``FRA``.
        grams_per_kwh: Grams of CO2 equivalents per kWh.
    """

    country: str
    grams_per_kwh: float


def grams_of(joules: float | None) -> float | None:
    """Returns an estimate of the CO2 equivalents of measured energy, in grams; None where either is not known."""
    # CodeCarbon takes seconds to import.
    intensity = None if joules is None else carbon_intensity()
    return None if intensity is None or joules is None else joules / JOULES_PER_KWH * intensity.grams_per_kwh


def carbon_intensity() -> CarbonIntensity | None:
    """Returns the carbon intensity where this machine is.

    The country is that of CodeCarbon's configuration: ``CODECARBON_COUNTRY_ISO_CODE``, or ``country_iso_code`` in
    ``.codecarbon.config``. Nothing is asked over the network.

    Returns:
        None without CodeCarbon, without a country, or if CodeCarbon's table has no figure of the country.
    """
    try:
        config: Any = importlib.import_module("codecarbon.core.config")
        data: Any = importlib.import_module("codecarbon.input")
        country = str(config.get_hierarchical_config().get("country_iso_code") or "").upper()
        grams = data.DataSource().get_global_energy_mix_data().get(country, {}).get("carbon_intensity")
    # Whatever another version of CodeCarbon does, the finished training is kept.
    except Exception:  # noqa: BLE001
        return None
    return CarbonIntensity(country, float(grams)) if country and isinstance(grams, int | float) else None
