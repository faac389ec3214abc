# SPDX-License-Identifier: Apache-2.0
"""The words of the notice in Latvian and English: what is known, and no reason that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

RIGA: Final = ZoneInfo("Europe/Riga")


@dataclass(frozen=True, slots=True)
class Words:
    """Sentences in one language, as plain text."""

    code: str
    """Of BCP 47, for ``lang``."""
    heading: str
    """Without the name of the e-service."""
    named: tuple[str, str]
    """What stands before and after the name, where it is known."""
    sorry: str
    again: Callable[[datetime], str]
    """When it is expected back."""
    later: str
    """What stands there when that is not known."""
    lost: str
    """To somebody who has just sent something."""
    catalogue: str
    """The text of the link."""


def in_riga(instant: datetime) -> datetime:
    """The same by the clocks of Latvia. OverflowError where that is beyond the end of time."""
    return instant.astimezone(RIGA)


def _latvian_moment(instant: datetime) -> str:
    """``2026. gada 1. decembrī plkst. 14.00 (pēc Latvijas laika)``; a midnight is the day alone.

    No line ends between a number and its word.
    """
    local = in_riga(instant)
    day = f"{local.year}.\u00a0gada {local.day}.\u00a0{LATVIAN_MONTHS[local.month - 1]}"
    return (
        f"{day} plkst.\u00a0{local:%H.%M} (pēc Latvijas laika)"
        if (local.hour, local.minute) != (0, 0)
        else day
    )


def _english_moment(instant: datetime) -> str:
    """``1 December 2026 at 14:00 (Latvian time)``; a midnight is the day alone."""
    local = in_riga(instant)
    day = f"{local.day}\u00a0{ENGLISH_MONTHS[local.month - 1]} {local.year}"
    return f"{day} at {local:%H:%M} (Latvian time)" if (local.hour, local.minute) != (0, 0) else day


LATVIAN_MONTHS: Final = (
    "janvārī",
    "februārī",
    "martā",
    "aprīlī",
    "maijā",
    "jūnijā",
    "jūlijā",
    "augustā",
    "septembrī",
    "oktobrī",
    "novembrī",
    "decembrī",
)
"""In the locative, for a day on which something happens."""
ENGLISH_MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)

LATVIAN: Final = Words(
    code="lv",
    heading="E-pakalpojums patlaban nav pieejams",
    named=("E-pakalpojums „", "” patlaban nav pieejams"),
    sorry="Atvainojamies par sagādātajām neērtībām.",
    again=lambda instant: f"Paredzams, ka e-pakalpojums būs atkal pieejams {_latvian_moment(instant)}.",
    later="Lūdzam mēģināt vēlāk.",
    lost=(
        "Tikko nosūtītie dati nav saņemti. Lūdzam tos iesniegt vēlreiz, kad e-pakalpojums atkal būs pieejams."
    ),
    catalogue="Informācija par e-pakalpojumu publisko pakalpojumu katalogā",
)
ENGLISH: Final = Words(
    code="en",
    heading="This e-service is currently unavailable",
    named=("The e-service “", "” is currently unavailable"),
    sorry="We apologise for the inconvenience.",
    again=lambda instant: f"The e-service is expected to be available again on {_english_moment(instant)}.",
    later="Please try again later.",
    lost=(
        "The data that you have just sent was not received. "
        "Please submit it again when the e-service is available."
    ),
    catalogue="About the e-service in the catalogue of public services",
)
WORDS: Final = {words.code: words for words in (LATVIAN, ENGLISH)}
