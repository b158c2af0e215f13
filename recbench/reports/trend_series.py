"""Which lines of a name's history belong together: what each acceptance replaced, and the series that it is a part of.

Two acceptances of one name may differ in label, hyper-parameters, threads, device and class. Only these decide here;
the texts that tables show for them may be the same for two configurations.
"""

from collections.abc import Sequence

from recbench.records.history import Accepted

Identity = tuple[object, ...]


def configuration(line: Accepted) -> Identity:
    """Returns what two configurations of one name differ in: their figures are never averaged."""
    return line.parameters, line.threads, line.device, line.reference


def identity(line: Accepted) -> Identity:
    """Returns the label and the configuration of a line; a tracked run is not an acceptance under any label."""
    return *_source(line), *configuration(line)


def predecessors(groups: Sequence[Sequence[Accepted]]) -> list[int | None]:
    """Returns the place of what each group continues; None if there is none.

    That is the last group before it under the same label with the same configuration. If there is none, because
    hyper-parameters were changed, it is the group that was accepted last, provided that it and this one have no others
    beside them.

    Args:
        groups: The lines of each acceptance of one name, by time.
    """
    alone = _alone(groups)
    same: dict[Identity, int] = {}
    last: dict[Identity, int] = {}
    places: list[int | None] = []
    for place, (first, *_) in enumerate(groups):
        earlier = last.get(_source(first))
        only = earlier if earlier is not None and alone[earlier] and alone[place] else None
        places.append(same.get(identity(first), only))
        same[identity(first)] = last[_source(first)] = place
    return places


def series(groups: Sequence[Sequence[Accepted]]) -> list[Identity]:
    """Returns the series of each group: its label, and its configuration if the label ever had several side by side.

    Args:
        groups: See ``predecessors``.
    """
    # Uncommitted changes are experiments: they do not split the series of the commits.
    split = {
        _source(group[0])
        for group, is_alone in zip(groups, _alone(groups), strict=True)
        if not is_alone and not (group[0].is_run and _is_dirty(group))
    }
    return [identity(first) if _source(first) in split else _source(first) for first, *_ in groups]


def _alone(groups: Sequence[Sequence[Accepted]]) -> list[bool]:
    """Returns whether each group has no other configuration beside it."""
    beside: dict[Identity, set[Identity]] = {}
    for group in groups:
        beside.setdefault(_moment(group), set()).add(configuration(group[0]))
    return [len(beside[_moment(group)]) == 1 for group in groups]


def _moment(group: Sequence[Accepted]) -> Identity:
    """Returns what configurations beside each other share.

    An acceptance replaces the one before it, at whatever commit. Runs of one commit, such as a sweep, replace nothing,
    although they are tracked one after the other.
    """
    first = group[0]
    commit = (first.sha, _is_dirty(group)) if first.is_run and first.sha else (first.accepted_at,)
    return *_source(first), *commit


def _source(line: Accepted) -> Identity:
    return line.is_run, line.label


def _is_dirty(group: Sequence[Accepted]) -> bool:
    return any(line.is_dirty for line in group)
