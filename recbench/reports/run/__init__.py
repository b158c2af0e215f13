"""The report of one run: summaries, the table, the pairs of models and the JSON document."""
