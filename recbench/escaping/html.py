"""Text in HTML."""

import html

from recbench.escaping.terminal import one_line


def html_text(text: str) -> str:
    """Returns text for an element or a quoted attribute: no character opens a tag or an entity.

    >>> html_text("<b title='x'>&")
    '&lt;b title=&#x27;x&#x27;&gt;&amp;'
    """
    return html.escape(one_line(text))  # noqa: TID251 - the one place
