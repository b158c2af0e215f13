"""Training on blocks of users whose rows share a pool of negatives."""

from .block_training import Settings
from .losses import shared_softmax
from .pooled_blocks import Met, PooledTraining, Slopes
from .tensorflow_alone import tf
from .tracing import compiled
from .user_blocks import UserBlocks


class SharedNegativesTraining(PooledTraining):
    """The whole pool is the negatives of all rows of the block, without those that a row's user has interacted with."""

    def __init__(self, settings: Settings, blocks: UserBlocks, n_items: int) -> None:
        super().__init__(settings, blocks, n_items, settings.shared_negatives)

    def _slopes(
        self,
        positives: tf.Tensor,
        scores: tf.Tensor,
        users: tf.Tensor,
        counts: tf.Tensor,
        met: Met,
    ) -> Slopes:
        return _softmax_slopes(positives, scores, users, counts, met)


@compiled
def _softmax_slopes(positives: tf.Tensor, scores: tf.Tensor, users: tf.Tensor, counts: tf.Tensor, met: Met) -> Slopes:
    size, pool_size = scores.shape
    seen = tf.reshape(met.places.seen, [size, pool_size + 1])
    # An item that was drawn several times counts several times in one slot: to look up for each repetition whether
    # a user has seen it would take longer than all exponentials.
    draws = tf.where(seen[:, :pool_size], 0.0, met.places.draws)
    some = tf.gather(tf.reduce_max(draws, 1) > 0, users)
    counts = tf.where(met.there & some, counts, 0.0)
    loss, down, slopes = shared_softmax(positives, scores, draws, users, counts)
    skipped = tf.reduce_sum(tf.cast(met.there & ~some, tf.int32))
    return Slopes(loss / tf.maximum(tf.reduce_sum(tf.sign(counts)), 1.0), down, slopes, counts, skipped)
