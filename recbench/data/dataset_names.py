"""The names of datasets, without the validation of their entries, so that the completion of a shell answers at once."""

import tomllib
from importlib import resources


def dataset_names() -> list[str]:
    """Returns the names of the datasets in the catalogue."""
    text = resources.files("recbench.data").joinpath("catalogue.toml").read_text(encoding="utf-8")
    return list(tomllib.loads(text))
