"""Each user's list, as far as ranks tell it: where the user's held-out items stand in it.

An item's place in its user's list is its rank among the other items plus the number of the user's own held-out items
above it. In the full ranking all cases of a user share the other items, so their counts ``better`` and ``tied`` order
the held-out items, and the places are exact:

- An item with more others above it stands below. Of two with as many, one that ties with others stands below one that
  ties with none: it is inside of the block of equal scores that the second stands above.
- Held-out items with the same two counts, and no others tied, fill neighbouring places; which of them comes first
  changes no metric of relevant and irrelevant items.
- q held-out items that tie with the same t others share a block of t + q places, and all its orders are equally likely.

Among candidates each case has negatives of its own. There is no common list to be exact about, so the list is formed
by the same rule: a held-out item stands below those of the user's held-out items that have fewer negatives above them,
and each counts the negatives of its own case. Where the cases of a user share their candidates, this is exact again.
"""

from dataclasses import dataclass

import numpy as np

from recbench.evaluation.metric import Float64Array
from recbench.evaluation.ranking import Ranks
from recbench.protocol import Int64Array


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutBlocks:
    """The blocks of places that hold held-out items. Within a block all orders are equally likely.

    Attributes:
        user: int64[blocks], whose list it is, as a place in ``np.unique(ranks.users)``; ascending.
        start: int64[blocks], the place, from 0, of the block's first item.
        size: int64[blocks], its places: held-out items and the others that tie with them.
        held_out: int64[blocks], its held-out items.
        above: int64[blocks], the user's held-out items in earlier blocks.
        n_held_out: int64[users], held-out items of each user.
    """

    user: Int64Array
    start: Int64Array
    size: Int64Array
    held_out: Int64Array
    above: Int64Array
    n_held_out: Int64Array

    def end(self, k: int) -> Int64Array:
        """Returns int64[blocks], the place after the block's last one among the first k; its start if none is."""
        return np.asarray(np.maximum(np.minimum(self.start + self.size, k), self.start))

    def per_user(self, values: Float64Array) -> Float64Array:
        """Returns float64[users], the sums of values float64[blocks]."""
        return np.asarray(np.bincount(self.user, values, len(self.n_held_out)), dtype=np.float64)


def held_out_blocks(ranks: Ranks) -> HeldOutBlocks:
    """Returns where each user's held-out items stand.

    Args:
        ranks: One case for each held-out item; of the full ranking, or among candidates (see above).
    """
    order = np.lexsort((ranks.tied, ranks.better, ranks.users))
    keys = np.stack([ranks.users[order], ranks.better[order], ranks.tied[order]]).astype(np.int64)
    first = np.flatnonzero(np.append(True, (keys[:, 1:] != keys[:, :-1]).any(axis=0)))
    users, better, tied = keys[:, first]
    held_out = np.diff(np.append(first, len(ranks)))
    _, user, n_blocks = np.unique(users, return_inverse=True, return_counts=True)
    _, n_held_out = np.unique(ranks.users, return_counts=True)
    first_of_user = np.repeat(first[np.cumsum(n_blocks) - n_blocks], n_blocks)
    above = first - first_of_user
    return HeldOutBlocks(user.astype(np.int64), better + above, tied + held_out, held_out, above, n_held_out)


def expected_hits(blocks: HeldOutBlocks, k: int) -> Float64Array:
    """Returns float64[users], the expected number of held-out items among the first k.

    The sum over blocks of held_out / size times the block's places among the first k.
    """
    inside = blocks.end(k) - blocks.start
    return blocks.per_user(blocks.held_out * inside / blocks.size)
