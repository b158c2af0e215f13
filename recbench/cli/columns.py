"""The options that name the columns of a ratings file; shared by the verbs that read one."""

from typing import Annotated

import typer

UserColumn = Annotated[str | None, typer.Option("--user-column", help="Column of user ids: a name, or 1, 2, ...")]
ItemColumn = Annotated[str | None, typer.Option("--item-column", help="Column of item ids.")]
RatingColumn = Annotated[str | None, typer.Option("--rating-column", help="Column of ratings.")]
TimestampColumn = Annotated[str | None, typer.Option("--timestamp-column", help="Column of times, as numbers.")]
Separator = Annotated[str | None, typer.Option(help="What stands between two columns. Default: found out.")]
