"""The builtin models. Each is a file of its own and is imported only when it is to run."""

MODELS = {
    "bpr": "models.bpr:BPR",
    "implicit-bpr": "models.implicit_bpr:ImplicitBPR",
    "ncf": "models.ncf:NeuMF",
    "popularity": "models.popularity:Popularity",
    "random": "models.random_scores:RandomScores",
}
