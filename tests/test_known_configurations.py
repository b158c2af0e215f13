"""Known configurations are never used on the data on which they were found."""

from dataclasses import replace

import pytest

from recbench.tasks.named_specs import builtin_specs
from recbench.tuning.known_configurations import KNOWN_PER_MODEL, Data, space_for
from recbench.tuning.spaces import Known, ModelSpace, Range, own_spaces_path, read_spaces

HERE, THERE = (f"sha256:{digit * 64}" for digit in "ab")


def known(source="A paper", dataset="ml-1m", found_on=(HERE,)):
    return Known(source=source, dataset=dataset, found_on=found_on, setting={"factors": 64})


def searched(data, *entries):
    return space_for("bpr", ModelSpace({"factors": Range(low=16, high=256)}, entries), data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (Data(HERE, {"mine"}), f"this task, {HERE[:19]}, is one of its found_on"),
        (Data(THERE, {"mine", "ML-1M"}), "this task is cut from ml-1m too"),
        (Data(THERE, {"mine", "ncf-ml-1m"}), "this task is cut from ncf-ml-1m too"),
        (
            Data(THERE, {"mine"}, {HERE: "ml-1m-loo"}),
            "the task ml-1m-loo, which is one of its found_on, is cut from the same dataset",
        ),
    ],
)
def test_a_configuration_is_skipped_on_the_data_on_which_it_was_found(data, reason):
    other = known("Another paper", "gowalla", ())
    space, lines = searched(data, known(dataset=("ml-1m", "ncf-ml-1m")), other)
    assert space.known == (other,)
    assert lines == [f"bpr: skipped the known configuration from 'A paper'; it was found on the same data: {reason}."]
    # A search goes on without any.
    assert searched(data, known(dataset=("ml-1m", "ncf-ml-1m")))[0].known == ()


def test_what_a_task_says_of_its_data(synthetic_task):
    specs = builtin_specs()
    data = Data.of(synthetic_task, specs)
    assert (data.names, data.others) == ({"synthetic"}, {})
    spec = specs["ml-100k"].model_copy(update={"name": "mine"})
    data = Data.of(replace(synthetic_task, spec=spec), specs)
    assert data.names == {"mine", "ml-100k"}
    assert set(data.others.values()) == {"ml-100k", "ml-100k-loo", "ml-100k-random", "ml-100k-time"}


def test_every_model_begins_with_at_most_as_many():
    entries = [known(str(number)) for number in range(KNOWN_PER_MODEL + 1)]
    space, lines = searched(Data(THERE, {"ml-100k"}), *entries)
    assert space.known == tuple(entries[:KNOWN_PER_MODEL])
    assert not lines


def test_no_known_configuration_of_the_builtin_models_is_used_on_the_ncf_split():
    ncf = Data("sha256:d06a5d776341fc992a02a248f8334893f93284e71881e9baa6227fa57b99de14", {"any-name"})
    for name, space in read_spaces(own_spaces_path()).items():
        assert all("NCF" not in configuration.source for configuration in space_for(name, space, ncf)[0].known)
