"""What changed between BASE and CURRENT besides the figures: hyper-parameters, code, data and versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from recbench.errors import shortened
from recbench.records.schema import ParameterValue, Record, class_identity
from recbench.registry.parameter_values import as_text
from recbench.reports.compare.matching import Match

SHOWN = 5
"""More files or versions than these are counted, not named."""
MOST_CHARACTERS = 80
"""Of a value or a path; the middle of a longer one is left out."""
ABSENT = "absent"


class Kind(StrEnum):
    """What can change."""

    PARAMETERS = "hyper-parameters"
    CLASS = "class"
    CODE = "code"
    DATA = "data"
    VERSIONS = "versions"


@dataclass(frozen=True, slots=True)
class Change:
    """One kind of change of a model.

    Attributes:
        kind: What changed.
        detail: How, by the names that the project uses.
    """

    kind: Kind
    detail: str


def changes_of(match: Match) -> tuple[Change, ...]:
    """Returns what changed between the records of BASE and of CURRENT; empty if one of them has no records.

    Files are compared only if the records of both list any.
    """
    if match.base is None or match.current is None:
        return ()
    old, new = ((group.done or group.trials)[0].record for group in (match.base, match.current))
    details = {
        Kind.PARAMETERS: _parameters(old, new),
        Kind.CLASS: _classes(match),
        Kind.CODE: _code(old, new),
        Kind.DATA: _files(
            {**old.sources.named, **old.sources.data}, {**new.sources.named, **new.sources.data}, _list_files(old, new)
        ),
        Kind.VERSIONS: _versions(old, new),
    }
    return tuple(Change(kind, detail) for kind, detail in details.items() if detail)


def _parameters(old: Record, new: Record) -> str:
    before, after = old.parameters, new.parameters
    texts = [
        f"{name} {_value(before, name)} -> {_value(after, name)}"
        for name in dict.fromkeys([*before, *after])
        if _value(before, name) != _value(after, name)
    ]
    return ", ".join(texts)


def _value(parameters: Mapping[str, ParameterValue], name: str) -> str:
    return shortened(as_text(parameters[name]), MOST_CHARACTERS) if name in parameters else ABSENT


def _classes(match: Match) -> str:
    groups = [group for group in (match.base, match.current) if group]
    classes = dict.fromkeys(class_identity(trial.record.reference) for group in groups for trial in group.trials)
    return ", ".join(classes) if len(classes) > 1 else ""


def _code(old: Record, new: Record) -> str:
    before, after = ({**record.sources.modules, **record.sources.late_modules} for record in (old, new))
    files = _files(before, after, _list_files(old, new))
    if files or None in (old.code_version, new.code_version) or old.code_version == new.code_version:
        return files
    if before or after or old.sources.counts or new.sources.counts:
        return "" if _list_files(old, new) else "files that one of the records does not list"
    return "the source of the class"


def _list_files(old: Record, new: Record) -> bool:
    return bool(old.sources.counts and new.sources.counts)


def _files(before: Mapping[str, str], after: Mapping[str, str], are_listed: bool) -> str:
    if not are_listed:
        return ""
    texts = [
        shortened(path, MOST_CHARACTERS) + ("" if path in before and path in after else word)
        for path in sorted({*before, *after})
        for word in [" (new)" if path in after else " (gone)"]
        if before.get(path) != after.get(path)
    ]
    return _some(texts, "files")


def _versions(old: Record, new: Record) -> str:
    before, after = (
        {"recbench": record.recbench_version, "Python": record.environment.python, **record.environment.packages}
        for record in (old, new)
    )
    changed = [name for name in before if name in after and before[name] != after[name]]
    return _some([f"{name} {before[name]} -> {after[name]}" for name in changed], "packages")


def _some(texts: Sequence[str], kind: str) -> str:
    more = f", and {len(texts) - SHOWN} more {kind}" if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more
