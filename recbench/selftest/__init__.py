"""Known answers for the harness, and the contract of a model, on any task."""
