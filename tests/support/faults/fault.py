# SPDX-License-Identifier: Apache-2.0
"""Scripted faults: which requests and which watch events they meet, and what they do to them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from tests.support.faults.asked import Seen

FOR_EVER = 10**9
LATE_BY = 0.7
"""Seconds."""
Match = Callable[[Seen], bool]
Errand = Callable[[Seen], Awaitable[object]]
Frame = dict[str, Any]
"""An event of a watch: ``type`` and ``object``."""


@dataclass
class Fault:
    """What to do to ``times`` requests that ``match``, after ``skip`` of them have passed unharmed.

    In place of asking the API server: ``answer`` (status, headers, body), ``replay`` (what is on the proxy's
    tape for the same list; a list that is not on it passes), ``drop`` (the connection ends before the server
    hears of the request), ``half_open`` (a watch begins, and nothing ever comes). ``page`` asks it for pages
    of so many in the place of whatever the client wants: few objects are a list of many pages then.
    Before that, or before the server is asked: ``first`` is awaited (a competing write, a kill), then
    ``delay`` seconds pass, then ``until`` is waited for.
    After the server has answered: ``then`` is awaited, ``edit`` changes the body, ``lose_reply`` ends the
    connection, ``cut`` ends it after that share of the body (0…1), ``slow`` spreads the body over so many
    seconds. ``edit``, ``cut`` and ``slow`` also hold for an ``answer``.
    """

    match: Match
    times: int = 1
    answer: tuple[int, dict[str, str], str] | None = None
    lose_reply: bool = False
    drop: bool = False
    skip: int = 0
    replay: bool = False
    half_open: bool = False
    page: int = 0
    first: Errand | None = None
    delay: float = 0.0
    until: asyncio.Event | None = None
    then: Errand | None = None
    edit: Callable[[bytes], bytes] | None = None
    cut: float | None = None
    slow: float = 0.0

    def meets(self, seen: Seen) -> bool:
        """Whether this request is one of those; it counts down."""
        if self.times <= 0 or not self.match(seen):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True

    @property
    def what(self) -> str:
        """What it does, in words, for the record."""
        words = {
            "something first": self.first is not None,
            "delayed": self.delay > 0 or self.until is not None,
            f"answered {self.answer[0] if self.answer else ''}": self.answer is not None,
            "replayed": self.replay,
            "dropped": self.drop,
            "half-open": self.half_open,
            "in small pages": self.page > 0,
            "edited": self.edit is not None,
            "reply lost": self.lose_reply,
            "cut": self.cut is not None,
            "slow": self.slow > 0,
        }
        return ", ".join(word for word, so in words.items() if so) or "watched"


class Treatment(Enum):
    """What becomes of an event of a watch."""

    DROPPED = "dropped"
    TWICE = "sent twice"
    LATE = "came late"
    """This one, `LATE_BY` later; others overtake it, but for those of the same object."""
    TORN = "torn"
    """Half of it arrives, and then the connection breaks."""
    GONE = "410 in its place"
    """The watch ends so: events were missed, and everything has to be listed."""
    HELD = "held back"
    """This one, until the proxy is told to release; others overtake it, but for those of the same object."""
    STALLED = "stalled"
    """This one and all that follow on the same watch, until the proxy is told to release."""


@dataclass
class FrameFault:
    """What to do to ``times`` events that ``match``, of whichever watch."""

    match: Callable[[Seen, Frame], bool]
    treatment: Treatment = Treatment.DROPPED
    times: int = FOR_EVER

    def meets(self, seen: Seen, frame: Frame) -> bool:
        """Whether this event is one of those; it counts down."""
        if self.times <= 0 or not self.match(seen, frame):
            return False
        self.times -= 1
        return True


def named(*names: str) -> Callable[[Seen, Frame], bool]:
    """Events about objects of these names."""
    return lambda _, frame: frame["object"].get("metadata", {}).get("name") in names


def refused(part: str, status: int) -> Fault:
    """From now on requests whose path and query contain ``part`` are answered with that status."""
    answer: tuple[int, dict[str, str], str] = (status, {}, status_body(status))
    return Fault(lambda seen: part in seen.address, times=FOR_EVER, answer=answer)


def dropped(*parts: str) -> Fault:
    """From now on requests whose path has one of ``parts`` get no answer."""
    return Fault(lambda seen: any(part in seen.path for part in parts), times=FOR_EVER, drop=True)


def without_group(group: str) -> Fault:
    """The list of API groups leaves this one out, as it does for a moment after its first CRD."""

    def leave_out(body: bytes) -> bytes:
        groups = json.loads(body)
        left = [one for one in groups["groups"] if one["name"] != group]
        return json.dumps(groups | {"groups": left}).encode()

    return Fault(lambda seen: seen.path == "/apis", times=FOR_EVER, edit=leave_out)


def without_resource(plural: str) -> Fault:
    """The lists of what a group's version serves leave this one out."""

    def leave_out(body: bytes) -> bytes:
        document = json.loads(body)
        left = [one for one in document.get("resources", []) if one["name"] != plural]
        return json.dumps(document | {"resources": left}).encode()

    return Fault(lambda seen: _lists_a_version(seen.path), times=FOR_EVER, edit=leave_out)


def emptied(body: bytes) -> bytes:
    """For ``edit``: the same list, at the same resourceVersion, with nothing in it."""
    return json.dumps(json.loads(body) | {"items": []}).encode()


def status_body(code: int, reason: str = "", message: str = "by the test") -> str:
    """A refusal as the API server writes it."""
    body = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message}
    return json.dumps(body | ({"reason": reason} if reason else {}))


def gone() -> Frame:
    """The event by which a watch ends whose resourceVersion is too old."""
    return {"type": "ERROR", "object": json.loads(status_body(410, "Expired", "too old resource version"))}


def _lists_a_version(path: str) -> bool:
    return path.startswith("/apis/") and path.count("/") == len(["", "apis", "G", "V"]) - 1
