"""The signals by which other programs end this one."""

import signal


def terminating_signals() -> tuple[signal.Signals, ...]:
    """Returns the signals by which another program ends this one, or its terminal; Windows only sends Ctrl-Break."""
    return tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))
