# SPDX-License-Identifier: Apache-2.0
"""Template catalogues, policies and days for tests: by hand, and as Hypothesis strategies.

Catalogues come small and crowded: few days, few numbers and short periods, so that publications,
withdrawals and limits often fall on the same day, which is where rules go wrong. `any_*` strategies
range over everything that can be written, for "never raises".
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from hypothesis import settings
from hypothesis import strategies as st
from semver import Version

from eservice_operator.core.dates import Period, add_period
from eservice_operator.core.lag import LagPolicy, Measure
from eservice_operator.core.versions import Catalogue, CatalogueVersion


def day(text: str) -> date:
    """The day written as `2024-02-29`."""
    return date.fromisoformat(text)


def version(
    text: str,
    released: str,
    published: str | None = None,
    *,
    withdrawn_at: str | None = None,
    replace_by: str | None = None,
) -> CatalogueVersion:
    """One version with its dates as text."""
    return CatalogueVersion(
        text=text,
        number=Version.parse(text),
        released=day(released),
        published=None if published is None else day(published),
        withdrawn_at=None if withdrawn_at is None else day(withdrawn_at),
        replace_by=None if replace_by is None else day(replace_by),
    )


def catalogue_of(*versions: CatalogueVersion) -> Catalogue:
    """A catalogue of these versions."""
    return Catalogue(versions)


SAMPLE = catalogue_of(
    version("2.0.0", "2024-02-01", "2024-03-01"),
    version("3.0.0", "2025-10-01", "2025-11-01"),
    version("3.1.0", "2026-06-01"),
)
"""The template of the product description: 3.1.0 has no instruction yet."""

FIRST_DAY = date(2023, 11, 30)
"""The first day of the crowded range; the leap day of 2024 is in it."""

LAST_DAY = date(2024, 10, 15)
"""Whatever follows from crowded facts and periods has happened by this day."""

MEASURES: tuple[Measure, ...] = ("ReleaseGap", "SinceSuperseded")

_ANCHORS = [
    day(text)
    for text in (
        "2023-12-31",
        "2024-01-31",
        "2024-02-29",
        "2024-03-01",
        "2024-03-31",
        "2024-04-30",
        "2024-05-01",
    )
]
_anchors = st.sampled_from(_ANCHORS)
fact_days = st.one_of(_anchors, _anchors, _anchors, _anchors, st.dates(FIRST_DAY, date(2024, 6, 15)))
"""Days that are often the same, or a month apart."""

days = st.one_of(fact_days, st.dates(FIRST_DAY, LAST_DAY))
any_days = st.one_of(
    fact_days,
    st.dates(),
    st.sampled_from([date.min, date(1, 1, 2), date(9999, 12, 1), date(9999, 12, 30), date.max]),
)

periods = st.sampled_from(
    [Period(0, 0), Period(0, 0), Period(0, 1), Period(1, 0), Period(1, 0), Period(2, 0), Period(3, 14)]
)
any_periods = st.one_of(periods, st.builds(Period, st.integers(0, 12_000_000), st.integers(0, 7_000_000)))


def policies(some_periods: st.SearchStrategy[Period] = periods) -> st.SearchStrategy[LagPolicy]:
    """Lag policies of both measures."""
    return st.builds(LagPolicy, some_periods, st.sampled_from(MEASURES), some_periods)


_prereleases = st.sampled_from([None, None, None, None, "rc.1", "alpha"])
numbers = st.builds(Version, st.integers(1, 4), st.integers(0, 2), st.just(0), _prereleases)

_identifiers = st.one_of(
    st.integers(0, 20).map(str),
    st.from_regex(r"[0-9A-Za-z-]*[A-Za-z-][0-9A-Za-z-]*", fullmatch=True),
)
_prerelease_texts = st.lists(_identifiers, min_size=1, max_size=4).map(".".join)
siblings = st.builds(Version, st.just(1), st.just(0), st.just(0), st.one_of(st.none(), _prerelease_texts))
"""Numbers that differ in their pre-release at most."""

_parts = st.one_of(st.integers(0, 1), st.integers(0, 1), st.integers(0))
any_numbers = st.builds(
    Version,
    _parts,
    _parts,
    _parts,
    st.one_of(st.none(), _prerelease_texts),
)
"""Every SemVer without build metadata, which templates refuse."""


@st.composite
def catalogue_versions(
    draw: st.DrawFn, some_numbers: st.SearchStrategy[Version], some_days: st.SearchStrategy[date]
) -> CatalogueVersion:
    """One version; the dates are in any order to each other, and `replace_by` only beside a withdrawal."""
    number = draw(some_numbers)
    withdrawn_at = draw(st.one_of(st.none(), st.none(), st.none(), some_days))
    return CatalogueVersion(
        text=str(number),
        number=number,
        released=draw(some_days),
        published=draw(st.one_of(st.none(), some_days, some_days)),
        withdrawn_at=withdrawn_at,
        replace_by=None if withdrawn_at is None else draw(st.one_of(st.none(), some_days)),
    )


def catalogues(
    some_numbers: st.SearchStrategy[Version] = numbers,
    some_days: st.SearchStrategy[date] = fact_days,
    min_size: int = 0,
) -> st.SearchStrategy[Catalogue]:
    """Catalogues in which every version occurs once, as the list map of a template guarantees."""
    versions = st.lists(
        catalogue_versions(some_numbers, some_days),
        min_size=min_size,
        max_size=7,
        unique_by=lambda version: version.text,
    )
    return versions.map(lambda found: Catalogue(tuple(found)))


@st.composite
def catalogues_and_used(draw: st.DrawFn) -> tuple[Catalogue, CatalogueVersion]:
    """A crowded catalogue, and the version in it that a service uses, more often a low one."""
    catalogue = draw(catalogues(min_size=2))
    ascending = sorted(catalogue.versions, key=lambda one: one.number)
    ranks = st.integers(0, len(ascending) - 1)
    return catalogue, ascending[min(draw(ranks), draw(ranks))]


@st.composite
def lags_at_the_limit(draw: st.DrawFn) -> tuple[Catalogue, CatalogueVersion, LagPolicy]:
    """A crowded catalogue in which all others were released within a day of the limit of the lowest one."""
    of = draw(policies())
    used, *others = sorted(draw(catalogues(min_size=3)).versions, key=lambda one: one.number)
    limit = add_period(used.released, of.maximum_lag)
    offsets = st.sampled_from([timedelta(days=-1), timedelta(), timedelta(days=1)])
    moved = [replace(one, released=limit + draw(offsets)) for one in others]
    return Catalogue((used, *moved)), used, of


@st.composite
def lags_with_a_draft(draw: st.DrawFn) -> tuple[Catalogue, CatalogueVersion, LagPolicy]:
    """Three versions: the used one, one just out of its reach without an instruction, and one above that."""
    of = draw(policies())
    used = draw(catalogue_versions(st.just(Version(1)), fact_days))
    limit = add_period(used.released, of.maximum_lag)
    draft = CatalogueVersion("2.0.0", Version(2), limit + timedelta(days=1), None, None, None)
    above = draw(catalogue_versions(st.just(Version(3)), fact_days))
    above = replace(above, released=limit + timedelta(days=draw(st.integers(-1, 1))))
    return Catalogue((above, used, draft)), used, of


Shuffle = Callable[[Catalogue], Catalogue]


def _shuffle_by(random: Random) -> Shuffle:
    return lambda catalogue: Catalogue(tuple(random.sample(catalogue.versions, len(catalogue.versions))))


shuffles = st.randoms(use_true_random=False).map(_shuffle_by)
"""Ways to write the same catalogue in another order."""

more_examples = settings(max_examples=4 * settings().max_examples)
"""For cheap properties whose interesting cases are rare."""

any_catalogues = st.one_of(catalogues(), catalogues(any_numbers, any_days))
any_policies = policies(any_periods)
