"""Cases of users or items without a train row: how many, and whether their ids are only written in another form."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from recbench.data.id_forms import difference, other_forms
from recbench.data.ids import IdTable
from recbench.data.rows import Rows
from recbench.errors import RecbenchError
from recbench.tasks.spec import Waiver

log = logging.getLogger(__name__)

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class ColdCases:
    """The cases whose user, or whose item, has no train row.

    Attributes:
        kind: ``user`` or ``item``.
        cold: bool[cases].
        misspelt: bool[cases], those of them whose id stands in train in another form.
        example: Such an id and its form in train; None if there is none.
    """

    kind: str
    cold: Bools
    misspelt: Bools
    example: tuple[str, str] | None

    def __str__(self) -> str:
        article = "an" if self.kind == "item" else "a"
        text = f"{int(self.cold.sum()):,} of {len(self.cold):,} cases have {article} {self.kind} that has no train row"
        if self.example is None:
            return text
        own, other = self.example
        return (
            f"{text}; in {int(self.misspelt.sum()):,} of them it has train rows under another id: {own!r} and "
            f"{other!r} differ only by {difference(other, own)}"
        )


def cold_cases(train: Rows, test: Rows, user_ids: IdTable, item_ids: IdTable) -> list[ColdCases]:
    """Returns the cold cases of users and of items, where there are any."""
    cases_by_column = [
        _of_column("user", train.users, test.users, user_ids),
        _of_column("item", train.items, test.items, item_ids),
    ]
    return [cases for cases in cases_by_column if cases.cold.any()]


def _of_column(kind: str, train: npt.NDArray[np.int32], test: npt.NDArray[np.int32], ids: IdTable) -> ColdCases:
    known = np.zeros(len(ids), dtype=np.bool_)
    known[train] = True
    cold = ~known[test]
    misspelt = np.zeros(len(ids), dtype=np.bool_)
    example = None
    if cold.any():
        texts = list(ids)
        numbers = {texts[number]: number for number in np.unique(test[cold]).tolist()}
        for own, other in other_forms(numbers, [texts[number] for number in np.flatnonzero(known).tolist()]):
            misspelt[numbers[own]] = True
            example = example or (own, other)
    return ColdCases(kind, cold, cold & misspelt[test], example)


def refuse_misspelt(cases: Iterable[ColdCases]) -> None:
    """Checks that most cases are not cold only because ids are written in several forms.

    Raises:
        RecbenchError: They are.
    """
    for of_kind in cases:
        if of_kind.misspelt.mean() > 0.5:
            raise RecbenchError(f"{of_kind}.", f"Write the {of_kind.kind} ids in one form.")


def refuse_cold(cases: list[ColdCases], waivers: Iterable[Waiver]) -> None:
    """Warns of cold cases, and refuses a published split in which most cases are cold.

    Raises:
        RecbenchError: Most cases are cold, and there is no waiver.
    """
    refuse_misspelt(cases)
    if not cases:
        return
    if np.logical_or.reduce([of_kind.cold for of_kind in cases]).mean() > 0.5 and Waiver.COLD_CASES not in waivers:
        raise RecbenchError(
            f"Most cases are cold, so that no model can know their user or their item: {'; '.join(map(str, cases))}.",
            "Give the train and test rows of one split, with ids in one form. "
            f"If the cases are meant to be cold: --waive {Waiver.COLD_CASES}, in Python "
            f'waivers=["{Waiver.COLD_CASES}"].',
        )
    for of_kind in cases:
        log.warning("%s: no model can know it.", of_kind)
