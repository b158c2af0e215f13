"""Readers of ratings files: one file per format."""
