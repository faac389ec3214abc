# SPDX-License-Identifier: Apache-2.0
"""A letter as a CloudEvent: the same letter gives the same bytes; and its signature (Standard Webhooks)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.names import API_VERSION
from eservice_operator.core.cleaning import notice_id, one_line
from eservice_operator.core.letters import Letter
from eservice_operator.notify.texts import texts_of

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
TYPE: Final = "dev.eservice.notice.{kind}.v1"
LONGEST: Final = 4096
SHORTEST_KEY: Final = 24
"""Bytes of a key for signatures."""


def encoded(letter: Letter) -> bytes:
    """The event in the JSON format, UTF-8.

    Raises:
        ValueError: the id of the letter cannot be that of an event.
    """
    return json.dumps(event_of(letter), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def event_of(letter: Letter) -> dict[str, Any]:
    """The event as a JSON object: the attributes of CloudEvents 1.0, and the notice as its data."""
    attributes = {
        "specversion": "1.0",
        "id": notice_id(letter.id),
        "source": source_of(letter),
        "type": TYPE.format(kind=letter.kind),
        "subject": _clean(letter.identifier) or _clean(letter.source),
        "time": letter.at.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
    }
    return {name: value for name, value in attributes.items() if value} | {"data": _data(letter)}


def source_of(letter: Letter) -> str:
    """The path of the object in the API of its cluster, such as ``/apis/eservice.dev/v1alpha1/…``."""
    kind, _, where = _clean(letter.source).partition(" ")
    namespace, _, name = where.rpartition("/")
    plural = BY_KIND[kind].plural if kind in BY_KIND else kind.lower()
    between = ["namespaces", namespace] if namespace else []
    return "/".join(["/apis", API_VERSION, *(quote(part, safe="") for part in (*between, plural, name))])


def signature(key: bytes, event_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers that prove who sent the body, and when: HMAC-SHA256 over ``id.timestamp.body``."""
    timestamp = str(int(at.timestamp()))
    signed = b".".join([event_id.encode(), timestamp.encode(), body])
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": f"v1,{digest}"}


def _data(letter: Letter) -> dict[str, Any]:
    said = {
        "kind": str(letter.kind),
        "audience": str(letter.audience),
        "object": _clean(letter.source),
        "uid": _clean(letter.uid),
        "identifier": _clean(letter.identifier),
        "title": {code: _clean(text) for code, text in letter.title.model_dump(exclude_none=True).items()},
        "institution": _clean(letter.institution),
        "contacts": [_clean(contact) for contact in letter.contacts],
        "agencyContact": _clean(letter.agency_contact),
        "due": letter.due.isoformat() if letter.due else "",
        "facts": {_clean(name): _clean(value) for name, value in letter.facts.items()},
    }
    texts = {
        text.code: {
            "subject": text.subject,
            "parts": [{"heading": heading, "text": paragraph} for heading, paragraph in text.parts],
        }
        for text in texts_of(letter)
    }
    return {name: value for name, value in said.items() if value} | {"texts": texts}


def _clean(text: str) -> str:
    return one_line(text, LONGEST)
