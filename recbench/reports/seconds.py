"""Times as text."""


def seconds_text(seconds: float) -> str:
    """Returns a time in seconds with three digits, without its unit.

    >>> [seconds_text(one) for one in (0.00002, 0.0532, 1.734, 4321.5)]
    ['<0.001', '0.0532', '1.73', '4,322']
    """
    if seconds < 0.001:
        return "<0.001"
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"
