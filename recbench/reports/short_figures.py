"""Figures in few characters, for tables that must fit a terminal."""

from recbench.evaluation.bootstrap import Interval

UNITS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def short_figure(value: float, digits: int = 4) -> str:
    """Returns a figure without the zero before its point.

    >>> short_figure(0.53354), short_figure(-0.0012), short_figure(1.0), short_figure(12.5, 1)
    ('.5335', '-.0012', '1.0000', '12.5')
    """
    text = f"{round(value, digits) + 0.0:.{digits}f}"
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def short_difference(value: float, digits: int = 4) -> str:
    """Returns a difference with its sign.

    >>> short_difference(0.0123), short_difference(-0.00001)
    ('+.0123', '+.0000')
    """
    text = short_figure(value, digits)
    return text if text.startswith("-") else f"+{text}"


def short_interval(interval: Interval, digits: int = 3) -> str:
    """Returns an interval, such as ``[.520, .548]``."""
    return f"[{short_figure(interval.low, digits)}, {short_figure(interval.high, digits)}]"


def short_rate(value: float) -> str:
    """Returns a number a second with its unit.

    >>> short_rate(4_271_000), short_rate(196_051_640), short_rate(999_600), short_rate(12.3)
    ('4.3 M/s', '196 M/s', '1.0 M/s', '12 /s')
    """
    for size, unit in UNITS:
        if round(value / size * 1000) >= 1000:
            scaled = value / size
            return f"{scaled:.1f} {unit}/s" if round(scaled, 1) < 10 else f"{scaled:,.0f} {unit}/s"
    return f"{value:.0f} /s"


def short_seconds(value: float) -> str:
    """Returns seconds.

    >>> short_seconds(0.00048), short_seconds(1.812), short_seconds(4760.2)
    ('.0005', '1.81', '4,760')
    """
    if value < 0.1:
        return short_figure(value, 4)
    return short_figure(value, 2) if value < 100 else f"{value:,.0f}"
