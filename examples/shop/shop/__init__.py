"""The recommenders of a made-up shop."""
