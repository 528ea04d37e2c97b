"""What tells a request of this computer from one that a web page from elsewhere makes its browser send."""

import ipaddress
from functools import lru_cache
from typing import Final

from service.errors import ForeignRequest

_LONGEST_HOST: Final = 64


def is_loopback(host: str) -> bool:
    """Whether a host name or address stands for this computer alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def require_loopback(host: str | None, origin: str | None) -> None:
    """Refuse what did not ask for this computer by a name of its own, or comes from a page of another origin.

    A name without a dot is of the own network: nobody elsewhere can register one and point it here.

    Parameters
    ----------
    host, origin : str or None
        The headers of these names.

    Raises
    ------
    ForeignRequest
    """
    if host is None or len(host) > _LONGEST_HOST or not _names_loopback(host):
        raise ForeignRequest(
            "without authentication only requests to localhost, 127.0.0.1, [::1] or a name without a dot are answered"
        )
    if origin is not None and origin.partition("://")[2] != host:
        raise ForeignRequest("without authentication requests of pages from another origin are refused")


@lru_cache(maxsize=64)
def _names_loopback(host: str) -> bool:
    if host.startswith("["):
        name, bracket, port = host[1:].partition("]")
        return bracket == "]" and (port == "" or port.startswith(":")) and ":" in name and is_loopback(name)
    name = host.partition(":")[0].lower()
    return is_loopback(name) or (name != "" and "." not in name)
