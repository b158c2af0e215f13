"""The options that say how a ratings file is laid out; shared by the verbs that read one."""

from typing import Annotated

import typer

from recbench.data.readers.layout import Form

UserColumn = Annotated[str | None, typer.Option("--user-column", help="Column of user ids: a name, or 1, 2, ...")]
ItemColumn = Annotated[str | None, typer.Option("--item-column", help="Column of item ids.")]
RatingColumn = Annotated[
    str | None, typer.Option("--rating-column", help="Column of ratings, or of counts; '' for none.")
]
TimestampColumn = Annotated[
    str | None, typer.Option("--timestamp-column", help="Column of times: whole numbers, or dates as ISO 8601.")
]
TimestampFormat = Annotated[
    str | None,
    typer.Option(
        "--timestamp-format",
        metavar="FORMAT",
        help="Form of the times: a pattern such as '%d.%m.%Y %H:%M', or what they count since 1970: seconds, "
        "milliseconds, microseconds, nanoseconds; 'order' if they only give an order. Default: detected.",
    ),
]
Separator = Annotated[
    str | None, typer.Option(help="What stands between two columns, one character or more. Default: found out.")
]
FileForm = Annotated[Form | None, typer.Option("--form", help="What the file is made of. Default: found out.")]
Encoding = Annotated[str, typer.Option(help="Encoding of the text, such as latin-1.")]
Member = Annotated[str | None, typer.Option(help="Which file of a zip archive. Default: the only one.")]
SkipBadRows = Annotated[
    bool, typer.Option("--skip-bad-rows", help="Leave out, and count, rows that cannot be read, instead of refusing.")
]
