"""Numbers with their nouns."""


def counted(n: int, noun: str) -> str:
    """Returns a number with its noun.

    >>> counted(1, "trial"), counted(0, "trial"), counted(2000, "trial")
    ('1 trial', '0 trials', '2,000 trials')
    """
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
