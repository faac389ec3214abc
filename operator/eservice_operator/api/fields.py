# SPDX-License-Identifier: Apache-2.0
"""The fields of the API: bounded strings, dates and quantities, and the schema rules that go with them.

Every string and list is bounded: the bounds keep objects small and let the apiserver estimate the cost
of the CEL rules.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema


def cel(rule: str, message: str, **more: Any) -> dict[str, Any]:
    """One CEL validation; ``message`` says what to write instead."""
    return {"rule": rule, "message": message, **more}


def rules(*validations: dict[str, Any]) -> dict[str, Any]:
    """Schema extension that holds CEL validations."""
    return {"x-kubernetes-validations": list(validations)}


def list_map(*keys: str) -> dict[str, Any]:
    """Schema extension for a list whose items are told apart by ``keys``."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


LIST_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}
LIST_ATOMIC: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}


def text(pattern: str, write: str, *, most: int, least: int = 1, rule: str = "") -> Any:
    """Bounds of a string: ``least`` to ``most`` characters, and a pattern (common to RE2 and Rust's regex).

    The CRD states the pattern as a CEL rule, since the apiserver then answers ``write``, which says what to
    write, and not the pattern. ``rule`` is a sharper rule for the apiserver.
    """
    validation = cel(rule or f'self.matches(r"{pattern}")', write)
    return Field(pattern=pattern, min_length=least, max_length=most, json_schema_extra=rules(validation))


LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_PRERELEASE = r"(0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_NUMBER = r"(0|[1-9][0-9]*)"
SEMVER_PATTERN = rf"^{_NUMBER}\.{_NUMBER}\.{_NUMBER}(-{_PRERELEASE}(\.{_PRERELEASE})*)?$"
# thousandths at the finest: the apiserver rounds what is finer, and would never have what the spec says
QUANTITY_PATTERN = r"^[0-9]+(m|(\.[0-9]{1,3})?(k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?)$"
_ENDS_LINE = r"\p{Cc}\p{Zl}\p{Zp}"
ONE_LINE = rf"^[^{_ENDS_LINE}]+$"
SHOWN_LINE = rf"^[^{_ENDS_LINE}\x{{061C}}\x{{200E}}\x{{200F}}\x{{202A}}-\x{{202E}}\x{{2066}}-\x{{2069}}]+$"
"""A line in which nothing turns the direction of reading round. Only the apiserver asks for it: what it took
once is read as it is, for an object that cannot be read costs more than a title that looks odd."""
BLANK = r"\p{Cc}\p{Z}"
"""White space, in a class: the apiserver (RE2) takes other characters for ``\\s`` than Rust's regex here, and
what only one of them accepts is an object that is stored and cannot be read."""

Name = Annotated[
    str,
    text(rf"^{LABEL}$", "write a name of a-z, 0-9 and -, with a letter or a digit at both ends", most=63),
]
"""A DNS label."""
ObjectName = Annotated[
    str,
    text(
        r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$",
        "write a name of a-z, 0-9, - and ., with a letter or a digit at both ends",
        most=253,
    ),
]
"""A DNS subdomain: the name of any object."""
Host = Annotated[
    str,
    text(
        rf"^{LABEL}(\.{LABEL})+$",
        "write a host name in lower case without scheme, port or wildcard, such as address.latvija.example",
        least=3,
        most=253,
    ),
]
"""A host name in lower case, without a port or a wildcard."""
HostPattern = Annotated[
    str,
    text(
        rf"^(\*\.)?{LABEL}(\.{LABEL})+$",
        "write a host name in lower case, or *. and a domain, such as *.test.latvija.example",
        least=3,
        most=253,
    ),
]
"""A host name, or ``*.`` and a domain: any single label before it."""
Url = Annotated[
    str, text(rf"^https?://[^{BLANK}]+$", "write an address that begins with https:// or http://", most=2048)
]
Sha256 = Annotated[str, text(r"^[0-9a-f]{64}$", "write 64 hexadecimal digits in lower case", most=64)]
Image = Annotated[str, text(rf"^[^{BLANK}]+$", "write an image reference without spaces", most=512)]
"""An image reference; in Production it must end in ``@sha256:<digest>``."""
DigestImage = Annotated[
    str,
    text(
        rf"^[^{BLANK}@]+@sha256:[0-9a-f]{{64}}$",
        "name the image by digest: write <repository>@sha256:<64 hexadecimal digits>",
        most=512,
    ),
]
"""An image reference that names its content by digest."""
SemVer = Annotated[
    str,
    text(
        SEMVER_PATTERN,
        "write a SemVer 2.0 version without build metadata, such as 3.0.0 or 3.1.0-rc.1",
        least=5,
        most=64,
    ),
]
"""A SemVer 2.0 version without build metadata (which has no place in the order)."""
Duration = Annotated[
    str,
    text(
        r"^P([0-9]{1,3}Y)?([0-9]{1,3}M)?([0-9]{1,3}W)?([0-9]{1,3}D)?$",
        "write a duration of whole years, months, weeks and days, such as P18M or P7D",
        least=3,
        most=32,
    ),
]
"""An ISO 8601 duration of whole years, months, weeks and days, such as ``P18M``."""
_A_LINE = "write a single line without control characters"
Short = Annotated[str, text(ONE_LINE, _A_LINE, most=128)]
Line = Annotated[str, text(ONE_LINE, _A_LINE, most=512)]
_SHOWN = cel(
    f'self.matches(r"{SHOWN_LINE}")',
    f"{_A_LINE} and without such that turn the direction of reading",
)
Title = Annotated[str, Field(min_length=1, max_length=2000, json_schema_extra=rules(_SHOWN))]
Told = Annotated[str, text(ONE_LINE, _SHOWN["message"], most=512, rule=_SHOWN["rule"])]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]
Message = Annotated[str, StringConstraints(max_length=4096)]
Email = Annotated[
    str,
    text(
        rf"^[^@{BLANK},;<>]+@[^@{BLANK},;<>]+$",
        "write an e-mail address, such as help@pmlp.example",
        least=3,
        most=254,
    ),
]
Phone = Annotated[
    str, text(r"^[+0-9 ()-]+$", "write a telephone number with digits, spaces and +()- only", most=32)
]

Date = dt.date
DateTime = AwareDatetime
_FIRST_YEAR, _END_YEAR = 1990, 2200
FIRST_INSTANT, END_INSTANT = (dt.datetime(year, 1, 1, tzinfo=dt.UTC) for year in (_FIRST_YEAR, _END_YEAR))
_FIRST, _END = (f"timestamp('{year}-01-01T00:00:00Z')" for year in (_FIRST_YEAR, _END_YEAR))
_IN_RANGE = rules(
    cel(f"self >= {_FIRST} && self < {_END}", f"write a year from {_FIRST_YEAR} to {_END_YEAR - 1}")
)


def _without_time(value: Any) -> Any:
    """The apiserver takes no instant for a day, not even midnight, which pydantic would."""
    if isinstance(value, str) and value[len("2026-11-22") :].startswith(("T", "t", " ")):
        raise PydanticCustomError("day_with_time", "is more than a day")
    return value


Day = Annotated[
    dt.date,
    Field(ge=dt.date(_FIRST_YEAR, 1, 1), lt=dt.date(_END_YEAR, 1, 1), json_schema_extra=_IN_RANGE),
    BeforeValidator(_without_time),
]
"""A day that people write: in a range that lets every sum with a duration stay a date."""
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"
INSTANT_PATTERN = rf"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T{_CLOCK}:[0-5][0-9](\.[0-9]{{1,9}})?(Z|[+-]{_CLOCK})$"
_AN_INSTANT = "write an instant with its offset from UTC, such as 2026-10-12T10:00:00Z"


class _Written:
    """The one form of an instant that the apiserver takes; the operator reads others that it took once.

    ``format: date-time`` would keep the apiserver from saying what to write.
    """

    @staticmethod
    def __get_pydantic_json_schema__(_core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        at = f"timestamp(self) >= {_FIRST} && timestamp(self) < {_END}"
        write = f"{_AN_INSTANT}, from {_FIRST_YEAR} to {_END_YEAR - 1}"
        rule = cel(f'self.matches(r"{INSTANT_PATTERN}") && {at}', write)
        return {"type": "string", "maxLength": 64, **rules(rule)}


Instant = Annotated[
    AwareDatetime,
    Field(ge=FIRST_INSTANT, lt=END_INSTANT),
    _Written,
]
"""An instant that people write, in the same range."""
_AMOUNT = "write an amount such as 500m, 2, 512Mi or 1.5Gi, with three decimals at most"


class _Amount:
    """What a quantity adds to its union of types: one error for both, and its form in the CRD."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.custom_error_schema(handler(source), "quantity", custom_error_message=_AMOUNT)

    @staticmethod
    def __get_pydantic_json_schema__(_core: CoreSchema, _handler: GetJsonSchemaHandler) -> dict[str, Any]:
        rule = f'type(self) == int ? self >= 0 : self.matches(r"{QUANTITY_PATTERN}")'
        return {"x-kubernetes-int-or-string": True, "maxLength": 32, **rules(cel(rule, _AMOUNT))}


Quantity = Annotated[
    Annotated[int, Field(ge=0)] | Annotated[str, StringConstraints(pattern=QUANTITY_PATTERN, max_length=32)],
    _Amount,
]
"""A Kubernetes quantity such as ``500m`` or ``1Gi``."""


def immutable_but_revoked(what: str, *fields: str) -> list[dict[str, object]]:
    """CEL rules for a record (``what``, in messages) of which only ``revoked`` may be set, once."""
    same = " && ".join(
        f"has(self.{field}) == has(oldSelf.{field})"
        f" && (!has(self.{field}) || self.{field} == oldSelf.{field})"
        for field in fields
    )
    return [
        cel(same, f"{what} never changes: set revoked, and write a new one instead"),
        cel(
            "!has(oldSelf.revoked) || (has(self.revoked) && self.revoked == oldSelf.revoked)",
            f"revoked is set once and stays: write a new {what.rsplit(maxsplit=1)[-1]} instead",
            fieldPath=".revoked",
        ),
    ]
