# SPDX-License-Identifier: Apache-2.0
"""Oracle: each notice of a ledger came at least once, and twice only across a crash, under the same id."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from eservice_operator.core.actions import Manifest
from tests.support.mailserver import Received


def notice_faults(objects: Iterable[Manifest], mails: Iterable[Received], crashes: int) -> Iterator[str]:
    """What is wrong between ledgers and the mails that came; ``crashes`` is how often an operator died.

    Ledgers are bounded: a mail without an entry is no fault, one of which two entries tell is.
    """
    came: Counter[tuple[str, str]] = Counter()
    for mail in mails:
        identifier = str(mail.message["Message-ID"])[1:-1].partition("@")[0]
        came.update((identifier, recipient) for recipient in mail.recipients)
    entries = [
        (notice["id"], notice["recipient"], notice["state"])
        for obj in objects
        for notice in (obj.get("status") or {}).get("notices") or ()
        if notice["channel"] == "Email"
    ]
    for (identifier, recipient), count in Counter((one[0], one[1]) for one in entries).items():
        if count > 1:
            yield f"notice {identifier} to {recipient} is {count} times in the ledgers"
    for identifier, recipient, state in entries:
        if state == "Sent" and not came[identifier, recipient]:
            yield f"notice {identifier} counts as sent to {recipient}, and never came"
    for (identifier, recipient), count in came.items():
        if count > 1 + crashes:
            yield f"notice {identifier} came {count} times to {recipient}, across {crashes} crashes"
