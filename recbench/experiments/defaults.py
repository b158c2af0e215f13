"""Defaults of runs that the command line shows in its help. Loads no numeric library."""

from pathlib import Path

DEFAULT_TASK = "ml-100k"
DEFAULT_OUTPUT = Path("results/runs")
"""Folder of the records of runs and sweeps."""

REVISIONS_FOLDER = Path("results/revisions")
"""Folder of the records of commits: a folder for each."""

PUBLISHED_FOLDER = Path("results/published")
"""Folder of what others published, one file per task."""

TUNING_FOLDER = Path("results/tuning")
"""Folder of the storages of tunings."""

N_SEEDS = 3
MAX_SEED = 2**31 - 1
"""The highest seed that every framework takes."""
MAX_SEEDS = 10_000
"""More seeds in one run are taken for a mistake: a plan of all their trials would fill the memory."""

AB_SEEDS = 6
"""Seeds of an A/B comparison: as many pairs as a 95 % confidence interval of their median needs."""
AB_THROUGHPUT_DROP = 0.1
"""The drop of the throughput that is too much in an A/B comparison, whose trials alternate on one machine."""
