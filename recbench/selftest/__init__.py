"""Known answers for the harness on a task of the user's own, and the contract of a model on it."""
