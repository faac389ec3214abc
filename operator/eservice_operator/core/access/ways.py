# SPDX-License-Identifier: Apache-2.0
"""What two lists of rules of NetworkPolicies have in common: how a way is narrowed, and never widened."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from eservice_operator.core.actions import Manifest

OUT: Final = "to"
IN: Final = "from"
"""The field of a rule that has its peers, by the direction."""


def within(there: Iterable[Manifest], wanted: Iterable[Manifest], side: str) -> tuple[Manifest, ...]:
    """The part of the rules there that the wanted ones allow, too; each as it is there where all of it is.

    Both name their peers and ports. A rule that names none lets everybody by: it is not ours, and no part.
    """
    allowed = tuple(wanted)
    found: list[Manifest] = []
    for rule in there:
        for one in allowed:
            peers = [peer for peer in rule.get(side) or () if peer in one[side]]
            ports = [port for port in rule.get("ports") or () if port in one["ports"]]
            common = {side: peers, "ports": ports}
            if peers and ports and common not in found:
                found.append(common)
    return tuple(found)
