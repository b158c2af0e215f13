"""Reports of a suite: several tasks and one set of models."""
