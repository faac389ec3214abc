# SPDX-License-Identifier: Apache-2.0
"""What a notice says, as facts: the channels make sentences and envelopes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from eservice_operator.api.base import LocalizedText
from eservice_operator.api.notices import Audience, Channel, NoticeKind


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice to one recipient. Two letters of the same ``id`` are the same letter, sent again."""

    id: str
    """The id in the ledger."""
    kind: NoticeKind
    channel: Channel
    recipient: str
    """An e-mail address, or the host of the CloudEvents sink."""
    audience: Audience
    at: datetime
    """When the notice was entered into the ledger (aware, UTC)."""
    source: str
    """What it is about: ``Kind namespace/name`` or ``Kind name``."""
    uid: str
    """UID of that object."""
    institution: str = ""
    contacts: tuple[str, ...] = ()
    """Addresses of the institution's contacts, also where the recipient is a sink."""
    agency_contact: str = ""
    """Whom at the Agency to ask: an e-mail address."""
    title: LocalizedText = field(default_factory=LocalizedText)
    """What the e-service, or the template, is called."""
    identifier: str = ""
    """Number of the e-service, such as EP-000042."""
    due: date | None = None
    """The local day that it is about; gets an entry for the calendar."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """Further facts by name, all optional: ``template``, ``version``, ``current`` (version numbers),
    ``instruction`` (URL), ``catalogue`` (URL), ``publicURL``, ``previewURL`` (where to verify), ``decision``
    (name), ``overdueSince``, ``migrateBy``, ``dueBy`` (days), ``reason``, ``token``, ``count``,
    ``decisions`` (names); ``late`` where the day had come when the notice was entered; ``held``: the reason
    by which a decision is held, such as ``Brake``.

    Of what is overdue by its lag: ``released`` (day), ``cause`` (the version that makes it so) with
    ``causeReleased`` and ``causePublished`` (days), ``maximumLag`` (ISO 8601), ``lagMeasure``; by its recall:
    ``withdrawnOn``, ``replaceBy`` (days), ``recallReason``.

    Of access to a web service: ``webService`` and ``consumer`` (``namespace/name``), ``contractVersion``,
    ``holder``, ``holderContact``, ``agent``, ``asking`` (the institution that asks), ``until`` (day),
    ``ended`` (the reason in one word), ``consumers`` (who may still call; ``count`` is how many)."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one attempt to hand a letter over.

    ``permanent`` says of one that was not accepted that trying again cannot help. ``retry_after`` is how many
    seconds the channel asked to wait before the next attempt; 0 when it did not say. ``channel_failed`` says
    that our settings, or the channel, are to blame, and not this letter or its recipient.
    """

    accepted: bool
    at: datetime
    error: str = ""
    permanent: bool = False
    retry_after: float = 0.0
    channel_failed: bool = False
