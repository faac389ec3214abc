# SPDX-License-Identifier: Apache-2.0
"""Latvian: what stands around the sentences of a notice."""

from __future__ import annotations

from eservice_operator.api.notices import NoticeKind
from eservice_operator.notify import latvian_access as say_access
from eservice_operator.notify import latvian_held as say_held
from eservice_operator.notify import latvian_sentences as say
from eservice_operator.notify.language import Language
from eservice_operator.notify.periods import LATVIAN_PERIODS

LATVIAN = Language(
    code="lv",
    weekdays=("pirmdiena", "otrdiena", "trešdiena", "ceturtdiena", "piektdiena", "sestdiena", "svētdiena"),
    quotes=("„", "”"),
    headings={
        "what": "Kas notiek",
        "why": "Kāpēc",
        "todo": "Kas tagad jādara",
        "details": "Ziņas",
        "ask": "Kam jautāt",
    },
    labels={
        "title": "Nosaukums",
        "number": "Numurs",
        "institution": "Iestāde",
        "due": "Datums",
        "version": "Veidne un versija",
        "current": "Pašreizējā versija",
        "maximumLag": "Lielākā pieļautā atpalicība",
        "instruction": "Migrācijas instrukcija",
        "catalogue": "Apraksts katalogā",
        "publicURL": "Publiskā adrese",
        "previewURL": "Pārbaudāms adresē",
        "decision": "Lēmums",
        "decisions": "Apturētie lēmumi",
        "source": "Objekts klasterī",
        "told": "Iestādes kontakti",
        "command": "Ko vēl vajag, parāda",
        "webService": "Tīmekļa pakalpe",
        "contractVersion": "Saskarnes versija",
        "consumer": "E-pakalpojums",
        "asking": "Pieprasītāja iestāde",
        "agent": "Aģents",
        "holder": "Turētājs",
        "holderContact": "Turētāja kontakts",
        "consumers": "To vēl drīkst izsaukt",
        "requests": "Pieprasījumus parāda",
    },
    ask=lambda contact: (
        f"Jautājiet Aģentūras kontaktpersonai: {contact}" if contact else "Jautājiet Aģentūrai."
    ),
    footer=lambda notice: f"Šo paziņojumu automātiski nosūtīja e-pakalpojumu operators. Paziņojums {notice}.",
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
    periods=LATVIAN_PERIODS,
)
