"""Models by name: their classes, their hyper-parameters and the version of their code."""
