# SPDX-License-Identifier: Apache-2.0
"""The institutions behind web services, as the Agency has registered them (R1).

A WebService may say that it is anybody's, and name anybody's address: letters go by the register alone.
"""

from __future__ import annotations

from collections.abc import Iterator

from eservice_operator.api import names
from eservice_operator.api.people import mail_domain
from eservice_operator.api.registration import EServiceRegistration
from eservice_operator.cluster import indexes
from eservice_operator.cluster.indexes import part
from eservice_operator.cluster.reading import Reading
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.keys import ObjectKey


def contact_domains(code: str, reading: Reading) -> frozenset[str]:
    """The mail domains of an institution's contacts, in all of its registrations."""
    registered = reading.found(EServiceRegistration, indexes.INSTITUTION, code)
    contacts = (contact for one in registered for contact in one.spec.institution.contacts)
    return frozenset(mail_domain(contact.email) for contact in contacts)


def reach_of(registration: Manifest) -> tuple[str, frozenset[str]]:
    """What of a registration says where letters may go: whose it is, and the addresses of its contacts."""
    contacts = part(registration, "spec", "institution", "contacts") or ()
    code = str(part(registration, "spec", "institution", "code"))
    return code, frozenset(str(part(contact, "email")) for contact in contacts)


def web_services_of(registration: Manifest, store: Store) -> Iterator[ObjectKey]:
    """The web services of the institution of a registration, whose contacts say where letters may go.

    Those in a namespace that administrators have labelled as its own: others would wake them for nothing.
    """
    code = str(part(registration, "spec", "institution", "code"))
    for web_service in store.by_index("WebService", indexes.INSTITUTION, code):
        home = store.get("Namespace", "", web_service["metadata"]["namespace"])
        if part(home or {}, "metadata", "labels", names.INSTITUTION_LABEL) == code:
            yield key_of(web_service)
