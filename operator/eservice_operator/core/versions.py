# SPDX-License-Identifier: Apache-2.0
"""The versions of a template: their order, and which one is current when (R8)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from heapq import heappop, heappush
from operator import attrgetter
from typing import NamedTuple

from semver import Version

from eservice_operator.core.once import once

Precedence = tuple[int, int, int, tuple[tuple[int, int, str], ...]]
"""A key that sorts by SemVer precedence, a hundred times faster to compare than ``Version``."""

_NO_PRERELEASE = ((2, 0, ""),)


def precedence(number: Version) -> Precedence:
    """SemVer 2.0 precedence: a pre-release before its release, numeric identifiers before others."""
    return number.major, number.minor, number.patch, _prerelease_order(number.prerelease)


def _prerelease_order(prerelease: str | None) -> tuple[tuple[int, int, str], ...]:
    if prerelease is None:
        return _NO_PRERELEASE
    return tuple(
        (0, int(identifier), "") if identifier.isdigit() else (1, 0, identifier)
        for identifier in prerelease.split(".")
    )


@dataclass(frozen=True, slots=True)
class CatalogueVersion:
    """One version of a template.

    ``published`` is the publication date of its migration instruction in effect: the recorded one, if any.
    """

    text: str
    number: Version
    released: date
    published: date | None
    withdrawn_at: date | None
    replace_by: date | None
    precedence: Precedence = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "precedence", precedence(self.number))

    @property
    def is_prerelease(self) -> bool:
        """Whether it is a pre-release, which is never current and makes nobody lag."""
        return self.precedence[3] is not _NO_PRERELEASE


class Succession(NamedTuple):
    """From that day on that version is current; none when no version is."""

    day: date
    version: CatalogueVersion | None


@dataclass(frozen=True)
class Catalogue:
    """All versions of a template, in any order, each number once (the schema sees to both)."""

    versions: tuple[CatalogueVersion, ...]

    def find(self, text: str) -> CatalogueVersion | None:
        """The version of that number; none when there is none or the text is no SemVer 2.0."""
        for version in self.versions:
            if version.text == text:
                return version
        try:
            wanted = precedence(Version.parse(text))
        except ValueError:
            return None
        return next((version for version in self.versions if version.precedence == wanted), None)

    @once
    def successions(self) -> tuple[Succession, ...]:
        """Every change of the current version, by day, those to come and already known included."""
        ranked = sorted(self.versions, key=attrgetter("precedence"), reverse=True)
        published: dict[date, list[int]] = {}
        days: set[date] = set()
        for rank, version in enumerate(ranked):
            if version.published is not None and not version.is_prerelease:
                published.setdefault(version.published, []).append(rank)
                days |= {version.published, version.withdrawn_at or version.published}
        standing: list[int] = []
        changes: list[Succession] = []
        for day in sorted(days):
            for rank in published.get(day, ()):
                heappush(standing, rank)
            while standing and is_withdrawn(ranked[standing[0]], day):
                heappop(standing)
            highest = ranked[standing[0]] if standing else None
            if highest is not (changes[-1].version if changes else None):
                changes.append(Succession(day, highest))
        return tuple(changes)


def is_withdrawn(version: CatalogueVersion, day: date) -> bool:
    """Whether the version is recalled on that day; one announced for later is not yet."""
    return version.withdrawn_at is not None and version.withdrawn_at <= day


def current(catalogue: Catalogue, day: date) -> CatalogueVersion | None:
    """R8: the highest version published by that day that is neither a pre-release nor withdrawn by then."""
    return current_by(catalogue.successions, day)


def current_by(successions: Sequence[Succession], day: date) -> CatalogueVersion | None:
    """The version that is current on a day by the changes of it, which are in their order."""
    before = bisect_right(successions, day, key=attrgetter("day"))
    return successions[before - 1].version if before else None


def became_current(catalogue: Catalogue, version: CatalogueVersion) -> date | None:
    """The first day on which the version is or was current, also one to come; none when it never is.

    A version that was passed over has its day when those above it are withdrawn.
    """
    return next((since for since, found in catalogue.successions if found == version), None)
