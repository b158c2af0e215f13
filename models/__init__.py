"""The builtin models. Each is a file of its own and is imported only when it is to run."""

MODELS = {
    "als": "models.als:ImplicitALS",
    "bpr": "models.bpr:BPR",
    "ease": "models.ease:EASE",
    "ials": "models.ials:IALS",
    "implicit-bpr": "models.implicit_bpr:ImplicitBPR",
    "itemknn": "models.itemknn:ItemKNN",
    "lightgcn": "models.lightgcn:LightGCN",
    "mf": "models.mf:MF",
    "ncf": "models.ncf:NeuMF",
    "popularity": "models.popularity:Popularity",
    "random": "models.random_scores:RandomScores",
    "slim": "models.slim:SLIM",
}
