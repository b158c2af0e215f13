"""The words, and marks, for what became of a model."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a comparison says; ``recbench.reports.compare.decision`` has the rules.

    ``lower`` and ``higher`` replace ``regressed`` and ``improved`` where BASE is not an ancestor of
    CURRENT: the difference may be due to other people's commits.
    """

    REGRESSED = "regressed"
    IMPROVED = "improved"
    LOWER = "lower"
    HIGHER = "higher"
    UNCHANGED = "unchanged"
    INCONCLUSIVE = "inconclusive"
    NOT_COMPARABLE = "not comparable"
    FAILED = "failed"
    MISSING = "missing"
    NEW = "new"

    @property
    def marked(self) -> str:
        """The word with its mark before it, which is found sooner in a long table."""
        return f"{MARKS[self]} {self.value}".lstrip()

    @property
    def without_cause(self) -> "Verdict":
        """The verdict if the difference may not be due to CURRENT."""
        return {Verdict.REGRESSED: Verdict.LOWER, Verdict.IMPROVED: Verdict.HIGHER}.get(self, self)


MARKS = {
    Verdict.REGRESSED: "!",
    Verdict.IMPROVED: "+",
    Verdict.LOWER: "!",
    Verdict.HIGHER: "!",
    Verdict.UNCHANGED: "=",
    Verdict.INCONCLUSIVE: "~",
    Verdict.NOT_COMPARABLE: "!",
    Verdict.FAILED: "x",
    Verdict.MISSING: "x",
    Verdict.NEW: "",
}
