"""The report of a sweep over one hyper-parameter."""
