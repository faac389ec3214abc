# SPDX-License-Identifier: Apache-2.0
"""What an e-service looks like in the end, without what two runs of the same story must differ in.

Names of the site, hashes that follow from them, numbers, uids, addresses and moments are replaced by words,
so that portraits of two sites are equal when the same has happened to both. What the rules make of dates is
an instant at a local midnight and stays, and so does an image's digest, which two sites have in common.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time
from typing import Any

from eservice_operator.api.names import API_VERSION
from eservice_operator.core.actions import Manifest
from tests.support.audit import Request
from tests.support.fleet import RIGA
from tests.support.site import Site

VOLATILE = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "clusterIP",
    "clusterIPs",
)
HISTORY = (
    "history",
    "observedGeneration",
    "lastTransitionTime",
    "lastUpdateTime",
    "installedAt",
    "since",
    "eServices",
)
"""When something happened, through which phases it was seen to go, and what is counted every other second."""
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
WORDS = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<uid>"),
    (re.compile(r"EP-\d{6}|ep-\d{6}"), "<number>"),
)
PACKED = re.compile(r"\beyJ[A-Za-z0-9_-]{21,}")
HASH = re.compile(r"(?<!sha256:)\b[0-9a-f]{10,64}\b")
"""But for digests of images: they are of a content, and hold in all sites."""


class Names:
    """Gives each hash of a site a word, in the order in which the site's releases come."""

    def __init__(self, site: Site, releases: Iterable[str]) -> None:
        self._site = site.mark
        self._releases = {release: f"<release {number}>" for number, release in enumerate(releases, 1)}

    def plain(self, text: str) -> str:
        text = PACKED.sub(_unpacked, text)
        for release, word in self._releases.items():
            text = text.replace(release, word)
        text = INSTANT.sub(_told, text)
        for pattern, word in WORDS:
            text = pattern.sub(word, text)
        return HASH.sub("<hash>", text.replace(self._site, "<site>"))


def _unpacked(found: re.Match[str]) -> str:
    """An object of JSON in base64url, as the notice page is told of an e-service, in words."""
    return base64.urlsafe_b64decode(found[0] + "=" * (-len(found[0]) % 4)).decode()


def _told(found: re.Match[str]) -> str:
    """An instant at which a local day begins, which the rules compute; of any other, only that it is one."""
    begins = datetime.fromisoformat(found[0]).astimezone(RIGA).time() == time()
    return found[0] if begins else "<moment>"


async def portrait(site: Site, names: Names) -> list[str]:
    """Every object of the site, a line each."""
    return picture(await site.objects(), names)


def picture(objects: Iterable[Manifest], names: Names) -> list[str]:
    """Objects, a line each."""
    lines = []
    for obj in objects:
        theirs = () if obj["apiVersion"] == API_VERSION else ("status",)  # what a controller says of a child
        shown = without(obj, (*VOLATILE, *HISTORY, *theirs))
        lines.append(names.plain(json.dumps(shown, sort_keys=True, ensure_ascii=False)))
    return sorted(lines)


def made_and_removed(requests: Iterable[Request], names: Names) -> Counter[str]:
    """How often each object was made or removed, Events apart: those are told at best once."""
    return Counter(
        names.plain(f"{request.verb} {request.resource} {request.namespace}/{request.name}")
        for request in requests
        if request.verb in {"create", "delete"} and request.resource != "events" and request.code < 300
    )


def without(value: Any, fields: Iterable[str]) -> Manifest | list[Any] | Any:
    if isinstance(value, dict):
        return {key: without(entry, fields) for key, entry in value.items() if key not in fields}
    if isinstance(value, list):
        return [without(entry, fields) for entry in value]
    return value
