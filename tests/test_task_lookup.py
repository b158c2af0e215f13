import pytest

from recbench.errors import RecbenchError
from recbench.tasks import lookup, names

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
