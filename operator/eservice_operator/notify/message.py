# SPDX-License-Identifier: Apache-2.0
"""A letter as a mail: the same letter gives the same bytes, whoever builds it and how often."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email import headerregistry
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime
from typing import Final

from eservice_operator.core.cleaning import notice_id, one_line
from eservice_operator.core.letters import Letter
from eservice_operator.notify.addresses import Address, Mailbox, NotOneAddress, address_of
from eservice_operator.notify.entry import calendar_of, entry_name, method_of
from eservice_operator.notify.texts import as_html, as_plain, subject_of, texts_of

QUOTED: Final = "quoted-printable"
"""Seven bits on every way, and no line of a text can be taken for a boundary, which has ``=_`` in it."""


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail and its envelope."""

    sender: Address
    recipient: Address
    content: bytes
    """Lines ended by CR LF."""


def mail_of(letter: Letter, sender: Mailbox) -> Mail:
    """The letter as a mail to its one recipient.

    Raises:
        NotOneAddress: the recipient cannot be written to.
        ValueError: the id of the letter cannot be part of a Message-ID.
    """
    recipient = address_of(letter.recipient)
    message = _with_bodies(letter, sender)
    for name, value in _headers(letter, sender, recipient):
        message[name] = value
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{letter.id}_{number}")
    policy = SMTPUTF8 if recipient.international else SMTP
    return Mail(sender.address, recipient, message.as_bytes(policy=policy))


def message_id(letter: Letter, sender: Mailbox) -> str:
    """``<id@domain of the sender>``.

    Raises:
        ValueError: the id of the letter cannot be part of it.
    """
    return f"<{notice_id(letter.id)}@{sender.address.domain}>"


def _headers(letter: Letter, sender: Mailbox, recipient: Address) -> Iterator[tuple[str, object]]:
    yield "Subject", subject_of(letter)
    yield "From", _header_address(sender.address, sender.name)
    yield "To", _header_address(recipient)
    contact = _contact(letter)
    if contact is not None and (recipient.international or not contact.international):
        yield "Reply-To", _header_address(contact)
    yield "Date", format_datetime(letter.at)
    yield "Message-ID", message_id(letter, sender)
    yield "Auto-Submitted", "auto-generated"
    yield "Content-Language", "lv, en"


def _contact(letter: Letter) -> Address | None:
    """Whom to answer; without one the sender, and the text names the contact as somebody wrote it."""
    try:
        return address_of(letter.agency_contact)
    except NotOneAddress:
        return None


def _header_address(address: Address, name: str = "") -> headerregistry.Address:
    return headerregistry.Address(one_line(name), username=address.local, domain=address.domain)


def _with_bodies(letter: Letter, sender: Mailbox) -> EmailMessage:
    """Plain text, HTML and, for a dated letter, its entry for the calendar: shown, and as a file."""
    texts = texts_of(letter)
    message = EmailMessage(SMTP)
    message.set_content(as_plain(texts), cte=QUOTED)
    message.add_alternative(as_html(texts), subtype="html", cte=QUOTED)
    name = entry_name(letter)
    if name:
        entry = calendar_of(letter, texts, sender.address)
        message.add_alternative(entry, subtype="calendar", cte=QUOTED, params={"method": method_of(letter)})
        message.add_attachment(entry.encode(), maintype="application", subtype="ics", filename=f"{name}.ics")
    return message
