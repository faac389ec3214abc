# SPDX-License-Identifier: Apache-2.0
"""What is said of the ends of an attempt to mail that no server of the tests brings about on demand."""

from __future__ import annotations

import aiosmtplib
import pytest

from eservice_operator.notify.refusals import Refusal, not_connected, not_taken

SILENT = Refusal("the mail server took the connection and says nothing")


def caused(error: Exception, by: Exception | None) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    "error, refusal",
    [
        (aiosmtplib.SMTPReadTimeoutError("late"), SILENT),
        (caused(aiosmtplib.SMTPConnectTimeoutError("late"), aiosmtplib.SMTPReadTimeoutError("late")), SILENT),
        (
            caused(aiosmtplib.SMTPConnectTimeoutError("no way"), TimeoutError()),
            Refusal("no connection to the mail server: no way"),
        ),
        (ConnectionResetError(), Refusal("no connection to the mail server: ConnectionResetError")),
    ],
)
def test_a_server_that_is_silent_is_told_from_one_that_was_never_reached(
    error: Exception, refusal: Refusal
) -> None:
    assert not_connected(error) == refusal


@pytest.mark.parametrize(
    "handed_over, words",
    [
        (False, "the connection broke: reset"),
        (True, "the mail server did not say whether it took the mail: it may come twice"),
    ],
)
def test_a_break_before_the_mail_was_handed_over_is_told_from_one_after(
    words: str, *, handed_over: bool
) -> None:
    assert not_taken(ConnectionResetError("reset"), handed_over=handed_over) == Refusal(words)


def test_a_server_that_takes_no_such_address_takes_the_others() -> None:
    refusal = not_taken(aiosmtplib.SMTPNotSupported("no SMTPUTF8"), handed_over=False)
    assert (refusal.permanent, refusal.channel) == (True, False)
