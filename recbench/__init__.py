"""recbench: compare implicit-feedback recommenders on one frozen task, with one clock."""

__version__ = "0.1.0"
