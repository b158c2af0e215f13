"""The tables of ``models/README.md``, made from the stored results."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tabulate import tabulate

from benchmarks.defaults.configurations import defaults
from benchmarks.defaults.regret import best_values, choose, leave_one_out, regrets, values_of
from benchmarks.defaults.trial_results import FOLDER, Result, configuration_key, newest, read_results
from recbench.builtin_models import builtin_folder
from recbench.errors import RecbenchError

PAGE = builtin_folder() / "README.md"
BEGIN, END = (
    "<!-- The tables of the search for defaults begin. -->",
    "<!-- The tables of the search for defaults end. -->",
)
DASH = "–"


def results_by_model(folder: Path = FOLDER) -> dict[str, list[Result]]:
    """Returns the newest results of each model that has some, in the order of the models' names."""
    read = [newest(read_results(path)) for path in sorted(folder.glob("*.jsonl"))]
    return {results[0].model: results for results in read if results}


def tables(results: Mapping[str, Sequence[Result]], datasets: Sequence[str]) -> str:
    """Returns the tables in Markdown.

    Args:
        results: The results of each model.
        datasets: The datasets in the order of the columns.
    """
    best, own, left_out, trials = [], [], [], []
    for model, all_results in results.items():
        values = values_of(all_results)
        best.append(_row(model, best_values(values), datasets))
        of_default = regrets(values, configuration_key(defaults(model)))
        own.append([*_row(model, of_default, datasets), _mean(of_default)])
        tried = [dataset for dataset in datasets if any(dataset in by_dataset for by_dataset in values.values())]
        chosen = leave_one_out(values, tried)
        regret = chosen.regrets if chosen else {}
        left_out.append([*_row(model, regret, datasets), _mean(regret)])
        count = {dataset: sum(result.dataset == dataset for result in all_results) for dataset in datasets}
        trials.append([model, *(str(count[dataset]) for dataset in datasets)])
    head = ["model", *datasets]
    return "\n\n".join(
        [
            "**Regret of the defaults** (NDCG@10):",
            _table(own, [*head, "mean"]),
            "**Regret on a dataset of the configuration that is chosen on the other datasets** (NDCG@10):",
            _table(left_out, [*head, "mean"]),
            "**Best NDCG@10 of all configurations**, which the regrets refer to:",
            _table(best, head),
            "**Number of trials**:",
            _table(trials, head),
        ]
    )


def chosen_configurations(results: Mapping[str, Sequence[Result]], datasets: Sequence[str]) -> str:
    """Returns, for each model, the configuration of the smallest mean regret and what it changes in the defaults."""
    lines = []
    for model, all_results in results.items():
        values = values_of(all_results)
        tried = [dataset for dataset in datasets if any(dataset in by_dataset for by_dataset in values.values())]
        own = regrets(values, configuration_key(defaults(model)))
        lines.append(f"{model}: regret of the defaults {_text(own)}")
        choice = choose(values, tried)
        if choice is None:
            lines.append(f"  no configuration was tried on all of {', '.join(tried)}")
            continue
        parameters = json.loads(choice.key)
        lines.append(f"  smallest mean regret {_text(choice.regrets)}")
        changed = {name: value for name, value in parameters.items() if value != defaults(model).get(name)}
        lines.append(f"  changes in the defaults: {configuration_key(changed) if changed else 'none'}")
    return "\n".join(lines)


def with_tables(page: str, new: str) -> str:
    """Returns the page with new tables between its two marks.

    Raises:
        RecbenchError: The page lacks a mark.
    """
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise RecbenchError(f"{PAGE} lacks the line {BEGIN!r} or {END!r}.", "Add both lines where the tables belong.")
    return f"{before}{begin}\n\n{new}\n\n{end}{after}"


def _row(model: str, values: Mapping[str, float], datasets: Sequence[str]) -> list[str]:
    return [model, *(f"{values[dataset]:.4f}" if dataset in values else DASH for dataset in datasets)]


def _mean(values: Mapping[str, float]) -> str:
    return f"{sum(values.values()) / len(values):.4f}" if values else DASH


def _text(regret: Mapping[str, float]) -> str:
    return f"{_mean(regret)} ({', '.join(f'{name} {value:.4f}' for name, value in regret.items())})"


def _table(rows: Sequence[Sequence[str]], head: Sequence[str]) -> str:
    return tabulate(rows, head, tablefmt="pipe", disable_numparse=True, colalign=["left", *["right"] * (len(head) - 1)])
