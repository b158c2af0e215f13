"""Whether a Dask scheduler answers at an address; if not, why."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from recbench.errors import RecbenchError

SECONDS_TO_CONNECT: Final = 5
CERTIFICATES: Final = (
    "Name them to Dask: export DASK_DISTRIBUTED__COMM__TLS__CA_FILE=ca.pem "
    "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT=cert.pem DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY=key.pem"
)


def check_scheduler(address: str) -> None:
    """Asks what answers at an address.

    Args:
        address: Such as ``tcp://host:8786``.

    Raises:
        RecbenchError: Nothing answers, or something else; or the certificates for ``tls://`` are missing.
    """
    security = _connection_arguments(address)
    try:
        # In a thread of its own: the caller's may run a loop already, as in a notebook.
        with ThreadPoolExecutor(1) as pool:
            kind = pool.submit(asyncio.run, _identity(address, security)).result()
    # Of any class: each of Dask's transports raises its own. The message names the error itself.
    except Exception as error:
        raise no_scheduler(address, _reason(error)) from error
    if kind != "Scheduler":
        raise no_scheduler(address, f"a Dask {str(kind).lower()} answers there")


def no_scheduler(address: str, reason: str) -> RecbenchError:
    """Returns the error for an address at which no scheduler answers."""
    return RecbenchError(
        f"There is no Dask scheduler at {address}: {reason}.",
        "Start one with 'dask scheduler', and give the address that it prints: --cluster tcp://HOST:8786",
    )


def _connection_arguments(address: str) -> dict[str, Any]:
    from distributed.security import Security

    try:
        arguments: dict[str, Any] = Security().get_connection_args("client")
    except (OSError, ValueError, ssl.SSLError) as error:
        raise RecbenchError(f"The certificates for {address} cannot be read: {error}.", CERTIFICATES) from error
    if address.startswith("tls://") and arguments.get("ssl_context") is None:
        raise RecbenchError(f"{address} needs certificates, and Dask's configuration names none.", CERTIFICATES)
    return arguments


async def _identity(address: str, arguments: dict[str, Any]) -> object:
    from distributed.comm import connect

    async def ask() -> object:
        comm = await connect(address, timeout=SECONDS_TO_CONNECT, **arguments)
        try:
            await comm.write({"op": "identity", "reply": True})
            answer = await comm.read()
        finally:
            comm.abort()
        return answer.get("type") if isinstance(answer, dict) else None

    return await asyncio.wait_for(ask(), 2 * SECONDS_TO_CONNECT)


def _reason(error: BaseException) -> str:
    """Returns what was at the bottom of an error: Dask wraps the system's error into several of its own."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, TimeoutError | asyncio.CancelledError) or not str(error):
        return f"no Dask scheduler answered within {SECONDS_TO_CONNECT} s"
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return f"{type(error).__name__}: {error}"
