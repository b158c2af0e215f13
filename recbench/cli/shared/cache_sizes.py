"""Sizes of files in the cache, as the verbs show them."""


def megabytes(n_bytes: int) -> str:
    """Returns a size in MB, with one decimal."""
    return f"{n_bytes / 1e6:,.1f}"


def amount(n_files: int, n_bytes: int) -> str:
    """Returns a number of files and their size, in words."""
    return f"{n_files:,} file{'' if n_files == 1 else 's'}, {megabytes(n_bytes)} MB"
