"""Models in another Python interpreter: the process that runs there, and the link to it."""
