# SPDX-License-Identifier: Apache-2.0
"""E-mail addresses: one plain address is taken, everything that could be read in two ways is refused."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

import idna

LONGEST: Final = 254
LONGEST_LOCAL: Final = 64
ATOM: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]")
DOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")

NAMED: Final = re.compile(r"(?P<name>.*?)\s*<(?P<address>[^<>]*)>", re.DOTALL)
SPOKEN: Final = frozenset({"Ll", "Lu", "Lt", "Lo", "Lm", "Mn", "Mc", "Nd"})
"""Unicode categories of letters, marks and digits."""
SPECIAL: Final = frozenset('()<>[]:;@\\,"')
"""What ends or splits a name in a header. (Quotes do not help: they are lost where the header is folded.)"""


class NotOneAddress(ValueError):
    """The text is not one plain e-mail address."""


@dataclass(frozen=True, slots=True)
class Address:
    """``local@domain``; the domain is in ASCII, the local part can be in any script (RFC 6531)."""

    local: str
    domain: str

    @property
    def plain(self) -> str:
        """As a mail server takes it."""
        return f"{self.local}@{self.domain}"

    @property
    def international(self) -> bool:
        """Whether only a server with SMTPUTF8 can take it."""
        return not self.local.isascii()


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Whom mails come from: a name for people, and an address in ASCII."""

    name: str
    address: Address


def address_of(text: str) -> Address:
    """One address: no name, no quotes, no comment, no list, no literal.

    Raises:
        NotOneAddress: anything else.
    """
    local, at, domain = text.partition("@")
    if not at or "@" in domain or len(text) > LONGEST or len(local.encode(errors="replace")) > LONGEST_LOCAL:
        raise NotOneAddress("this is not one plain e-mail address")
    if not all(map(_is_atom, local.split("."))) or unicodedata.normalize("NFKC", local) != local:
        raise NotOneAddress("the part before the @ is not plain")
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode()
    except UnicodeError as error:  # an IDNAError is one
        raise NotOneAddress("the part after the @ is not the name of a domain") from error
    if DOMAIN.fullmatch(ascii_domain) is None:
        raise NotOneAddress("the part after the @ is not the name of a domain")
    return Address(local, ascii_domain)


def mailbox_of(text: str) -> Mailbox:
    """``Name <address>``, or an address alone.

    Raises:
        NotOneAddress: the address is not one, or the name has what would have to be quoted.
    """
    match = NAMED.fullmatch(text.strip())
    name, address = (match["name"], match["address"]) if match else ("", text.strip())
    if any(sign in SPECIAL or not sign.isprintable() for sign in name) or len(name) > LONGEST_LOCAL:
        raise NotOneAddress("the name before the address is not plain")
    mailbox = Mailbox(name, address_of(address))
    if mailbox.address.international:
        raise NotOneAddress("mails come from an address in ASCII")
    return mailbox


def _is_atom(text: str) -> bool:
    """Whether it is a word of an address: ASCII as in RFC 5321, else letters, marks and digits only."""
    return bool(text) and all(
        ATOM.fullmatch(letter) if letter.isascii() else unicodedata.category(letter) in SPOKEN
        for letter in text
    )
