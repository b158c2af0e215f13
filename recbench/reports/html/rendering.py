"""HTML from templates: text of models, files and records is escaped once, here."""

import base64
import hashlib
from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import recbench
from recbench.escaping.terminal import one_line
from recbench.escaping.xml import xml_text
from recbench.output_files import UNSEALED, seal
from recbench.reports.html.tables import WIDTHS
from recbench.reports.plots.styles import DARK, LIGHT, MARKERS


def render_page(template: str, **content: Any) -> str:
    """Returns a page as HTML. It loads nothing, neither from the network nor from other files.

    The page forbids the browser every request, and every script but its own: text that was taken for markup in spite of
    all escaping could do nothing.

    Args:
        template: The name of its template.
        content: What the template shows. Text is escaped.
    """
    styles = _environment().get_template("styles.css.jinja").render(light=LIGHT, dark=DARK, fits=WIDTHS)
    script = _source("script.js")
    policy = [
        "default-src 'none'", f"style-src {_hash(styles)}", f"script-src {_hash(script)}", "img-src data:",
        "base-uri 'none'", "form-action 'none'",
    ]  # fmt: skip
    page = (
        _environment()
        .get_template(template)
        .render(
            **content,
            policy="; ".join(policy),
            styles=Markup(styles),
            script=Markup(script),
            markers=MARKERS,
            seal=UNSEALED,
            version=recbench.__version__,
        )
    )
    return seal(page)


def render_feed(template: str, **content: Any) -> str:
    """Returns a feed as XML.

    Args:
        template: The name of its template.
        content: What the template shows. Text is escaped.
    """
    feed = _environment(xml=True).get_template(template)
    return seal(feed.render(**content, seal=UNSEALED, version=recbench.__version__))


@cache
def _environment(*, xml: bool = False) -> Environment:
    return Environment(
        loader=PackageLoader("recbench.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=partial(_printable, xml=xml),
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: Any, *, xml: bool) -> Any:
    """Returns the value of an expression; text is one line without control characters."""
    if isinstance(value, str) and not isinstance(value, Markup):
        # XML has no way to write some characters that HTML shows.
        return xml_text(value) if xml else one_line(value, len(value))
    return value


def _source(name: str) -> str:
    environment = _environment()
    assert environment.loader is not None
    return environment.loader.get_source(environment, name)[0]


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
