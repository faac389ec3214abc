# SPDX-License-Identifier: Apache-2.0
"""What the end of an attempt to mail means: for this recipient, for good, or for the whole channel."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import aiosmtplib

from eservice_operator.core.cleaning import one_line
from eservice_operator.notify.sender import NoCredentials
from eservice_operator.notify.tls import NoAuthorities

FOR_GOOD: Final = range(500, 600)
CLOSING: Final = 421
WANTS_LOGIN: Final = 530
"""The one refusal of a recipient that is about us by its code: the server wants to know who we are."""
SUBJECT: Final = re.compile(r"[245]\.(?P<subject>\d{1,3})\.\d{1,3}\b")
"""Enhanced status (RFC 3463): its second number says what it is about."""
ADDRESS, MAILBOX, SYSTEM, POLICY = "1", "2", "3", "7"
BROKEN: Final = (aiosmtplib.SMTPException, OSError, TimeoutError)
ANSWERED: Final = (
    aiosmtplib.SMTPResponseException,
    aiosmtplib.SMTPRecipientsRefused,
    aiosmtplib.SMTPNotSupported,
)
"""After these the connection can be used again."""
NOT_CONNECTED: Final = (*BROKEN, NoCredentials, NoAuthorities)


class Refusal(NamedTuple):
    """Why a mail was not accepted, in words that hold nothing secret."""

    error: str
    permanent: bool = False
    """Trying again cannot help."""
    channel: bool = True
    """Our settings or the server are to blame, and other mails fare no better."""


def not_connected(error: Exception) -> Refusal:
    """Why there is no connection. An answer to a login may repeat it: only its code is told."""
    match error:
        case NoCredentials() | NoAuthorities():
            return Refusal(str(error))
        case aiosmtplib.SMTPAuthenticationError():
            return Refusal(f"the mail server refused the login: {error.code}")
        case aiosmtplib.SMTPResponseException():
            return Refusal(_answer(error))
        case aiosmtplib.SMTPTimeoutError() if _connected(error):
            return Refusal("the mail server took the connection and says nothing")
        case _:
            return Refusal(f"no connection to the mail server: {_words(error)}")


def not_taken(error: Exception, *, handed_over: bool) -> Refusal:
    """Why a server that was there did not take a mail; ``handed_over``: all of it was on its way."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return Refusal("the mail server does not take such an address", permanent=True, channel=False)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return _refused(error)
    if handed_over:
        return Refusal("the mail server did not say whether it took the mail: it may come twice")
    return Refusal(f"the connection broke: {_words(error)}")


def _refused(error: aiosmtplib.SMTPResponseException) -> Refusal:
    """Whom mails come from, who may send and relay, is our own configuration: mending it helps."""
    match = SUBJECT.match(error.message)
    subject = match["subject"] if match else ""
    for_good = error.code in FOR_GOOD
    about_us = isinstance(error, aiosmtplib.SMTPSenderRefused) or error.code in {CLOSING, WANTS_LOGIN}
    about_us |= for_good and subject == POLICY
    if not about_us and not for_good:
        at_the_end = isinstance(error, aiosmtplib.SMTPDataError) and subject not in {ADDRESS, MAILBOX}
        return Refusal(_answer(error), channel=at_the_end or subject == SYSTEM)
    return Refusal(_answer(error), permanent=not about_us, channel=about_us)


def _connected(error: aiosmtplib.SMTPTimeoutError) -> bool:
    """Whether it is a server that is silent, and not one that was never reached."""
    within = error.__cause__
    return not isinstance(error, aiosmtplib.SMTPConnectTimeoutError) or isinstance(
        within, aiosmtplib.SMTPTimeoutError
    )


def _answer(error: aiosmtplib.SMTPResponseException) -> str:
    return f"the mail server answered {error.code} {one_line(str(error.message))}"


def _words(error: Exception) -> str:
    return one_line(str(error)) or type(error).__name__
