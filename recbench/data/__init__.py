"""From a ratings file to dense, duplicate-free interactions."""
