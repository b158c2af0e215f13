"""The command line of the search for defaults: see ``benchmarks/defaults/__init__.py``."""

import argparse
import logging
import sys

from benchmarks.defaults.datasets import read_datasets
from benchmarks.defaults.page import PAGE, chosen_configurations, results_by_model, tables, with_tables
from benchmarks.defaults.search import Effort, search
from recbench.errors import RecbenchError, unknown_name
from recbench.experiments.execution import Execution
from recbench.registry.models import find_model, known_models


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.defaults", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("search", help="run the trials that have no result yet")
    for verb in (run, verbs.add_parser("choose", help="print the configuration of the smallest mean regret")):
        verb.add_argument("--models", default="", help="names of models, separated by commas (default: all)")
        verb.add_argument("--datasets", default="", help="names of datasets, separated by commas (default: all)")
    run.add_argument("--configurations", type=int, default=40, help="of each model, on stage 1 (default 40)")
    run.add_argument("--finalists", type=int, default=6, help="of each model, on stage 2 (default 6)")
    run.add_argument("--seconds", type=float, default=600, help="of trials, for each model and dataset (default 600)")
    run.add_argument("--threads", type=int, default=1, help="threads of each trial (default 1)")
    run.add_argument("--jobs", type=int, default=1, help="trials at a time (default 1)")
    verbs.add_parser("document", help="put the tables into models/README.md").add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if the tables are not current"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        return document(arguments.check) if arguments.verb == "document" else run_or_choose(arguments)
    except RecbenchError as error:
        print(f"Error: {error.message}\n{error.hint}", file=sys.stderr)  # noqa: T201
        return 2


def run_or_choose(arguments: argparse.Namespace) -> int:
    datasets = read_datasets()
    for name in filter(None, arguments.datasets.split(",")):
        if name not in [dataset.name for dataset in datasets]:
            raise unknown_name("dataset", name, [dataset.name for dataset in datasets])
    if arguments.datasets:
        datasets = [dataset for dataset in datasets if dataset.name in arguments.datasets.split(",")]
    models = [model_name for model_name in arguments.models.split(",") if model_name] or list(known_models())
    for model in models:
        find_model(model)
    if arguments.verb == "choose":
        chosen = {model: results for model, results in results_by_model().items() if model in models}
        print(chosen_configurations(chosen, [dataset.name for dataset in datasets]))  # noqa: T201
        return 0
    for name in ("configurations", "finalists", "seconds"):
        if getattr(arguments, name) <= 0:
            raise RecbenchError(f"--{name} must be above 0, not {getattr(arguments, name)}.", "See --help.")
    execution = Execution(threads=arguments.threads, jobs=arguments.jobs, timeout=arguments.seconds)
    execution.check()
    effort = Effort(
        configurations=arguments.configurations,
        finalists=arguments.finalists,
        seconds=arguments.seconds,
        execution=execution,
    )
    search(models, datasets, effort, lambda line: print(line, flush=True))  # noqa: T201
    return 0


def document(check: bool) -> int:
    before = PAGE.read_text("utf-8")
    after = with_tables(before, tables(results_by_model(), [dataset.name for dataset in read_datasets()]))
    if check:
        if before != after:
            print(f"{PAGE} is not current: python -m benchmarks.defaults document", file=sys.stderr)  # noqa: T201
        return int(before != after)
    PAGE.write_text(after, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
