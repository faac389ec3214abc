# SPDX-License-Identifier: Apache-2.0
"""Oracles: what may be read nowhere (bytes of Secrets, anything of kopf's), and logs without a mishap."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from typing_extensions import override

from tests.support.oracles.seen import Cluster, Seen, Silent, shown

CONFIDENTIAL = re.compile(r"password|secret|token|key|credential", re.IGNORECASE)
"""The keys of a Secret whose values nobody else may read."""
SHORTEST = 8
"""Characters; anything shorter is found by chance."""


@dataclass
class NothingOfASecret(Silent):
    """What was planted, and whatever confidential value a Secret of the cluster has, is read nowhere else."""

    planted: dict[str, str] = field(default_factory=dict)
    """What to look for, and what it is."""

    def plant(self, value: str, what: str) -> None:
        """Look for a value from now on, in each way in which it may be written."""
        if len(value) < SHORTEST:
            return
        encoded = base64.b64encode(value.encode()).decode()
        for form in {value, encoded, quote(value, safe=""), json.dumps(value)[1:-1]}:
            self.planted.setdefault(form, what)

    @override
    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        if seen.place[0] == "Secret":
            self._learn(seen)
            return
        if not (seen.gone or seen.first):
            yield from self.told(seen.text, shown(seen.place))

    def told(self, text: str, where: str) -> Iterator[str]:
        """What of it is in a text: the log, the metrics, an object."""
        for value, what in self.planted.items():
            if value in text:
                yield f"{where} tells {what}"

    def _learn(self, seen: Seen) -> None:
        for key, value in (seen.obj.get("data") or {}).items():
            if CONFIDENTIAL.search(key) and len(value) >= SHORTEST:
                text = base64.b64decode(value).decode(errors="replace")
                self.plant(text, f"{key} of {shown(seen.place)}")


class NothingOfKopf(Silent):
    """kopf watches for us, and writes nothing to anybody's object."""

    @override
    def take(self, seen: Seen, cluster: Cluster) -> Iterable[str]:
        if not (seen.gone or seen.first) and "kopf" in seen.text:
            place = seen.text.index("kopf")
            yield f"{shown(seen.place)} has a word of kopf: …{seen.text[max(0, place - 60) : place + 40]}…"


def mishaps(records: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Records of a log that tell of an error nobody foresaw, or were written past the log."""
    for record in records:
        told = "exception" in record or "Traceback" in str(record.get("msg", ""))
        if told or record.get("level") in {"error", "critical", "raw"}:
            yield f"the operator's log: {json.dumps(record, ensure_ascii=False)[:2000]}"
