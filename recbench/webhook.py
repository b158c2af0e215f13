"""Sends a JSON document to a web hook. The address may hold a secret, so that messages name its host only."""

import base64
import http.client
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from recbench.errors import RecbenchError
from recbench.escaping.data_files import json_text

SECONDS: Final = 10.0
"""The most time that sending takes, whatever the server does."""
ADVICE: Final = "Give an address such as https://hooks.example.org/recbench."
_OK: Final = range(200, 300)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would send the document elsewhere, and without its content."""

    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to send documents.

    Attributes:
        host: For messages.
        url: The address, without user and password.
        headers: Of each request.
    """

    host: str
    url: str = field(repr=False)
    headers: dict[str, str] = field(repr=False)

    @classmethod
    def read(cls, url: str) -> "Webhook":
        """Reads an address; user and password in it become a header.

        Raises:
            RecbenchError: It is not an address of http or https. The message does not show it.
        """
        try:
            address = urlsplit(url)
            host, port = address.hostname, address.port
        except ValueError as error:
            raise RecbenchError("The value of --notify is not an address.", ADVICE) from error
        if address.scheme not in ("http", "https"):
            raise RecbenchError("--notify takes an address of http or https only.", ADVICE)
        if not host or any(character <= " " or character == "\x7f" for character in url):
            raise RecbenchError("The value of --notify is not an address.", ADVICE)
        shown = f"[{host}]" if ":" in host else host
        place = shown if port is None else f"{shown}:{port}"
        headers = {"Content-Type": "application/json", "User-Agent": "recbench"}
        if address.username is not None:
            secret = f"{unquote(address.username)}:{unquote(address.password or '')}"
            headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"
        return cls(shown, address._replace(netloc=place, fragment="").geturl(), headers)

    def post(self, document: Any, seconds: float = SECONDS) -> str:
        """Sends a document.

        Args:
            document: Anything that JSON can hold.
            seconds: Time limit for everything: name, connection, and answer.

        Returns:
            Why it was not accepted; empty if it was.
        """
        problems: list[str] = []
        body = json_text(document, ascii_only=True).encode()
        # In a thread: the time limit of a socket begins anew with each byte that a server sends.
        sending = threading.Thread(target=lambda: problems.append(self._sent(body, seconds)), daemon=True)
        sending.start()
        sending.join(seconds)
        return problems[0] if problems else f"no answer within {seconds:g} s"

    def _sent(self, body: bytes, seconds: float) -> str:
        request = urllib.request.Request(self.url, body, self.headers, method="POST")
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=2 * seconds) as answer:
                return "" if answer.status in _OK else f"HTTP {answer.status}"
        except urllib.error.HTTPError as error:
            with error:
                return f"HTTP {error.code}"
        except urllib.error.URLError as error:
            return _cause(error.reason)
        except (OSError, http.client.HTTPException, ValueError) as error:
            return _cause(error)


def _cause(error: str | BaseException) -> str:
    """Returns the system's own words, or else the class: other messages may hold the address."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return type(error).__name__ if isinstance(error, BaseException) else "the address cannot be used"
