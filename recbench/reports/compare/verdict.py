"""The words, and marks, for what became of a model."""

from enum import StrEnum


class Verdict(StrEnum):
    """What a comparison says; ``recbench.reports.compare.decision`` has the rules."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
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


MARKS = {
    Verdict.REGRESSED: "-",
    Verdict.IMPROVED: "+",
    Verdict.UNCHANGED: "=",
    Verdict.INCONCLUSIVE: "~",
    Verdict.NOT_COMPARABLE: "!",
    Verdict.FAILED: "x",
    Verdict.MISSING: "x",
    Verdict.NEW: "",
}
