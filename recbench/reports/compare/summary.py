"""The summary of a CI job: the comment, and a picture of the models that changed.

The picture is a Mermaid chart in a block of code. GitHub and GitLab draw it. They do not show SVG data: they remove
images whose address is data.
"""

import json
from collections.abc import Sequence
from typing import Final

from recbench.escaping.mermaid import MOST_CHARACTERS, mermaid_text
from recbench.reports.compare.comment import comment
from recbench.reports.compare.comparison import Compared
from recbench.reports.compare.gate import GateReport
from recbench.reports.formats import Format

MOST_MODELS: Final = 10
"""Models of a chart: those that changed, or all if none did."""
COLOUR: Final = "#0969da"
"""Of the bars: it stands out on light and dark pages."""
AROUND, OF_BAR = 110, 34
"""Pixels of a chart beside its bars, and of a bar."""


def gate_summary(reports: Sequence[GateReport]) -> str:
    """Returns the comments of gates in Markdown, each with a chart of its first gated metric.

    Args:
        reports: The gates.
    """
    blocks = []
    for report in reports:
        blocks += [comment(report, Format.MARKDOWN), *(["\n".join(chart)] if (chart := _chart(report)) else [])]
    return "\n\n".join(blocks) + "\n"


def _chart(report: GateReport) -> list[str]:
    """Returns bars of BASE and CURRENT; nothing if there are no two figures to show."""
    decided = report.decided
    metric = next((name for name in decided.comparison.metrics if name in decided.policy.gated_metrics), None)
    if metric is None:
        return []
    measured = [model for model in decided.comparison.models if metric in model.measured.evidence]
    shown = ([model for model in measured if model in report.changed] or measured)[:MOST_MODELS]
    if not shown:
        return []
    bars = [bar for model in shown for bar in _bars(report, model, metric)]
    label = decided.comparison.label(metric)
    return [
        "```mermaid",
        f"%%{{init: {json.dumps(_settings(len(bars)))}}}%%",
        "xychart-beta horizontal",
        f"  title {mermaid_text(f'{label} of baseline and current')}",
        f"  x-axis [{', '.join(mermaid_text(name) for name, _ in bars)}]",
        f"  y-axis {mermaid_text(label)} 0 --> {max(max(value for _, value in bars), 1e-4):.4f}",
        f"  bar [{', '.join(f'{value:.4f}' for _, value in bars)}]",
        "```",
    ]


def _settings(n_bars: int) -> dict[str, object]:
    size = {"width": 800, "height": AROUND + OF_BAR * n_bars}
    return {"xyChart": size, "themeVariables": {"xyChart": {"plotColorPalette": COLOUR}}}


def _bars(report: GateReport, model: Compared, metric: str) -> list[tuple[str, float]]:
    name = report.decided.comparison.named(model)
    base, current = model.measured.base[metric].spread.mean, model.measured.current[metric].spread.mean
    return [(_bar_name(name, "baseline", base), base), (_bar_name(name, "current", current), current)]


def _bar_name(name: str, side: str, value: float) -> str:
    room = MOST_CHARACTERS - len(f" {side} 0.0000")
    short = name if len(name) <= room else f"{name[: room - 3]}..."
    return f"{short} {side} {value:.4f}"
