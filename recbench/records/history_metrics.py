"""The metrics that a line of the history holds. Importing the names imports nothing else: ``--help`` stays fast."""

from typing import Final

HR: Final = "hr@10"
NDCG: Final = "ndcg@10"
"""The metrics of every line, whatever cut-offs a run was made with: both are derived from the ranks."""

OF_FULL_RANKING: Final = ("full-hr@10", "full-ndcg@10", "full-recall@20", "full-user-ndcg@20")
"""The metrics of a line whose record has a full ranking."""

HISTORY_METRICS: Final = (HR, NDCG, *OF_FULL_RANKING)
