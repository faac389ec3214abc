# SPDX-License-Identifier: Apache-2.0
"""English: what stands around the sentences of a notice."""

from __future__ import annotations

from eservice_operator.api.notices import NoticeKind
from eservice_operator.notify import english_access as say_access
from eservice_operator.notify import english_held as say_held
from eservice_operator.notify import english_sentences as say
from eservice_operator.notify.language import Language
from eservice_operator.notify.periods import ENGLISH_PERIODS

ENGLISH = Language(
    code="en",
    weekdays=("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
    quotes=("“", "”"),
    headings={
        "what": "What happens",
        "why": "Why",
        "todo": "What to do now",
        "details": "Details",
        "ask": "Whom to ask",
    },
    labels={
        "title": "Title",
        "number": "Number",
        "institution": "Institution",
        "due": "Date",
        "version": "Template and version",
        "current": "Current version",
        "maximumLag": "Longest lag allowed",
        "instruction": "Migration instruction",
        "catalogue": "Catalogue entry",
        "publicURL": "Public address",
        "previewURL": "To be verified at",
        "decision": "Decision",
        "decisions": "Decisions held",
        "source": "Object in the cluster",
        "told": "Contacts of the institution",
        "command": "What is missing, shown by",
        "webService": "Web service",
        "contractVersion": "Contract version",
        "consumer": "E-service",
        "asking": "Institution that asks",
        "agent": "Agent",
        "holder": "Holder",
        "holderContact": "Holder's contact",
        "consumers": "May still call it",
        "requests": "Requests, shown by",
    },
    ask=lambda contact: f"Ask the Agency's contact person: {contact}" if contact else "Ask the Agency.",
    footer=lambda notice: f"This notice was sent automatically by the e-service operator. Notice {notice}.",
    sayings={
        NoticeKind.IDENTIFIER_ASSIGNED: say.identifier_assigned,
        NoticeKind.INSTALLATION_DUE: say.installation_due,
        NoticeKind.INSTALLATION_OVERDUE: say.installation_overdue,
        NoticeKind.VERIFICATION_WANTED: say.verification_wanted,
        NoticeKind.MIGRATION_DUE: say.migration_due,
        NoticeKind.MIGRATION_OVERDUE: say.migration_overdue,
        NoticeKind.VERSION_WITHDRAWN: say.version_withdrawn,
        NoticeKind.OVERDUE_EXPECTED: say.overdue_expected,
        NoticeKind.UNPUBLISH_SCHEDULED: say.unpublish_scheduled,
        NoticeKind.UNPUBLISH_WARNING: say.unpublish_warning,
        NoticeKind.UNPUBLISH_MOVED: say.unpublish_moved,
        NoticeKind.UNPUBLISH_HELD: say_held.unpublish_held,
        NoticeKind.UNPUBLISH_CANCELLED: say.unpublish_cancelled,
        NoticeKind.UNPUBLISHED: say.unpublished,
        NoticeKind.REPUBLISHED: say.republished,
        NoticeKind.BRAKE_ENGAGED: say_held.brake_engaged,
        NoticeKind.ACCESS_REQUESTED: say_access.access_requested,
        NoticeKind.ACCESS_GRANTED: say_access.access_granted,
        NoticeKind.ACCESS_REFUSED: say_access.access_refused,
        NoticeKind.ACCESS_ENDING: say_access.access_ending,
        NoticeKind.ACCESS_ENDED: say_access.access_ended,
        NoticeKind.CONTRACT_RETIRING: say_access.contract_retiring,
    },
    periods=ENGLISH_PERIODS,
)
