"""Frozen tasks: from interactions and a spec to train rows, cases and candidates with a digest."""
