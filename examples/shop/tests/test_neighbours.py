"""The contract of a model, as recbench checks it."""

from recbench.testing import RecommenderContract


class TestNeighbours(RecommenderContract):
    model = "shop.neighbours:Neighbours"
    bad_parameters = [{"shrink": -1.0}]
    uses_seed = False
