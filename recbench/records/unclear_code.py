"""Whether somebody else can get the code of a trial from a commit."""

from recbench.records.schema import Record, is_builtin


def why_unclear(record: Record) -> str | None:
    """Returns why no commit is known to hold the code of a trial, as far as its record says; None if one is known."""
    revision = record.revision
    if revision is None:
        if record.no_revision is None:
            return "was run outside of a git repository"
        return f"was run without a git revision: {record.no_revision.rstrip('.')}"
    if revision.dirty:
        reasons = "; ".join(reason.rstrip(".") for reason in revision.reasons or ())
        return f"was run from uncommitted changes{f': {reasons}' if reasons else ''}"
    own = {**record.sources.modules, **record.sources.late_modules}
    if revision.reasons is None and own and not is_builtin(record.reference):
        return "was run by an earlier recbench, which did not check that the commit holds the model's files"
    return None


def how_to_clear(record: Record) -> str:
    """Returns what to do about a record of unclear code."""
    if record.revision is None:
        if record.no_revision:
            return "See what git says: git status. Then repeat the trial: recbench run ... --force"
        return "Repeat the trial in a git repository: recbench run ... --force"
    return "Commit the files, then repeat the trial: recbench run ... --force"
