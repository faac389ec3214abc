# SPDX-License-Identifier: Apache-2.0
"""Periods such as P18M in words of a language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PERIOD: Final = re.compile(r"P(?=\d)(?:(\d{1,6})Y)?(?:(\d{1,6})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?", re.ASCII)
UNITS: Final = "YMWD"


class Case(StrEnum):
    """How a period stands in its sentence."""

    SUBJECT = "subject"
    """Alone, or as who does something: «18 mēneši»."""
    OBJECT = "object"
    """How long something lasts: «ne ilgāk kā 18 mēnešus»."""
    BY = "by"
    """By how much something differs: «par vairāk nekā 18 mēnešiem»."""


@dataclass(frozen=True, slots=True)
class Periods:
    """What a language needs for writing periods."""

    words: Mapping[Case, Mapping[str, tuple[str, str]]]
    """Of years, months, weeks and days: for one, and for several."""
    is_one: Callable[[int], bool]
    """Whether a number goes with the form for one."""
    conjunction: str


def in_words(text: str, language: Periods, case: Case) -> str:
    """The period of an ISO 8601 duration, such as ``18 months``; empty for anything else.

    What is zero is left out, unless all is: then it is so many days.
    """
    match = PERIOD.fullmatch(text)
    if match is None:
        return ""
    counted = [(int(count), unit) for count, unit in zip(match.groups(), UNITS, strict=True) if count]
    said = [
        f"{count} {language.words[case][unit][0 if language.is_one(count) else 1]}"
        for count, unit in [(count, unit) for count, unit in counted if count] or [(0, "D")]
    ]
    return f" {language.conjunction} ".join([part for part in (", ".join(said[:-1]), said[-1]) if part])


_ENGLISH: Final = {
    "Y": ("year", "years"),
    "M": ("month", "months"),
    "W": ("week", "weeks"),
    "D": ("day", "days"),
}
ENGLISH_PERIODS: Final = Periods(dict.fromkeys(Case, _ENGLISH), lambda count: count == 1, "and")
LATVIAN_PERIODS: Final = Periods(
    {
        Case.SUBJECT: {
            "Y": ("gads", "gadi"),
            "M": ("mēnesis", "mēneši"),
            "W": ("nedēļa", "nedēļas"),
            "D": ("diena", "dienas"),
        },
        Case.OBJECT: {
            "Y": ("gadu", "gadus"),
            "M": ("mēnesi", "mēnešus"),
            "W": ("nedēļu", "nedēļas"),
            "D": ("dienu", "dienas"),
        },
        Case.BY: {
            "Y": ("gadu", "gadiem"),
            "M": ("mēnesi", "mēnešiem"),
            "W": ("nedēļu", "nedēļām"),
            "D": ("dienu", "dienām"),
        },
    },
    lambda count: str(count).endswith("1") and not str(count).endswith("11"),
    "un",
)
"""«21 mēnesis», but «11 mēneši»."""
