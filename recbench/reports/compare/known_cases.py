"""The first metric of a comparison without the cases of items or users without train rows, where these matter."""

from collections.abc import Mapping, Sequence

from recbench.evaluation.metric import Measure
from recbench.records.grouping import TrialGroup
from recbench.reports.compare.evidence import Measured, measure_matches
from recbench.reports.compare.matching import Match
from recbench.reports.new_cases import NewCaseCounts, known_group, new_case_counts


def new_cases_by_task(matches: Sequence[Match]) -> dict[str, NewCaseCounts]:
    """Returns the new cases of each task whose records tell them, by the digest of the task."""
    groups: dict[str, list[TrialGroup]] = {}
    for match in matches:
        for group in (match.current, match.base):
            if group is not None:
                groups.setdefault(group.task.digest, []).append(group)
    counts_by_task = {
        digest: new_case_counts(trial for group in of_task for trial in group.done)
        for digest, of_task in groups.items()
    }
    return {digest: counts for digest, counts in counts_by_task.items() if counts is not None}


def measure_known(
    matches: Sequence[Match],
    paired: Sequence[bool],
    measure: Measure,
    new_cases: Mapping[str, NewCaseCounts],
    resamples: int,
) -> list[Measured | None]:
    """Measures each match on its known cases; None where new cases do not matter.

    Args:
        matches: What BASE and CURRENT have.
        paired: For each match, whether a difference is to be formed.
        measure: The metric, not one of users.
        new_cases: See ``new_cases_by_task``.
        resamples: Of the bootstrap.
    """
    numbers = [
        number
        for number, match in enumerate(matches)
        if match.present.task.digest in new_cases and new_cases[match.present.task.digest].matters
    ]
    known = [Match(*(_known(group, new_cases) for group in (matches[n].base, matches[n].current))) for n in numbers]
    measured = measure_matches(known, [paired[n] for n in numbers], [measure], resamples)
    measured_by_number = dict(zip(numbers, measured, strict=True))
    return [measured_by_number.get(number) for number in range(len(matches))]


def _known(group: TrialGroup | None, new_cases: Mapping[str, NewCaseCounts]) -> TrialGroup | None:
    counts = new_cases.get(group.task.digest) if group else None
    return known_group(group, counts) if group and counts else group
