"""The TOML spec of a task: its dataset and its rules."""

import hashlib
import json
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from recbench.data.readers.layout import Form, Layout
from recbench.data.synthetic import SyntheticParameters
from recbench.data.time_column import check_time_form
from recbench.tasks.dates import DateOrNumber
from recbench.tasks.exchange.forms import Order, TooFew, UniformNegatives
from recbench.toml_file import TomlKind

NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
SPEC_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*(@[0-9]{1,2})?$"
"""Also the name of a replica."""
NAME_LENGTH = 100
MAX_REPLICAS = 100
MAX_SEED = 2**63 - 1
MAX_EXPONENT = 308


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Waiver(StrEnum):
    """A rule that a published split breaks, and what the import does about it."""

    POSITIVE_AMONG_NEGATIVES = "positive-among-negatives"
    """A list that holds its own positive among the negatives loses that entry."""
    SEEN_AMONG_NEGATIVES = "seen-among-negatives"
    """A list that holds items that its user interacted with among the negatives loses these entries."""
    COLD_CASES = "cold-cases"
    """Most cases have a user or an item without a train row; they stay."""


class CatalogueData(_Frozen):
    """A dataset of the catalogue."""

    source: Literal["catalogue"]
    name: str


class FileData(_Frozen):
    """A ratings file of the user's own; the path is relative to the spec file. The rest as in ``Layout``."""

    source: Literal["file"]
    path: Path
    user: str | None = None
    item: str | None = None
    rating: str | None = None
    timestamp: str | None = None
    timestamp_format: Annotated[str, AfterValidator(check_time_form)] | None = None
    separator: str | None = None
    form: Form | None = None
    encoding: str = "utf-8"
    member: str | None = None
    skip_bad_rows: bool = False

    def layout(self) -> Layout:
        """Returns all but the path."""
        return Layout(**self.model_dump(exclude={"source", "path"}))


class SyntheticData(SyntheticParameters):
    """Synthetic interactions."""

    source: Literal["synthetic"]


class FrameData(_Frozen):
    """Rows of a DataFrame; only the task keeps them, so it cannot be built again from its spec."""

    source: Literal["dataframe"]


PublishedForm = Literal["ncf", "lightgcn", "recbole", "pairs"]
"""Whose form the files of a published split have."""


class PublishedData(_Frozen):
    """A published split, possibly with candidates; it is read, not built."""

    source: Literal["published"]
    form: PublishedForm


class Weights(StrEnum):
    """What models are given as ratings."""

    RATINGS = "ratings"
    """The ratings, counts or other strengths of the data."""
    NONE = "none"
    """Nothing: models only learn that there was an interaction."""
    LOG = "log"
    """log2(1 + rating), rounded to 1/1024 so that every platform has the same; for counts."""


class Repeated(StrEnum):
    """What becomes of rows that repeat a (user, item) pair.

    "First" and "last" are in time; of rows with the same time, the lower rating is the first. Without times, they are
    in the order of the file.
    """

    FIRST = "first"
    """The first of them is kept."""
    LAST = "last"
    """The last of them is kept."""
    COUNT = "count"
    """One row is kept, rated with their number."""
    SUM = "sum"
    """One row is kept, rated with the sum of their ratings."""


class Filters(_Frozen):
    """Which rows are kept; in this order.

    Attributes:
        drop_items: Original ids of items whose rows are dropped.
        since: Drop rows before this time: a date, or a number in the unit of the data's times.
        until: Drop rows at this time or later.
        repeated: What becomes of rows that repeat a (user, item) pair. A row that stands for several has the latest
            of their times, and the place of the last of them.
        min_rating: Rows rated lower are dropped.
        sample_users: How many users to keep, drawn at random; None for all.
        sample_seed: Seed of that draw.
        k_core: Users and items with fewer rows are dropped, repeatedly, until none is left with fewer.
        weights: How the ratings of the kept rows are transformed.
    """

    drop_items: tuple[str, ...] = ()
    since: DateOrNumber | None = None
    until: DateOrNumber | None = None
    repeated: Repeated = Repeated.FIRST
    min_rating: float | None = None
    sample_users: int | None = Field(default=None, ge=1)
    sample_seed: int = Field(default=0, ge=0, le=MAX_SEED)
    k_core: int = Field(default=1, ge=1)
    weights: Weights = Weights.RATINGS

    @property
    def keeps_repeated(self) -> bool:
        """Whether readers keep all rows of a pair, because the filters merge them.

        Of the filters before ``repeated``, only ``since`` can drop the first row of a pair and keep a later one.
        """
        return self.repeated is not Repeated.FIRST or self.since is not None


FIRST_FILTERS = ("drop_items", "min_rating", "k_core")
"""Filters in every digest; later filters enter it only if they are set, so that older digests do not change."""


def _check_seed(split: "LastRows") -> "LastRows":
    if split.seed is not None and split.order not in (None, Order.RANDOM):
        raise ValueError('seed needs order = "random"')
    return split


class LeaveLastFraction(_Frozen):
    """Holds out the last ceil(fraction * rows) rows of each user.

    Attributes:
        order: What "last" means; None where it is open: see ``recbench.tasks.row_order``.
        seed: Seed of a random order; None for 0.
    """

    example: ClassVar[dict[str, object]] = {"fraction": 0.2}
    method: Literal["leave-last-fraction"]
    fraction: Decimal = Field(gt=0, lt=1, max_digits=10, decimal_places=9)
    order: Order | None = None
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)

    _seed_goes_with_order = model_validator(mode="after")(_check_seed)


class LeaveOneOut(_Frozen):
    """Holds out the last row of each user; ``order`` and ``seed`` as in ``LeaveLastFraction``."""

    example: ClassVar[dict[str, object]] = {}
    method: Literal["leave-one-out"]
    order: Order | None = None
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)

    _seed_goes_with_order = model_validator(mode="after")(_check_seed)


class LeaveLastN(_Frozen):
    """Holds out the last n rows of each user; of a user with n rows or fewer, all but one.

    ``order`` and ``seed`` as in ``LeaveLastFraction``.
    """

    example: ClassVar[dict[str, object]] = {"n": 3}
    method: Literal["leave-last-n"]
    n: int = Field(ge=1)
    order: Order | None = None
    seed: int | None = Field(default=None, ge=0, le=MAX_SEED)

    _seed_goes_with_order = model_validator(mode="after")(_check_seed)


LastRows = LeaveOneOut | LeaveLastN | LeaveLastFraction
"""The rules that hold out the last rows of each user."""


class RandomFraction(_Frozen):
    """Holds out ceil(fraction * rows) rows of each user, drawn at random."""

    example: ClassVar[dict[str, object]] = {"fraction": 0.2, "seed": 0}
    method: Literal["random-fraction"]
    fraction: Decimal = Field(gt=0, lt=1, max_digits=10, decimal_places=9)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)


class GlobalTime(_Frozen):
    """Holds out the rows of all users from one time on.

    Attributes:
        at: The time: a date, or a number in the unit of the data's times.
        fraction: Instead of ``at``: the time from which on this share of the rows lies, rows at that time included.
        unknown: What to do with later rows whose user or item has no earlier row. ``drop`` leaves them out: they are
            not cases, and such users and items are not in the task. ``keep`` makes them cases.
    """

    example: ClassVar[dict[str, object]] = {"fraction": 0.1}
    method: Literal["global-time"]
    at: DateOrNumber | None = None
    fraction: Decimal | None = Field(default=None, gt=0, lt=1, max_digits=10, decimal_places=9)
    unknown: Literal["drop", "keep"] = "drop"

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if (self.at is None) == (self.fraction is None):
            raise ValueError("set either at or fraction")
        return self


Split = LastRows | RandomFraction | GlobalTime
"""A rule that holds rows out; the ``example`` of each is what hints show besides its method."""


class PublishedSplit(_Frozen):
    """The split came with the data.

    Validation: a train row of each user, the last by time if the rows have times, else one drawn at random: published
    files are often sorted by item, and then the last row is not like the others.

    Attributes:
        validation_share: Validation holds out ceil(validation_share * rows) train rows of each user instead of one.
    """

    method: Literal["published"]
    validation_share: Decimal | None = Field(default=None, gt=0, lt=1, max_digits=10, decimal_places=9)


class Negatives(_Frozen):
    """How a case's negatives are drawn: without replacement, from the items the user never interacted with.

    Attributes:
        method: All such items alike, or by their number of interactions.
        count: Negatives a case.
        seed: Seed of the draw.
        too_few: What to do with users who do not have so many. Unset: leave them out with a warning, but refuse the
            data if they are more than half of the users with a case.
    """

    method: Literal["uniform", "popularity"]
    count: int = Field(default=100, ge=1)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    too_few: TooFew | None = None


class Uniformity(_Frozen):
    """Whether the negatives of the test cases are uniform, and how recbench knows.

    Attributes:
        uniform: The answer.
        source: recbench has drawn the negatives itself, the user has declared it, or a test has decided.
        tested: What the test says, whatever the user declared; None without a test.
        p_uniform: p of the chi-square test of uniform draws; None without a test, or with too few negatives for it.
        p_popularity: p of the chi-square test of draws by popularity.
    """

    uniform: UniformNegatives
    source: Literal["drawn", "declared", "tested"]
    tested: UniformNegatives | None = None
    p_uniform: float | None = Field(default=None, ge=0, le=1)
    p_popularity: float | None = Field(default=None, ge=0, le=1)


class PublishedNegatives(_Frozen):
    """The negatives came with the data. Those of the validation cases are drawn uniformly, ``count`` a case.

    Attributes:
        method: Marks the rule.
        count: Negatives a case.
        seed: Seed of the validation negatives.
        uniformity: Whether the published negatives are uniform. None in task files of older versions. It shapes no
            array, so neither the digest nor the name of a file covers it.
    """

    method: Literal["published"]
    count: int = Field(ge=1)
    seed: int = Field(default=0, ge=0, le=MAX_SEED)
    uniformity: Uniformity | None = None


UNSET_RULES = (("negatives", "too_few"), ("split", "seed"), ("split", "validation_share"))
"""Later rules of a part, which enter digests only if they are set."""


class TaskSpec(_Frozen):
    """Everything that determines a task.

    Attributes:
        name: The task's name.
        description: One line for readers.
        dataset: Where the rows come from.
        filters: Which rows are kept.
        split: Which rows are held out.
        negatives: How candidates are drawn.
        waivers: Rules that published candidates are allowed to break.
        digest: The digest that the built task must have; None where it is not pinned.
        replicas: How many splits to draw; None for one. Each is a task of its own, see ``replica``.
    """

    name: str = Field(pattern=SPEC_NAME_PATTERN, max_length=NAME_LENGTH)
    description: str = ""
    dataset: Annotated[
        CatalogueData | FileData | SyntheticData | FrameData | PublishedData, Field(discriminator="source")
    ]
    filters: Filters = Filters()
    split: Annotated[Split | PublishedSplit, Field(discriminator="method")]
    negatives: Annotated[Negatives | PublishedNegatives, Field(discriminator="method")]
    waivers: tuple[Waiver, ...] = ()
    digest: str | None = Field(default=None, pattern=r"^sha256:[0-9a-f]{64}$")
    replicas: int | None = Field(default=None, ge=2, le=MAX_REPLICAS)

    @model_validator(mode="after")
    def _can_be_drawn_again(self) -> Self:
        if self.replicas is None:
            return self
        if isinstance(self.split, PublishedSplit) or isinstance(self.negatives, PublishedNegatives):
            raise ValueError("a published split exists only once, so it has no replicas; remove replicas")
        if self.digest is not None:
            raise ValueError("each replica has a digest of its own; remove digest")
        if "@" in self.name:
            raise ValueError("name@number is the name of a replica, which has no replicas; change name")
        if max(self.negatives.seed, getattr(self.split, "seed", None) or 0) > MAX_SEED - self.replicas:
            raise ValueError("the seeds of the replicas would be too large; use smaller seeds")
        return self

    def replica(self, number: int) -> "TaskSpec":
        """Returns the spec of a replica: the same rules, with ``number`` added to the seeds of split and negatives.

        So replica 0 has the digest of the task without replicas. The data and the filters do not vary.

        Args:
            number: 0 .. ``replicas`` - 1.
        """
        split = self.split
        drawn = isinstance(split, RandomFraction) or getattr(split, "order", Order.FILE) in (None, Order.RANDOM)
        if drawn and number:
            split = split.model_copy(update={"seed": (getattr(split, "seed", None) or 0) + number})
        negatives = self.negatives.model_copy(update={"seed": self.negatives.seed + number})
        name = f"{self.name}@{number}"
        return self.model_copy(update={"name": name, "split": split, "negatives": negatives, "replicas": None})

    def rules(self) -> str:
        """Returns the canonical text of what shapes the arrays: not names, descriptions, paths or the pinned digest."""
        content = self.model_dump(mode="json", include={"filters", "split", "negatives", "waivers"})
        unset = Filters().model_dump(mode="json")
        content["filters"] = {
            name: value for name, value in content["filters"].items() if name in FIRST_FILTERS or value != unset[name]
        }
        content["negatives"].pop("uniformity", None)
        for name in ("fraction", "validation_share"):
            if (fraction := getattr(self.split, name, None)) is not None:
                content["split"][name] = str(fraction.normalize())
        for part, name in UNSET_RULES:
            if content[part].get(name) is None:
                content[part].pop(name, None)
        return json.dumps(content, sort_keys=True, separators=(",", ":"))

    def fingerprint(self) -> str:
        """Returns a hash of the whole spec, for naming its file in the cache; rules that are unset do not enter it."""
        unset: dict[str, Any] = {"negatives": {"uniformity"}, "replicas": True}
        unset |= {} if self.filters.keeps_repeated else {"filters": {"repeated"}}
        for part, name in UNSET_RULES:
            if getattr(getattr(self, part), name, None) is None:
                unset.setdefault(part, set()).add(name)
        spec = self
        if isinstance(self.split, LeaveOneOut | LeaveLastN) and self.split.order is None:
            # An open order was by timestamp in older versions: the files in the cache keep their names.
            spec = self.model_copy(update={"split": self.split.model_copy(update={"order": Order.TIMESTAMP})})
        return hashlib.sha256(spec.model_dump_json(exclude=unset).encode()).hexdigest()


def exact_number(text: str) -> Decimal:
    """Reads a number exactly, within bounds: 1e999999999 as a whole number would take all memory."""
    value = Decimal(text)
    if abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"the number {text[:40]} is out of range")
    return value


SPEC_FILE = TomlKind(
    "task spec", if_broken="A spec to start from: 'recbench task show ml-100k --spec'.", parse_float=exact_number
)


def read_spec(path: Path) -> TaskSpec:
    """Reads a spec file; a relative path of a ratings file is taken from the spec's folder.

    Raises:
        RecbenchError: The file is missing, is not TOML, or breaks the schema; the message names each field.
    """
    spec = SPEC_FILE.load(path, TaskSpec)
    if isinstance(spec.dataset, FileData):
        whole = spec.dataset.model_copy(update={"path": (path.parent / spec.dataset.path).absolute()})
        spec = spec.model_copy(update={"dataset": whole})
    return spec


def parse_spec(text: str, where: str) -> TaskSpec:
    """Parses the text of a spec; ``where`` names it in errors.

    Raises:
        RecbenchError: It is not TOML, or breaks the schema; the message names each field.
    """
    return SPEC_FILE.check(SPEC_FILE.parse(text, where), TaskSpec, where)
