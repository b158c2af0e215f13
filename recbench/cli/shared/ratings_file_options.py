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
Separator = Annotated[str | None, typer.Option(help="Separator of columns, one or more characters. Default: detected.")]
FileForm = Annotated[Form | None, typer.Option("--form", help="Format of the file. Default: detected.")]
Encoding = Annotated[str, typer.Option(help="Encoding of the text, such as latin-1.")]
Member = Annotated[str | None, typer.Option(help="File inside a zip archive. Default: the only file.")]
SkipBadRows = Annotated[
    bool,
    typer.Option(
        "--skip-bad-rows", help="Skip unreadable rows and report how many. Without this option they are an error."
    ),
]
