# SPDX-License-Identifier: Apache-2.0
"""A grant whose spec cannot be read, as far as it is known: so that what ends it can still be decided.

Whom it lets in to what never changes, and has to be readable. What it opened is what its Role says; nothing
new comes of it (`GrantCase.unread`). What it says of its end counts as far as that can be read.
"""

from __future__ import annotations

from typing import Any

from eservice_operator.api.base import Model, ObjectMeta
from eservice_operator.api.fields import Day, Name
from eservice_operator.api.grant import (
    GrantAgent,
    GrantedConsumer,
    GrantedVersion,
    Refusal,
    WebServiceGrant,
    WebServiceGrantSpec,
    WebServiceGrantStatus,
)
from eservice_operator.api.parse import InvalidObject, read
from eservice_operator.core.actions import Manifest


class _Envelope(Model):
    metadata: ObjectMeta
    status: WebServiceGrantStatus = WebServiceGrantStatus()


class _Named(Model):
    web_service: Name
    consumer: GrantedConsumer


class _Lasts(Model):
    valid_until: Day | None = None


class _Joined(Model):
    agent: GrantAgent | None = None


class _Refused(Model):
    refused: Refusal | None = None


def last_known_grant(body: Manifest) -> WebServiceGrant | None:
    """The grant of a body whose spec cannot be read; None where nobody knows whom it lets in to what."""
    spec = body.get("spec") or {}
    envelope, named = read(_Envelope, body), read(_Named, spec)
    if isinstance(envelope, InvalidObject) or isinstance(named, InvalidObject):
        return None
    lasts, joined = read(_Lasts, spec), read(_Joined, spec)
    known = WebServiceGrantSpec(
        web_service=named.web_service,
        consumer=named.consumer,
        contract_versions=_versions(spec),
        valid_until=None if isinstance(lasts, InvalidObject) else lasts.valid_until,
        agent=None if isinstance(joined, InvalidObject) else joined.agent,
        refused=_refusal(spec),
    )
    return WebServiceGrant(metadata=envelope.metadata, spec=known, status=envelope.status)


def leaving_grant(body: Manifest) -> WebServiceGrant | None:
    """A grant of which nobody knows more than that it is being deleted: its children are enough for that."""
    envelope = read(_Envelope, body)
    if isinstance(envelope, InvalidObject):
        return None
    nobody = GrantedConsumer.model_construct(namespace="", name="")
    spec = WebServiceGrantSpec.model_construct(web_service="", consumer=nobody)
    return WebServiceGrant.model_construct(metadata=envelope.metadata, spec=spec, status=envelope.status)


def _versions(spec: Manifest) -> tuple[GrantedVersion, ...]:
    """The contract versions that it still names; how their evidence reads matters to none that is open."""
    entries: Any = spec.get("contractVersions")
    found = [read(GrantedVersion, {"version": _version(one)}) for one in entries or () if _version(one)]
    return tuple(one for one in found if not isinstance(one, InvalidObject))


def _version(entry: Any) -> Any:
    return entry.get("version") if isinstance(entry, dict) else None


def _refusal(spec: Manifest) -> Refusal | None:
    """A no is a no, however it is put."""
    if not spec.get("refused"):
        return None
    refused = read(_Refused, spec)
    return Refusal(reason="it does not say why") if isinstance(refused, InvalidObject) else refused.refused
