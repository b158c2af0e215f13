"""The builtin models. Each is a file of its own and is imported only when it is to run."""

MODELS = {
    "als": "recbench_models.als:ImplicitALS",
    "bpr": "recbench_models.bpr:BPR",
    "ease": "recbench_models.ease:EASE",
    "gf-cf": "recbench_models.gf_cf:GFCF",
    "ials": "recbench_models.ials:IALS",
    "implicit-bpr": "recbench_models.implicit_bpr:ImplicitBPR",
    "itemknn": "recbench_models.itemknn:ItemKNN",
    "lightgcn": "recbench_models.lightgcn:LightGCN",
    "mf": "recbench_models.mf:MF",
    "ncf": "recbench_models.ncf:NeuMF",
    "popularity": "recbench_models.popularity:Popularity",
    "random": "recbench_models.random_scores:RandomScores",
    "rp3beta": "recbench_models.rp3beta:RP3Beta",
    "slim": "recbench_models.slim:SLIM",
}
