"""The same model in several frameworks: quality, speed and memory, with one clock and one budget of tuning.

    recbench env create cornac                 # each framework that should take part
    python -m benchmarks.frameworks            # ml-100k; writes results/frameworks.md
    python -m benchmarks.frameworks --trials 60 --budget 900 --seeds 5 --task ml-100k

All implementations are tuned on validation cases with the same number of trials and seconds. Then each is trained with
each seed, in turns: all models with the first seed, then all with the second. Frameworks without an environment are
left out, and the page names them.
"""

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

import recbench
from recbench.errors import RecbenchError
from recbench.experiments.environments import State, environments
from recbench.experiments.results import Run
from recbench.records.schema import Record

KINDS: Final = {
    "BPR-MF": [
        "bpr",
        "cornac:BPR",
        "implicit:BayesianPersonalizedRanking",
        "recbole:BPR",
        "rectools:ImplicitBPRWrapperModel",
    ],
    "iALS": [
        "ials",
        "als",
        "implicit:AlternatingLeastSquares",
        "irspack:IALSRecommender",
        "lenskit:ImplicitMFScorer",
        "rectools:ImplicitALSWrapperModel",
    ],
    "EASE": [
        "ease",
        "cornac:EASE",
        "irspack:DenseSLIMRecommender",
        "lenskit:EASEScorer",
        "recbole:EASE",
        "rectools:EASEModel",
    ],
    "NeuMF": ["ncf", "cornac:NeuMF", "recbole:NeuMF"],
    "ItemKNN": [
        "itemknn",
        "cornac:ItemKNN",
        "implicit:CosineRecommender",
        "irspack:CosineKNNRecommender",
        "lenskit:ItemKNNScorer",
        "recbole:ItemKNN",
        "rectools:ImplicitItemKNNWrapperModel",
    ],
}
"""The implementations of each model, the builtin ones first."""
HEADERS: Final = (
    "model",
    "HR@10",
    "95 %",
    "NDCG@10",
    "interactions/s",
    "s to best peer",
    "peak memory (MB)",
    "settings",
)


@dataclass(frozen=True)
class Row:
    """A row of the table."""

    name: str
    hr: float
    low: float
    high: float
    ndcg: float
    speed: float | None
    seconds: float | None
    memory: float
    settings: str


def rows_of(run: Run, changed: dict[str, dict[str, Any]]) -> list[Row]:
    """Returns the rows of one kind of model."""
    rows, documents = [], [one for one in run.document()["results"] if one["status"] == "done"]
    best = {one["name"]: one["metrics"]["hr@10"]["mean"] for one in documents}
    for one in documents:
        peers = [hr for name, hr in best.items() if name != one["name"] and ":" in name]
        records = [Record.model_validate_json(Path(path).read_bytes()) for path in one["records"]]
        interval = one["metrics"]["hr@10"]["interval"]
        speed = one["interactions_per_second"]
        rows.append(
            Row(
                one["name"],
                best[one["name"]],
                *interval,
                one["metrics"]["ndcg@10"]["mean"],
                None if speed is None else speed["mean"],
                seconds_to(max(peers), records) if peers else None,
                max(record.process_peak_rss_bytes or 0 for record in records) / 1e6,
                ", ".join(f"{name}={short(value)}" for name, value in changed.get(one["model"], {}).items()),
            )
        )
    return sorted(rows, key=lambda row: -row.hr)


def seconds_to(target: float, records: list[Record]) -> float | None:
    """Returns the mean seconds of training until HR@10 reaches the target; None unless every seed reaches it."""
    reached = []
    for record in records:
        points = [(point.fit_seconds, point.metrics["hr@10"]) for point in record.curve]
        points.append((record.fit_seconds, record.metrics["hr@10"].mean))
        first = next((seconds for seconds, hr in points if hr is not None and hr >= target), None)
        if first is None:
            return None
        reached.append(first)
    return fmean(reached)


def differences(run: Run) -> list[str]:
    """Returns a line for each pair of implementations whose HR@10 differs significantly."""
    pairs = run.pairs()
    pairs = pairs[(pairs["metric"] == "hr@10") & (pairs["p_holm"] < 0.05)]
    return [
        f"- {pair.first} - {pair.second}: {pair.difference:+.4f} ({pair.low:+.4f} to {pair.high:+.4f})"
        for pair in pairs.itertuples()
    ]


def short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def cell(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def table(rows: list[Row]) -> list[str]:
    lines = [f"| {' | '.join(HEADERS)} |", "|---" * len(HEADERS) + "|"]
    for row in rows:
        cells = [row.name, f"{row.hr:.4f}", f"{row.low:.3f}-{row.high:.3f}", f"{row.ndcg:.4f}", cell(row.speed, ",.0f")]
        cells += [cell(row.seconds, ".2f"), f"{row.memory:,.0f}", row.settings]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--task", default="ml-100k")
    parser.add_argument("--trials", type=int, default=30, help="trials of the tuning of each model (30)")
    parser.add_argument("--budget", type=float, default=600, help="seconds of the tuning of each model (600)")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each model (3)")
    parser.add_argument("--kinds", default=",".join(KINDS), help=f"kinds of models ({','.join(KINDS)})")
    parser.add_argument("--work", default=None, help="folder of trials and records, to resume; a temporary one")
    parser.add_argument("-o", "--output", default="results/frameworks.md")
    options = parser.parse_args()
    work = Path(options.work or tempfile.mkdtemp(prefix="recbench-frameworks-"))
    found = environments()
    ready = {one.lock.name for one in found if one.state is State.READY}
    tuned = {"task": options.task, "budget": options.budget, "trials": options.trials}
    versions = {one.lock.name: one.lock.version for one in found}
    lines = [
        f"# The same models in several frameworks: {options.task}",
        "",
        f"Tuned with up to {options.trials} trials and {options.budget:g} s per implementation; {options.seeds} seeds, "
        "in turns. 95 %: confidence interval over users. s to best peer: seconds of training to the HR@10 of the "
        "best implementation of another framework; -: never, in some seed. Peak MB: memory of a trial's processes.",
        "",
        "Versions: " + ", ".join(f"{name} {version}" for name, version in versions.items() if name in ready) + ".",
    ]
    if left_out := sorted(versions.keys() - ready):
        lines.append(f"Without an environment, and left out: {', '.join(left_out)}.")
    for kind in options.kinds.split(","):
        models = [one for one in KINDS[kind] if ":" not in one or one.partition(":")[0] in ready]
        settings = work / f"{kind}.toml"
        try:
            tuning = recbench.tune(models, **tuned, storage=work / f"{kind}.db", output=settings, force=True)
        except RecbenchError as error:
            lines += ["", f"## {kind}", "", f"Not measured: {error.message}"]
            continue
        run = recbench.run(
            models,
            options.task,
            seeds=options.seeds,
            settings=str(settings),
            curve="all",
            output=work / kind,
        )
        lines += ["", f"## {kind}", "", *table(rows_of(run, tuning.settings))]
        failed = sorted({f"{one.record.model}: {one.record.error}" for one in run.failed})
        lines += ["", *(f"Failed: {one}" for one in failed)] if failed else []
        lines += ["", "Significant differences of HR@10 (Holm over all pairs):", "", *(differences(run) or ["none"])]
    Path(options.output).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"Wrote {options.output}; trials and records: {work}")  # noqa: T201


if __name__ == "__main__":
    main()
