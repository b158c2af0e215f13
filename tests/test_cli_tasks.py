"""The verbs task and data as a user meets them."""

import json
import re

import numpy as np

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


def test_building_ones_own_task_again_reads_its_ratings_again(recbench, tmp_path):
    rows = [f"{user},p{(user * 7 + n * n) % 150}" for user in range(60) for n in range(8)]
    (tmp_path / "orders.csv").write_text("\n".join(["user,item", *rows]))
    done = recbench("task", "build", "shop", "--ratings", "orders.csv")
    assert "There are no timestamps" in done.stderr
    (tmp_path / "orders.csv").write_text("\n".join(["user,item", *rows[:-8]]))
    assert recbench("task", "verify", "shop", "--rebuild").returncode == 2
    assert re.search(r"users +59", recbench("task", "build", "shop").stdout)
    assert recbench("task", "verify", "shop", "--rebuild").returncode == 0


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
