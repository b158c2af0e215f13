"""Writes tests/golden/rectools.json: what RecTools says of rankings that the tests make as well.

RecTools needs NumPy 1 and pandas 2, and so an environment of its own, with nothing of this project:
    python -m venv rectools-venv && rectools-venv/bin/pip install rectools
    rectools-venv/bin/python tests/rectools_oracle.py
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np

N_USERS, N_ITEMS = 40, 60
CUT_OFFS = (1, 5, 10, 60)


def rankings() -> tuple[np.ndarray, np.ndarray]:
    """Items int64[users, items] of each user, the best first, and the relevant item int64[users] of each.

    From the generator whose stream NumPy has frozen, so that every version makes the same.
    """
    draw = np.random.RandomState(20)
    items = np.array([draw.permutation(N_ITEMS) for _ in range(N_USERS)])
    positions = (draw.random_sample(N_USERS) ** 3 * N_ITEMS).astype(np.int64)
    return items, items[np.arange(N_USERS), positions]


def main() -> None:
    import pandas as pd
    from rectools import metrics

    items, relevant = rankings()
    users = np.repeat(np.arange(N_USERS), N_ITEMS)
    ranks = np.tile(np.arange(1, N_ITEMS + 1), N_USERS)
    recommended = pd.DataFrame({"user_id": users, "item_id": items.ravel(), "rank": ranks})
    interactions = pd.DataFrame({"user_id": np.arange(N_USERS), "item_id": relevant})
    results: dict[str, object] = {"rectools": version("rectools")}
    for k in CUT_OFFS:
        asked = {
            f"hr@{k}": metrics.HitRate(k=k),
            f"ndcg@{k}": metrics.NDCG(k=k, divide_by_achievable=True),
            f"mrr@{k}": metrics.MRR(k=k),
            f"coverage@{k}": metrics.CatalogCoverage(k=k, normalize=True),
        }
        results |= metrics.calc_metrics(asked, recommended, interactions, catalog=range(N_ITEMS))
    text = json.dumps({name: float(x) if name != "rectools" else x for name, x in results.items()}, indent=1)
    (Path(__file__).parent / "golden" / "rectools.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
