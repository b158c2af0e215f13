"""The choice of a device. A file of its own, for the command line reads it before any numeric library is loaded."""

from typing import Literal

Device = Literal["auto", "cpu", "gpu"]
"""``auto`` is a GPU where there is one."""
