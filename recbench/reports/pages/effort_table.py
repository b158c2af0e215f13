"""The part of a leaderboard that says how each model was tuned, and with what effort, in Markdown."""

from collections.abc import Collection, Mapping, Sequence

from recbench.escaping.markdown import code_block
from recbench.escaping.shell import shell_command
from recbench.records.tuned_settings import BEST_SCORES, ConfigurationOrigin, Provenance, TunedModel
from recbench.reports.cost_figures import ESTIMATED
from recbench.reports.formats import Format
from recbench.reports.pages.effort_marks import EXPLANATIONS, effort_marks
from recbench.reports.rendering import render_lines, render_table
from recbench.tuning.objective import Objective

UNKNOWN = "-"


def effort_section(
    tuned: Mapping[str, TunedModel],
    below: Collection[str],
    untuned: Sequence[str],
    notes: Sequence[str],
    commands: Sequence[Sequence[str]],
) -> list[str]:
    """Renders how the models were tuned: their effort, their validation scores, and the commands.

    Args:
        tuned: For each configuration that runs with tuned settings, by its name in tables, these settings.
        below: The names of the configurations whose result is significantly below a published one.
        untuned: The names of all other configurations.
        notes: Further lines below the tables.
        commands: The words of the commands that tuned them.
    """
    tunings = {name: tuning.provenance for name, tuning in tuned.items()}
    lines = ["## How the hyper-parameters were chosen", ""]
    lines += [_effort_table(tunings, below), "", *render_lines(_effort_legend(tunings, below), Format.MARKDOWN), ""]
    lines += [_scores_table(tuned), ""]
    legend = [
        f"defaults, tuned: {_objectives(tunings)} on validation cases. Defaults: after their last epoch. "
        "Tuned: the best of all trials after its best epoch, and so an optimistic figure.",
        *notes,
        *([f"Not tuned: {', '.join(untuned)}."] if untuned else []),
    ]
    lines += [*render_lines(legend, Format.MARKDOWN), ""]
    lines += ["The searches were started like this. A search has a limit of seconds, so another one may end elsewhere."]
    return [*lines, "", *code_block(list(map(shell_command, commands))), ""]


def _effort_table(tunings: Mapping[str, Provenance], below: Collection[str]) -> str:
    has_joules = _has_joules(tunings)
    has_grams = any(tuning.co2_grams_estimate is not None for tuning in tunings.values())
    headers = [
        "model",
        "origin",
        "trials (completed)",
        "time (s)",
        *(["J"] if has_joules else []),
        *([f"CO2 g ({ESTIMATED})"] if has_grams else []),
        "best five trials",
        "marks",
    ]
    rows = [
        [
            name,
            tuning.origin.value if tuning.origin else UNKNOWN,
            f"{tuning.trials.ended} of {tuning.budget_trials} ({tuning.trials.completed})",
            f"{tuning.seconds:,.0f} of {tuning.budget_seconds:,.0f}",
            *([UNKNOWN if tuning.joules is None else f"{tuning.joules:,.0f}"] if has_joules else []),
            *([UNKNOWN if (grams := tuning.co2_grams_estimate) is None else f"{grams:,.3g}"] if has_grams else []),
            _best_scores(tuning),
            _marks(tuning, name in below),
        ]
        for name, tuning in tunings.items()
    ]
    return render_table(rows, headers, f"ll{'r' * (len(headers) - 3)}l", Format.MARKDOWN)


def _marks(tuning: Provenance, is_below: bool) -> str:
    return "; ".join(effort_marks(tuning, is_below=is_below).values()) or (UNKNOWN if _is_old(tuning) else "")


def _is_old(tuning: Provenance) -> bool:
    """Whether an older recbench wrote the setting, which did not keep all facts."""
    return tuning.origin is None


def _has_joules(tunings: Mapping[str, Provenance]) -> bool:
    return any(tuning.joules is not None for tuning in tunings.values())


def _best_scores(tuning: Provenance) -> str:
    """Returns the lowest and the highest of the best scores, and their number if there are fewer than usual."""
    if not tuning.best_scores:
        return UNKNOWN
    highest, lowest = tuning.best_scores[0], tuning.best_scores[-1]
    number = len(tuning.best_scores)
    return f"{lowest:.4f}-{highest:.4f}" + ("" if number == BEST_SCORES else f" ({number})")


def _effort_legend(tunings: Mapping[str, Provenance], below: Collection[str]) -> list[str]:
    lines = [
        "origin: where the best configuration comes from: the model's defaults, a known configuration from other data, "
        "or drawn by the sampler.",
        "trials: all, of the allowed ones; in parentheses the completed ones, without the pruned, the failed and those "
        "that ran out of time. s: seconds of all trials, of the allowed seconds."
        + (" J: joules of the processors during the trials." if _has_joules(tunings) else ""),
        f"best five trials: lowest and highest {_objectives(tunings)} on validation cases. "
        "Their number is in parentheses if it is below five.",
    ]
    present = {mark for name, tuning in tunings.items() for mark in effort_marks(tuning, is_below=name in below)}
    if any(tuning.co2_grams_estimate is not None for tuning in tunings.values()):
        lines.append(
            f"{ESTIMATED}: an estimate, measured joules x mean carbon intensity of the country in CodeCarbon's table."
        )
    lines += [f"{mark}: {text}" for mark, text in EXPLANATIONS.items() if mark in present]
    if any(_is_old(tuning) or (_has_joules(tunings) and tuning.joules is None) for tuning in tunings.values()):
        lines.append(f"{UNKNOWN}: not known; an older recbench did not store it, or the machine has no sensor.")
    lines += [
        f"{name}: the known configuration is from {tuning.known_source}."
        for name, tuning in tunings.items()
        if tuning.origin is ConfigurationOrigin.KNOWN
    ]
    tried: dict[tuple[str, ...], list[str]] = {}
    for name, tuning in tunings.items():
        if tuning.known_tried:
            tried.setdefault(tuning.known_tried, []).append(name)
    lines += [
        f"The search of {', '.join(names)} began with the defaults and with known configurations from: "
        f"{'; '.join(dict.fromkeys(sources))}."
        for sources, names in tried.items()
    ]
    if len({(tuning.budget_trials, tuning.budget_seconds) for tuning in tunings.values()}) > 1:
        lines.append("The models did not have the same budget.")
    return lines


def _scores_table(tuned: Mapping[str, TunedModel]) -> str:
    rows = []
    for name, tuning in tuned.items():
        default = tuning.provenance.default_score
        scores = [UNKNOWN if default is None else f"{default:.4f}", f"{tuning.provenance.validation_score:.4f}"]
        rows.append([name, *scores])
    return render_table(rows, ["model", "defaults", "tuned"], "lrr", Format.MARKDOWN)


def _objectives(tunings: Mapping[str, Provenance]) -> str:
    """Returns what was maximised; with the models of each, if it was not the same for all."""
    by_label: dict[str, list[str]] = {}
    for name, tuning in tunings.items():
        by_label.setdefault(Objective(tuning.objective, tuning.full_ranking).label, []).append(name)
    if len(by_label) == 1:
        return next(iter(by_label))
    return " or ".join(f"{label} ({', '.join(names)})" for label, names in by_label.items())
