import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from recbench.errors import RecbenchError
from recbench.tasks import lookup, names, task_file
from recbench.tasks.make import make_task_of_file
from recbench.tasks.spec import CatalogueData, FileData

SPEC = """
name = "mine"
[dataset]
source = "file"
path = "ratings.csv"
[split]
method = "leave-one-out"
order = "file"
[negatives]
method = "uniform"
count = 5
"""


@pytest.fixture
def spec_file(tmp_path):
    rows = [f"{user},{(user * 3 + n) % 20}" for user in range(20) for n in range(6)]
    (tmp_path / "ratings.csv").write_text("\n".join(["user,item", *rows, ""]))
    path = tmp_path / "mine.toml"
    path.write_text(SPEC)
    return path


def test_a_spec_file_is_built_once_and_again_when_its_ratings_change(spec_file, home, monkeypatch):
    first = lookup.load_task(str(spec_file))
    assert lookup.find_task(str(spec_file)).path.exists()
    built = []
    monkeypatch.setattr(lookup, "build", lambda *args, **kwargs: built.append(args))
    assert lookup.load_task(str(spec_file)).digest == first.digest
    assert built == []
    monkeypatch.undo()
    monkeypatch.setenv("RECBENCH_HOME", str(home))
    ratings = spec_file.parent / "ratings.csv"
    ratings.write_text(ratings.read_text().replace("19,", "20,"))
    assert not lookup.find_task(str(spec_file)).path.exists()


def test_own_tasks_are_found_by_name_and_not_overwritten_by_accident(spec_file):
    task = lookup.load_task(str(spec_file))
    lookup.keep_as_own(task)
    assert "mine" in names.task_names()
    assert lookup.load_task("mine").digest == task.digest
    with pytest.raises(RecbenchError, match="There is a task 'mine' already"):
        lookup.keep_as_own(task)
    lookup.keep_as_own(task, replace=True)


def test_ones_own_task_is_not_replaced_by_another_when_it_is_built_again(spec_file):
    ratings = spec_file.parent / "ratings.csv"
    task = make_task_of_file("mine", FileData(source="file", path=ratings), like=str(spec_file))
    path = lookup.keep_as_own(task)
    assert lookup.load_task("mine", rebuild=True).digest == task.digest
    ratings.write_text(ratings.read_text() + "7,19\n")
    with pytest.raises(RecbenchError, match="but built again it has") as caught:
        lookup.load_task("mine", rebuild=True)
    assert "recbench task build mine --force" in caught.value.hint
    assert task_file.load(path).digest == lookup.load_task("mine").digest == task.digest
    replaced = lookup.build_own_again("mine", replace=True)
    assert replaced.digest != task.digest
    assert lookup.load_task("mine").digest == replaced.digest


def of_a_catalogue(task):
    data = CatalogueData(source="catalogue", name="ml-100k")
    return type(task)(task.spec.model_copy(update={"dataset": data}), task.user_ids, task.item_ids, task.rows,
                      task.test, task.validation_rows, task.validation)  # fmt: skip


@pytest.mark.parametrize("keepers", [("own", "own"), ("own", "spec"), ("spec", "spec")])
def test_of_two_that_take_a_name_at_once_one_is_refused(spec_file, monkeypatch, keepers):
    task = of_a_catalogue(lookup.load_task(str(spec_file)))
    keep = {"own": lookup.keep_as_own, "spec": lookup.keep_as_spec}
    check, both, checked = lookup.check_name, threading.Barrier(2, timeout=30), threading.local()

    def check_and_meet(name, *, replace):
        check(name, replace=replace)
        if not hasattr(checked, "once"):
            # Both have seen by now that the name is free.
            checked.once = True
            both.wait()

    monkeypatch.setattr(lookup, "check_name", check_and_meet)
    with ThreadPoolExecutor(2) as pool:
        errors = [done.exception() for done in [pool.submit(keep[kind], task) for kind in keepers]]
    (refused,) = [error for error in errors if error is not None]
    assert isinstance(refused, RecbenchError)
    assert "There is a task 'mine' already" in refused.message


def test_builtin_names_are_taken(synthetic_task):
    with pytest.raises(RecbenchError, match="name of a builtin task"):
        lookup.keep_as_own(synthetic_task, replace=True)


def test_unknown_names_and_missing_files(spec_file):
    with pytest.raises(RecbenchError, match=r"Unknown task 'ml-100k-lo'\. Did you mean: ml-100k-loo"):
        lookup.find_task("ml-100k-lo")
    with pytest.raises(RecbenchError, match="Unknown task"):
        lookup.find_task("x" * 300)
    for bad in ("a/b", "a.toml", "", "x" * 300):
        with pytest.raises(RecbenchError, match="is not a valid name of a task"):
            lookup.check_name(bad, replace=False)
    with pytest.raises(RecbenchError, match="Cannot read the task spec"):
        lookup.find_task("nowhere/absent.toml")
    (spec_file.parent / "ratings.csv").unlink()
    with pytest.raises(RecbenchError, match="needs the ratings file"):
        lookup.find_task(str(spec_file))


def test_users_who_cannot_give_a_row_stay_in_train_and_are_counted(spec_file):
    ratings = spec_file.parent / "ratings.csv"
    ratings.write_text(ratings.read_text() + "lonely,1\n")
    task = lookup.load_task(str(spec_file))
    assert task.n_users_without_case == 1
    lonely = list(task.user_ids).index("lonely")
    assert lonely not in task.test.users
    assert lonely in task.users
