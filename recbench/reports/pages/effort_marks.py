"""What a reader must know of a model's tuning: marks in a column of a table, each explained once below it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from recbench.records.tuned_settings import FEW_TRIALS, ConfigurationOrigin, Provenance
from recbench.tuning.edges import EDGE_SHARE


class Mark(StrEnum):
    """A mark, as the table shows it."""

    DEFAULTS = "= defaults"
    BELOW = "below published"
    EDGE = "edge"
    FEW_TRIALS = "few trials"
    SEARCHES = "searches"


EXPLANATIONS: Final[Mapping[Mark, str]] = {
    Mark.DEFAULTS: "the best configuration is the model's defaults. Only the number of epochs may differ, for it "
    "is the best epoch of the trial.",
    Mark.BELOW: "the result is significantly below a published one: see ↓ in the table of published results.",
    Mark.EDGE: "the value is at the low or the high end of its search space: in the outer "
    f"{100 * EDGE_SHARE:g} % of a range, or at an end of a list of sizes. A wider space may hold a better value.",
    Mark.FEW_TRIALS: f"fewer than {FEW_TRIALS} trials were completed within the budget.",
    Mark.SEARCHES: "the model was searched more than once; in parentheses: trials and seconds of all searches.",
}


def effort_marks(tuning: Provenance, *, is_below: bool) -> dict[Mark, str]:
    """Returns the marks of a tuned model with their texts; unknown facts of older settings give none.

    Args:
        tuning: Where its setting comes from.
        is_below: Whether its result is significantly below a published one.
    """
    is_default = tuning.equals_defaults or tuning.origin is ConfigurationOrigin.DEFAULT
    edges = ", ".join(f"{name} ({edge})" for name, edge in (tuning.at_edge or {}).items())
    total = tuning.effort
    marks = {
        Mark.DEFAULTS: "= defaults" if is_default else "",
        Mark.BELOW: "below published" if is_below else "",
        Mark.EDGE: f"edge: {edges}" if edges else "",
        Mark.FEW_TRIALS: "few trials" if tuning.few_trials else "",
        Mark.SEARCHES: f"{total.searches} searches ({total.trials} trials, {total.seconds:,.0f} s)"
        if total.searches > 1
        else "",
    }
    return {mark: text for mark, text in marks.items() if text}
