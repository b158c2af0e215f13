"""Work for the CPU."""

import time


def work(seconds: float) -> None:
    """Keeps the CPU busy for so long."""
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
