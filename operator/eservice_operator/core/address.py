# SPDX-License-Identifier: Apache-2.0
"""``HOST:PORT``, as people write it in settings: where to listen, or what to connect to."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from typing_extensions import override

WRITTEN: Final = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[^:\[\]]*):(?P<port>\d{1,5})")
HIGHEST_PORT: Final = 65_535


class Address(NamedTuple):
    """Where to listen; an empty host means every interface, port 0 any free one."""

    host: str
    port: int

    @override
    def __str__(self) -> str:
        """``HOST:PORT``."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def to_listen_on(text: str) -> Address | None:
    """``HOST:PORT``, ``:PORT``, ``[ADDRESS]:PORT``; None for anything else."""
    match = WRITTEN.fullmatch(text.strip())
    if match is None or int(match["port"]) > HIGHEST_PORT:
        return None
    return Address(match["host"].strip("[]"), int(match["port"]))


def to_connect_to(text: str) -> Address | None:
    """The same with a host, and a port other than 0; None for anything else."""
    address = to_listen_on(text)
    return address if address is not None and address.host and address.port else None
