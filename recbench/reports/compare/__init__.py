"""The comparison of two sets of records, the verdicts and the gate."""
