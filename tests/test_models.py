from tests.contract import RecommenderContract

OUT_OF_RANGE = [{"factors": 0}, {"epochs": -1}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}]


class TestPopularity(RecommenderContract):
    model = "popularity"
    personalises = False
    uses_seed = False


class TestRandom(RecommenderContract):
    model = "random"
    personalises = False


class TestImplicitBPR(RecommenderContract):
    model = "implicit-bpr"
    parameters = {"epochs": 200, "factors": 8}
    bad_parameters = [*OUT_OF_RANGE, {"regularization": -1.0}]


class TestBPR(RecommenderContract):
    model = "bpr"
    parameters = {"epochs": 60, "factors": 8, "block_size": 8}
    bad_parameters = [*OUT_OF_RANGE, {"regularization": -1.0}, {"block_size": 0}, {"negatives": 0}, {"init_std": 0.0}]


class TestBPRWithItemsOfTheBlockOnly(RecommenderContract):
    """Blocks of one user have fewer pairs than there are items, so that only the items of the pairs are multiplied."""

    model = "bpr"
    parameters = {"epochs": 30, "factors": 8, "block_size": 1, "negatives": 1, "learning_rate": 0.1}
    bad_parameters = TestBPR.bad_parameters


class TestNeuMF(RecommenderContract):
    model = "ncf"
    parameters = {"epochs": 30, "factors": 4, "batch_size": 64}
    bad_parameters = [*OUT_OF_RANGE, {"negatives": 0}, {"batch_size": 0}, {"regularization": -1.0}]
