"""A note on seeds that were trained with different code, and so should not be averaged."""

from collections.abc import Sequence

from recbench.records.grouping import TrialGroup, group_names


def code_notes(groups: Sequence[TrialGroup]) -> list[str]:
    """Returns a line for each group whose records list a file with different content.

    Args:
        groups: The configurations. Older records list no files, and are not compared.
    """
    return [
        f"Seeds of {name} were trained with different code or data ({', '.join(files)}): train them again with --force."
        for name, group in zip(group_names(groups), groups, strict=True)
        if (files := differing_files(group))
    ]


def differing_files(group: TrialGroup) -> list[str]:
    """Returns the files that differ between the first trial that is done and another."""
    sources = [trial.record.sources for trial in group.done]
    return sorted({file for other in sources[1:] for file in sources[0].differing(other)})
