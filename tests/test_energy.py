"""The energy counters of Linux, as files of a folder."""

from recbench.trials.energy import EnergyMeter


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
