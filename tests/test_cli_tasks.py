"""The verbs task and data as a user meets them."""

import json
import re
import shutil

import numpy as np

from tests.command_line import CommandLine

LEAK = '''
import numpy as np


class Leak:
    """Likes items numbered right after a user's train items."""

    def fit(self, train, context):
        self.items = [train.indices[a:b] for a, b in zip(train.indptr, train.indptr[1:])]

    def score(self, users, items):
        return np.array([
            [-np.abs(item - self.items[user] - 0.5).min() for item in row] for user, row in zip(users, items)
        ])
'''


def test_a_corrupt_task_file(recbench, home):
    recbench("task", "build", "synthetic")
    (path,) = (home / "tasks" / "built").glob("*.task")
    path.write_bytes(path.read_bytes()[:5000])
    done = recbench("run", "--models", "popularity", "--task", "synthetic")
    assert done.returncode == 2
    assert str(path) in done.stderr


def test_from_a_file_of_ratings_to_a_table(recbench, tmp_path):
    rows = [f"{user};p{(user * 7 + n * n) % 150};{n}" for user in range(60) for n in range(8)]
    (tmp_path / "orders.csv").write_text("\n".join(["customer;sku;when", *rows]))
    columns = ("--user-column", "customer", "--item-column", "sku", "--timestamp-column", "when")
    assert re.search(r"items +148", recbench("data", "info", "orders.csv", *columns).stdout)
    done = recbench("task", "build", "shop", "--ratings", "orders.csv", *columns)
    assert done.returncode == 0, done.stderr
    again = recbench("task", "build", "shop", "--ratings", "orders.csv", *columns)
    assert again.returncode == 2
    assert "--force" in again.stderr
    assert recbench("task", "build", "shop.toml", "--ratings", "orders.csv", *columns).returncode == 2
    assert "shop" in recbench("task", "list").stdout
    assert "is valid, also when built again" in recbench("task", "verify", "shop", "--rebuild").stdout
    spec = recbench("task", "show", "shop", "--spec").stdout
    (tmp_path / "shop.toml").write_text(spec)
    by_name = json.loads(recbench("task", "show", "shop", "--json").stdout)
    by_spec = json.loads(recbench("task", "show", "./shop.toml", "--json").stdout)
    assert by_name == by_spec
    assert recbench("run", "--models", "popularity", "--task", "shop", "--seeds", "1").returncode == 0


def test_building_ones_own_task_again_reads_its_ratings_again_and_replaces_it_by_force_only(recbench, tmp_path):
    rows = [f"{user},p{(user * 7 + n * n) % 150}" for user in range(60) for n in range(8)]
    (tmp_path / "orders.csv").write_text("\n".join(["user,item", *rows]))
    done = recbench("task", "build", "shop", "--ratings", "orders.csv")
    assert "There are no timestamps" in done.stderr
    (tmp_path / "orders.csv").write_text("\n".join(["user,item", *rows[:-8]]))
    before = recbench("task", "show", "shop").stdout
    assert recbench("task", "verify", "shop", "--rebuild").returncode == 2
    refused = recbench("task", "build", "shop")
    assert refused.returncode == 2
    assert "recbench task build shop --force" in refused.stderr
    assert recbench("task", "show", "shop").stdout == before
    assert re.search(r"users +59", recbench("task", "build", "shop", "--force").stdout)
    assert recbench("task", "verify", "shop", "--rebuild").returncode == 0


def test_a_spec_that_others_build_and_whose_digest_they_must_have(recbench, tmp_path, monkeypatch, capfd):
    rows = [f"{user},p{(user * 7 + n * n) % 150},{n}" for user in range(60) for n in range(8)]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "orders.csv").write_text("\n".join(["user,item,timestamp", *rows, ""]))
    assert recbench("task", "build", "shop", "--ratings", "data/orders.csv").returncode == 0
    digest = json.loads(recbench("task", "show", "shop", "--json").stdout)["task"]["digest"]
    spec = recbench("task", "show", "shop", "--spec").stdout
    assert f'digest = "{digest}"' in spec
    assert str(tmp_path) not in spec
    assert spec.startswith("# Remove the line that begins with digest before you change the data or the rules.\n")
    # Another machine: the same files in another folder, and an empty cache.
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    shutil.copytree(tmp_path / "data", theirs / "data")
    (theirs / "shop.toml").write_text(spec)
    cache = {"RECBENCH_HOME": str(tmp_path / "another-home")}
    assert digest in recbench("task", "verify", "theirs/shop.toml", **cache).stdout
    with (theirs / "data" / "orders.csv").open("a") as file:
        file.write("7,p149,9\n")
    refused = recbench("run", "--models", "popularity", "--task", "theirs/shop.toml", **cache)
    assert refused.returncode == 2
    assert f"its spec pins {digest}" in refused.stderr
    # The line that the comment names is all that keeps others from their own task.
    without = "".join(line for line in spec.splitlines(keepends=True) if not line.startswith("digest"))
    (theirs / "shop.toml").write_text(without)
    assert recbench("task", "verify", "theirs/shop.toml", **cache).returncode == 0
    # A file elsewhere: where its owner keeps it is nobody's business.
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert 'path = "orders.csv"' in CommandLine(capfd, monkeypatch)("task", "show", "shop", "--spec").out


def test_a_spec_that_nobody_can_build_says_how_to_share_the_task(recbench, tmp_path):
    (tmp_path / "train.csv").write_text("user,item\n" + "".join(f"{n % 4},{n}\n" for n in range(20)))
    (tmp_path / "test.csv").write_text("user,item\n0,1\n1,2\n")
    files = ("--train", "train.csv", "--test", "test.csv", "--count", "3")
    assert recbench("task", "import", "pairs", *files, "mine").returncode == 0
    spec = recbench("task", "show", "mine", "--spec").stdout
    assert "# recbench task export mine -o FOLDER\n" in spec
    assert 'digest = "sha256:' in spec


def test_a_spec_to_start_from(recbench, tmp_path):
    spec = recbench("task", "show", "synthetic", "--spec").stdout
    (tmp_path / "mine.toml").write_text(spec.replace("count = 100", "count = 20"))
    assert json.loads(recbench("task", "show", "mine.toml", "--json").stdout)["task"]["n_negatives"] == 20


def test_item_numbers_do_not_give_held_out_items_away(recbench, tmp_path):
    """In a file sorted by user, a new item of a held-out row stands between that user's other new items."""
    rng = np.random.default_rng(0)
    rows = [(user, item) for user in range(300) for item in rng.choice(3000, size=12, replace=False)]
    (tmp_path / "sorted.csv").write_text("\n".join(["user,item", *(f"{u},{i}" for u, i in rows)]))
    (tmp_path / "leak.py").write_text(LEAK)
    assert recbench("task", "build", "leaky", "--ratings", "sorted.csv").returncode == 0
    done = recbench("run", "--models", "leak.py:Leak", "--task", "leaky", "--seeds", "1", "--json")
    (result,) = json.loads(done.stdout)["results"]
    assert result["metrics"]["hr@10"]["mean"] < 10 / 101 + 0.06


def test_importing_a_published_split(recbench, tmp_path):
    (tmp_path / "train").write_text("0\t0\n0\t1\n1\t2\n1\t3\n")
    (tmp_path / "test").write_text("0\t2\n1\t0\n")
    (tmp_path / "negatives").write_text("(0,2)\t2\t4\n(1,0)\t1\t4\n")
    files = ("--train", "train", "--test", "test", "--candidates", "negatives")
    refused = recbench("task", "import", "ncf", *files, "toy")
    assert refused.returncode == 2
    assert "--waive positive-among-negatives" in refused.stderr
    assert recbench("task", "import", "ncf", *files, "--waive", "nonsense", "toy").returncode == 2
    assert recbench("task", "import", "ncf", *files, "--waive", "positive-among-negatives", "toy").returncode == 0
    done = recbench("run", "--models", "popularity", "--task", "toy", "--k", "1", "--seeds", "1")
    assert "Waived: positive-among-negatives" in done.stdout
    assert "1 to 2 negatives each" in done.stdout


def test_data_and_doctor(recbench, home):
    assert "ml-100k" in recbench("data", "list").stdout
    assert json.loads(recbench("data", "list", "--json").stdout)["datasets"][0]["rows"] == 100_000
    assert "GroupLens" in recbench("data", "info", "ml-100k").stdout
    assert recbench("data", "info", "ml-99k").returncode == 2
    assert "density" in recbench("data", "info", "synthetic").stdout
    facts = json.loads(recbench("doctor", "--json").stdout)["doctor"]
    assert facts["cache"] == str(home)
    assert facts["imports"]["numpy"]["result"].startswith("imports in")
    assert "bpr" in facts["models"]
