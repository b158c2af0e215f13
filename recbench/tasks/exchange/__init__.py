"""Import of published splits, and export of tasks for other frameworks."""
