"""Tasks from datasets of the catalogue: by name, with the rules of a known task."""

import re
import shlex

import pytest

import recbench as rb
from recbench.cli import task as task_verb
from recbench.data import fetch as fetching
from recbench.data.catalogue import catalogue
from recbench.errors import RecbenchError
from recbench.tasks import lookup, names
from recbench.tasks.dataset_tasks import lacking, unknown_task
from recbench.tasks.make import make_task_of_dataset
from recbench.tasks.named_specs import builtin_specs, own_spec_path, spec_text
from recbench.tasks.rules import spec_like
from recbench.tasks.spec import CatalogueData, PublishedData, PublishedSplit

LOO = builtin_specs()["ml-100k-loo"]
COMMAND = "recbench task build ml-1m-loo --dataset ml-1m --like ml-100k-loo"


def rows(separator: str, columns: int) -> str:
    """Returns 30 users with 8 of 150 items each."""
    lines = [
        separator.join([str(user), str((user * 7 + n * n) % 150), "3", str(10**9 + n)][:columns])
        for user in range(30)
        for n in range(8)
    ]
    return "\n".join([*lines, ""])


@pytest.fixture
def small(tmp_path, monkeypatch):
    """Puts a small file in the place of a dataset of the catalogue."""

    def put(name: str, content: str) -> None:
        entry = catalogue()[name]
        small_entry = entry.model_copy(update={"rows": None, "users": None, "items": None})
        monkeypatch.setitem(catalogue(), name, small_entry)
        path = tmp_path / entry.files[0].name
        path.write_text(content)
        fetching.add(name, [path])

    return put


def build_as_printed(error: RecbenchError) -> str:
    """Runs the command in the last line of a hint, and returns the task's name."""
    command = shlex.split(error.hint.splitlines()[-1])
    assert command[:3] == ["recbench", "task", "build"]
    options = dict(zip(command[4::2], command[5::2], strict=True))
    task_verb.build(command[3], dataset=options["--dataset"], like=options["--like"])
    return command[3]


def test_a_dataset_s_name_is_answered_with_a_command_that_works_as_printed(small, capsys):
    small("ml-1m", rows("::", 4))
    with pytest.raises(RecbenchError, match="'ml-1m' is a dataset, not a task") as caught:
        rb.run(["popularity"], "ml-1m", quiet=True)
    assert COMMAND in caught.value.hint.splitlines()
    name = build_as_printed(caught.value)
    assert re.search(r"^ml-1m-loo .*\n[- ]+\ndigest +sha256:", capsys.readouterr().out)
    task = lookup.load_task(name)
    assert len(task.test) == 30
    assert (task.spec.split, task.spec.negatives) == (LOO.split, LOO.negatives)
    assert name in names.own_task_names()
    with pytest.raises(RecbenchError, match="is a dataset") as caught:
        lookup.find_task("ml-1m")
    assert caught.value.hint == "Use a task that was built from it: --task ml-1m-loo"


def test_without_timestamps_another_rule_is_named_and_works(small, capsys):
    small("citeulike-a", "\n".join(f"8 {' '.join(str((u * 7 + n * n) % 150) for n in range(8))}" for u in range(30)))
    with pytest.raises(RecbenchError, match="'citeulike-a' has no timestamps, but the rules of ml-100k-loo") as caught:
        make_task_of_dataset("mine", "citeulike-a", "ml-100k-loo")
    assert build_as_printed(caught.value) == "citeulike-a-random"
    assert len(lookup.load_task("citeulike-a-random").test) == 30


def test_every_dataset_of_the_catalogue_is_answered_with_rules_that_suit_it():
    for name, dataset in catalogue().items():
        if name in builtin_specs():
            continue
        command = unknown_task(name, list(builtin_specs())).hint.splitlines()[-1].split()
        like = builtin_specs()[command[-1]]
        assert command[3:6] == [f"{name}-{like.name.removeprefix('ml-100k-')}", "--dataset", name]
        assert lacking(dataset, like) is None
        assert (like == LOO) == dataset.has_timestamps


def test_a_published_split_is_offered_for_import_first():
    hint = unknown_task("ncf-ml-1m", []).hint
    command = "recbench task import ncf --dataset ncf-ml-1m --waive positive-among-negatives ncf-ml-1m"
    assert hint.splitlines()[1] == command


@pytest.mark.parametrize("name", ["ml-1m-loo", "ML-1M-loo"])
def test_a_dataset_s_name_with_a_rule_is_answered_with_the_command(name):
    with pytest.raises(RecbenchError, match="is not built yet") as caught:
        lookup.find_task(name)
    assert caught.value.hint.splitlines()[-1] == COMMAND


def test_the_proposed_name_is_free(small):
    small("ml-1m", rows("::", 4))
    lookup.keep_as_own(rb.make_task(rb.load_task("synthetic").train_frame(), name="ml-1m-loo", negatives=5))
    with pytest.raises(RecbenchError, match="is a dataset") as caught:
        lookup.find_task("ml-1m")
    assert build_as_printed(caught.value) == "ml-1m-loo-2"


def test_the_same_spec_again_is_loaded_and_another_is_refused(small, monkeypatch):
    small("ml-1m", rows("::", 4))
    first = make_task_of_dataset("mine", "ml-1m", "ml-100k-loo")
    assert first.spec.digest == first.digest
    with monkeypatch.context() as patch:
        patch.setattr(lookup, "build", None)
        assert make_task_of_dataset("mine", "ml-1m", "ml-100k-loo").digest == first.digest
    with pytest.raises(RecbenchError, match="There is a task 'mine' already"):
        make_task_of_dataset("mine", "ml-1m", "ml-100k-random")
    with pytest.raises(RecbenchError, match="name of a builtin task"):
        make_task_of_dataset("ml-100k-loo", "ml-1m", "ml-100k-loo")
    other = make_task_of_dataset("mine", "ml-1m", "ml-100k-random", replace=True)
    assert lookup.load_task("mine").digest == other.digest != first.digest
    # A file takes the name, and gives it back.
    frame = rb.load_task("mine").train_frame()
    lookup.keep_as_own(rb.make_task(frame, name="mine", negatives=5), replace=True)
    assert lookup.load_task("mine").spec.dataset.source == "dataframe"
    with pytest.raises(RecbenchError, match="There is a task 'mine' already"):
        make_task_of_dataset("mine", "ml-1m", "ml-100k-random")
    make_task_of_dataset("mine", "ml-1m", "ml-100k-random", replace=True)
    assert lookup.load_task("mine").digest == other.digest


def test_the_stored_spec_builds_the_task_again_and_notices_other_data(small):
    small("ml-1m", rows("::", 4))
    task = make_task_of_dataset("mine", "ml-1m", "ml-100k-loo")
    lookup.find_task("mine").path.unlink()
    assert lookup.load_task("mine").digest == task.digest
    lookup.find_task("mine").path.unlink()
    small("ml-1m", rows("::", 4).replace("29::", "31::"))
    with pytest.raises(RecbenchError, match="its spec pins"):
        lookup.load_task("mine")
    changed = make_task_of_dataset("mine", "ml-1m", "ml-100k-loo", replace=True)
    assert lookup.load_task("mine").digest == changed.digest != task.digest


def test_items_to_drop_are_dropped_only_from_their_own_data(small, tmp_path):
    small("ml-1m", rows("::", 4))
    text = spec_text(LOO, pinned=True).replace("drop_items = []", 'drop_items = ["4"]')
    (tmp_path / "other.toml").write_text(text)
    (tmp_path / "same.toml").write_text(text.replace('name = "ml-100k"', 'name = "ml-1m"'))
    other = make_task_of_dataset("other", "ml-1m", str(tmp_path / "other.toml"))
    same = make_task_of_dataset("same", "ml-1m", str(tmp_path / "same.toml"))
    assert "4" in list(other.item_ids)
    assert "4" not in list(same.item_ids)


def test_a_published_split_is_no_rule_for_other_data():
    spec = LOO.model_copy(
        update={
            "name": "theirs",
            "dataset": PublishedData(source="published", form="ncf"),
            "split": PublishedSplit(method="published"),
        }
    )
    with pytest.raises(RecbenchError, match="split of the task 'theirs' was published as files"):
        spec_like(spec)


def test_names_that_do_not_exist_bring_the_nearest(home):
    for arguments, message in (
        (("x", "ml1m", None), "Did you mean: ml-1m"),
        (("x", "ml-1m", "ml-100k-lo"), "Did you mean: ml-100k-loo"),
        (("x", "synthetic", None), "recbench task show synthetic --spec"),
        (("../x", "ml-1m", None), "is not a valid name of a task"),
    ):
        with pytest.raises(RecbenchError, match=message):
            make_task_of_dataset(*arguments)
    assert not home.exists()


def test_options_that_do_not_go_together():
    for options, message in (
        ({"like": "ml-100k"}, "but not the data"),
        ({"dataset": "ml-1m", "user_column": "user"}, "need the file"),
        ({"dataset": "ml-1m", "ratings": own_spec_path("x")}, "one source"),
    ):
        with pytest.raises(RecbenchError, match=message):
            task_verb.build("x", **options)


def test_the_spec_names_the_dataset(small):
    small("ml-1m", rows("::", 4))
    make_task_of_dataset("mine", "ml-1m")
    assert lookup.find_task("mine").spec.dataset == CatalogueData(source="catalogue", name="ml-1m")
