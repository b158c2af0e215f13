"""Looking for a model's best hyper-parameters on validation cases, with one budget for every model."""
