"""What recbench guarantees less firmly where an operating system lacks a function."""

import os
import signal
from collections.abc import Mapping
from enum import StrEnum

import psutil

from recbench.operating_system.guardians import has_guardians
from recbench.operating_system.memory import has_own_peak_memory


class Guarantee(StrEnum):
    """A guarantee that is weaker where an operating system lacks a function."""

    ENDS_WITH_RUN = "ends-with-run"
    ENDS_WITH_TRIAL = "ends-with-trial"
    STACKS_AT_TIMEOUT = "stacks-at-timeout"
    SIGNAL_NAMES = "signal-names"
    OWN_PEAK_MEMORY = "own-peak-memory"
    ALLOWED_CORES = "allowed-cores"


def weaker_guarantees() -> Mapping[Guarantee, str]:
    """Returns what is weaker here than on Linux: each guarantee, and a sentence that says how."""
    missing = {
        Guarantee.ENDS_WITH_RUN: (
            not has_guardians(),
            "If a run is killed, its trials end about a second later; a trial that hangs in native code stays.",
        ),
        Guarantee.ENDS_WITH_TRIAL: (
            not has_guardians(),
            "A process that a model started outlives its trial if its environment was cleared and its parent is gone.",
        ),
        Guarantee.STACKS_AT_TIMEOUT: (
            not hasattr(signal, "SIGUSR1"),
            "The log shows where a trial hangs only if the model does not use faulthandler's timer itself.",
        ),
        Guarantee.SIGNAL_NAMES: (
            not hasattr(signal, "SIGKILL"),
            "A crash is recorded as an exit code, not as a signal.",
        ),
        Guarantee.OWN_PEAK_MEMORY: (
            not has_own_peak_memory(),
            "The peak memory of a trial may include that of the run that started it.",
        ),
        Guarantee.ALLOWED_CORES: (
            not hasattr(os, "sched_getaffinity") and not hasattr(psutil.Process, "cpu_affinity"),
            "The number of cores is the machine's, not what this process may use.",
        ),
    }
    return {guarantee: how for guarantee, (is_weaker, how) in missing.items() if is_weaker}
