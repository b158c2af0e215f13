"""The rules of a task that is made from ratings of the user's own: filters, split and negatives."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import Field, TypeAdapter

from recbench.arguments import POSITIVE, read_argument
from recbench.errors import RecbenchError, unknown_name
from recbench.tasks.exchange.forms import Order, TooFew
from recbench.tasks.lookup import find_task, load_task
from recbench.tasks.row_order import with_order
from recbench.tasks.spec import (
    Filters,
    LastRows,
    LeaveOneOut,
    Negatives,
    PublishedNegatives,
    PublishedSplit,
    Split,
    TaskSpec,
)
from recbench.tasks.task import Task

Fields = Mapping[str, Any]
"""The fields of a rule, as the table of a task spec names them."""
FIELDS = "The fields of [{}] in a task spec are valid: recbench task show ml-100k --spec"

SPLITS: dict[str, type[Split]] = {get_args(kind.model_fields["method"].annotation)[0]: kind for kind in get_args(Split)}
"""The class of each split method."""
DEFAULT_SPLIT = LeaveOneOut(method="leave-one-out")
DEFAULT_FILTERS = Filters()
DEFAULT_NEGATIVES = Negatives(method="uniform")
_SPLIT: TypeAdapter[Split] = TypeAdapter(Annotated[Split, Field(discriminator="method")])
_NEGATIVES: TypeAdapter[Negatives] = TypeAdapter(Negatives)
_FILTERS: TypeAdapter[Filters] = TypeAdapter(Filters)


@dataclass(frozen=True, slots=True)
class Rules:
    """How to make a task from rows.

    Attributes:
        filters: Which rows to keep.
        split: Which rows to hold out.
        negatives: How to draw the candidates.
    """

    filters: Filters = DEFAULT_FILTERS
    split: Split | PublishedSplit = DEFAULT_SPLIT
    negatives: Negatives | PublishedNegatives = DEFAULT_NEGATIVES

    def with_order(self, order: Order | None) -> "Rules":
        """Returns the rules with another order of the split; None for the same rules.

        Raises:
            RecbenchError: The split does not hold out the last rows of each user.
        """
        if order is None:
            return self
        if not isinstance(self.split, LastRows):
            raise RecbenchError(
                f"--order {order} does not suit the split {self.split.method!r}, which does not hold out last rows.",
                "Leave --order out, or use rules that hold out last rows, such as those of ml-100k-loo.",
            )
        return replace(self, split=with_order(self.split, order))

    def with_too_few(self, too_few: TooFew | None) -> "Rules":
        """Returns the rules with another rule for users with too few negatives; None for the same rules."""
        if too_few is None or not isinstance(self.negatives, Negatives):
            return self
        return replace(self, negatives=self.negatives.model_copy(update={"too_few": too_few}))


def choose_rules(
    split: str | Fields | Split | None = None,
    negatives: int | Fields | Negatives | None = None,
    filters: Fields | Filters | None = None,
    like: str | Path | TaskSpec | Task | None = None,
) -> Rules:
    """Returns the rules that the arguments of ``make_task`` describe.

    Raises:
        RecbenchError: A method does not exist, or a field is missing or out of range; the message names it.
    """
    base = Rules() if like is None else rules_of(spec_like(like))
    return Rules(
        base.filters if filters is None else read_argument("filters", _FILTERS, filters, FIELDS.format("filters")),
        base.split if split is None else _split(split),
        base.negatives if negatives is None else choose_negatives(negatives),
    )


def choose_negatives(negatives: int | Fields | Negatives) -> Negatives:
    """Returns the rule for negatives; a number is a count, drawn uniformly.

    Raises:
        RecbenchError: A field is missing or out of range.
    """
    if isinstance(negatives, Mapping):
        negatives = {"method": "uniform", **negatives}
    elif not isinstance(negatives, Negatives):
        count = read_argument("negatives", POSITIVE, negatives, "For example: negatives=100")
        negatives = Negatives(method="uniform", count=count)
    return read_argument("negatives", _NEGATIVES, negatives, FIELDS.format("negatives"))


def rules_of(spec: TaskSpec, *, same_data: bool = False) -> Rules:
    """Returns the rules of a spec, for other data.

    Args:
        spec: The spec.
        same_data: Whether the rules are used for the data of the spec. Ids of items to drop are dropped only there.
    """
    filters = spec.filters if same_data else spec.filters.model_copy(update={"drop_items": ()})
    return Rules(filters, spec.split, spec.negatives)


def spec_like(like: str | Path | TaskSpec | Task) -> TaskSpec:
    """Returns the spec whose rules to use for other data.

    Raises:
        RecbenchError: There is no such task, or its split was published and follows no rule.
    """
    if isinstance(like, Task):
        spec = like.spec
    elif isinstance(like, TaskSpec):
        spec = like
    else:
        spec = find_task(like).spec or load_task(like).spec
    if isinstance(spec.split, PublishedSplit) or isinstance(spec.negatives, PublishedNegatives):
        raise RecbenchError(
            f"The split of the task {spec.name!r} was published as files, so it is not a rule for other data.",
            "Use a task that was built by rules, such as --like ml-100k-loo. All tasks: recbench task list",
        )
    if spec.replicas is not None:
        raise RecbenchError(
            f"The task {spec.name!r} has {spec.replicas} replicas, and rules for other data are those of one split.",
            "Name a replica, such as SPEC.toml@0, or write a spec for the other data.",
        )
    return spec


def _split(split: str | Fields | Split) -> Split:
    if isinstance(split, str):
        split = {"method": split}
    if not isinstance(split, Mapping):
        return read_argument("split", _SPLIT, split, FIELDS.format("split"))
    method = str(split.get("method"))
    if method not in SPLITS:
        raise unknown_name("split method", method, SPLITS, _example("leave-last-n"))
    return read_argument("split", _SPLIT, split, _example(method))


def _example(method: str) -> str:
    example = SPLITS[method].example
    return f"For example: split={json.dumps({'method': method, **example} if example else method)}"
