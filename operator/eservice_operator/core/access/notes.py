# SPDX-License-Identifier: Apache-2.0
"""The Events of grants and web services: what a notice tells has one of its name, also without channels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from eservice_operator.api.grant import (
    ALL_VERSIONS,
    GrantedVersionStatus,
    GrantState,
    WebServiceGrantStatus,
)
from eservice_operator.api.notices import NoticeKind, Warned
from eservice_operator.api.reasons import Reason
from eservice_operator.api.webservice_status import MOST_LISTED, WebServiceStatus
from eservice_operator.core.access.web_service_tidings import about, waiting
from eservice_operator.core.conditions import told
from eservice_operator.core.notes import NORMAL, WARNING, Note

MOST_NAMED: Final = 10
_REFUSED_WRITES: Final = frozenset({Reason.NAME_COLLISION.value, Reason.REJECTED.value})
"""Why a contract version that is allowed is not open until somebody does something."""
_CLOSED: Final = frozenset({GrantState.PENDING, GrantState.REVOKED, GrantState.EXPIRED, GrantState.REFUSED})


def grant_notes(old: WebServiceGrantStatus, new: WebServiceGrantStatus) -> tuple[Note, ...]:
    """The Events of a change of a grant's status, for its holder; of ends to come the consumer's tell."""
    before = {entry.version: entry for entry in old.contract_versions}
    turns = [note for entry in new.contract_versions for note in _turned(before.get(entry.version), entry)]
    there = {entry.version for entry in new.contract_versions}
    gone = [_ended(entry) for entry in old.contract_versions if entry.version not in there and _open(entry)]
    return (*turns, *gone, *_refused(old, new))


def _open(entry: GrantedVersionStatus | None) -> bool:
    return entry is not None and entry.state is GrantState.ACTIVE


def _turned(old: GrantedVersionStatus | None, new: GrantedVersionStatus) -> Iterator[Note]:
    if _open(new) and not _open(old):
        text = f"{_named(new)}: {new.message}"
        yield Note(NORMAL, NoticeKind.ACCESS_GRANTED.value, "Grant", told(text))
    if _open(old) and not _open(new) and new.state is not GrantState.PENDING:  # that opens again
        yield _ended(new)
    hindered = new.state is GrantState.PENDING and new.reason in _REFUSED_WRITES
    if hindered and (old is None or old.reason != new.reason):
        yield Note(WARNING, new.reason, "Grant", told(f"{_named(new)}: {new.message}"))


def _ended(entry: GrantedVersionStatus) -> Note:
    why = "the grant does not name it any more" if entry.state is GrantState.ACTIVE else entry.message
    text = f"{_named(entry)}: {why}"
    return Note(WARNING, NoticeKind.ACCESS_ENDED.value, "Revoke", told(text))


def _named(entry: GrantedVersionStatus) -> str:
    return "all contract versions" if entry.version == ALL_VERSIONS else f"contract version {entry.version}"


def _refused(old: WebServiceGrantStatus, new: WebServiceGrantStatus) -> Iterator[Note]:
    open_before = any(entry.state not in _CLOSED for entry in old.contract_versions)
    refused = new.state is GrantState.REFUSED and old.state is not GrantState.REFUSED
    if refused and not open_before and new.contract_versions:
        text = new.contract_versions[0].message
        yield Note(WARNING, NoticeKind.ACCESS_REFUSED.value, "Refuse", text)


def web_service_notes(old: WebServiceStatus, new: WebServiceStatus) -> tuple[Note, ...]:
    """The Events of a change of a web service's status; none of who asked before the first one."""
    return (*_requested(old, new), *_warnings(old.warned, new.warned))


def _requested(old: WebServiceStatus, new: WebServiceStatus) -> Iterator[Note]:
    if old.observed_generation < 0 or old.waiting_count > MOST_LISTED:
        return
    known = {about(request) for request in old.requests}
    fresh = [about(request) for request in waiting(new) if about(request) not in known]
    if fresh:
        more = f" and {len(fresh) - MOST_NAMED} more" if len(fresh) > MOST_NAMED else ""
        text = f"asked for by {', '.join(fresh[:MOST_NAMED])}{more}; without an answer: {new.waiting_count}"
        yield Note(NORMAL, NoticeKind.ACCESS_REQUESTED.value, "Request", told(text))


def _warnings(old: Iterable[Warned], new: Iterable[Warned]) -> Iterator[Note]:
    before = set(old)
    for one in new:
        if one not in before:
            what = "the grant" if one.version == ALL_VERSIONS else f"contract version {one.version}"
            yield Note(WARNING, one.kind.value, "Warn", f"the last day of {what} is {one.day}")
