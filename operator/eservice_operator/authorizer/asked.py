# SPDX-License-Identifier: Apache-2.0
"""What a proxy asks: which web service, in which version, and what the caller presents.

The web service and the version are at the beginning of the path, which the holder's proxy is configured with.
What follows is the caller's, and is not looked at; neither is any header but the two that are read here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from typing_extensions import override

from eservice_operator.core.access.naming import audience_at

PREFIX: Final = ["", "v1", "check"]
ANY_VERSION: Final = "-"
"""In the place of the version, for REST, where a grant covers all of them."""
LONGEST_TOKEN: Final = 8192
NAME: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
VERSION: Final = re.compile(r"[a-z0-9](?:[-a-z0-9.]{0,30}[a-z0-9])?")
CODE: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
BEARER: Final = re.compile(r"bearer +([-\w]+\.[-\w]+\.[-\w]+) *", re.ASCII | re.IGNORECASE)
"""A ServiceAccount's token: three parts in base64url."""


class Place(NamedTuple):
    """A web service; ``version`` is empty where the proxy names none."""

    namespace: str
    name: str
    version: str

    @property
    def audience(self) -> str:
        """What a token has to be made for."""
        return audience_at(self.namespace, self.name)


class Consumer(NamedTuple):
    """The ServiceAccount that calls: that of an e-service has its namespace and its name."""

    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        """``NAMESPACE/NAME``."""
        return f"{self.namespace}/{self.name}"


def place_of(path: str) -> Place | None:
    """The web service that a request target names as it stands there: nothing is decoded or resolved."""
    parts = path.partition("?")[0].split("/", 6)
    if parts[:3] != PREFIX or len(parts) < 6:  # noqa: PLR2004 - the prefix, and three more
        return None
    namespace, name, version = parts[3:6]
    if NAME.fullmatch(namespace) is None or NAME.fullmatch(name) is None:
        return None
    if version == ANY_VERSION:
        return Place(namespace, name, "")
    return Place(namespace, name, version) if VERSION.fullmatch(version) else None


def token_of(headers: Sequence[str]) -> str | None:
    """The token of the one ``Authorization`` header; None when there is none, another, or more than one."""
    if len(headers) != 1 or len(headers[0]) > LONGEST_TOKEN:
        return None
    match = BEARER.fullmatch(headers[0])
    return match[1] if match else None


class Unclear(ValueError):
    """``X-On-Behalf-Of`` is there and does not name one institution."""


def customer_of(headers: Sequence[str]) -> str | None:
    """The institution's code in ``X-On-Behalf-Of``; None without the header.

    Raises:
        Unclear: more than one, or no code.
    """
    if not headers:
        return None
    if len(headers) > 1 or CODE.fullmatch(headers[0]) is None:
        raise Unclear
    return headers[0]
