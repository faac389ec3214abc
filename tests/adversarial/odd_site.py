# SPDX-License-Identifier: Apache-2.0
"""An e-service with the same oddity in every field of all its objects that takes it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from eservice_operator.cluster.errors import Invalid
from eservice_operator.core.actions import Manifest
from tests.adversarial import oddities, whole
from tests.contract.apiserver import dry_create
from tests.support.fleet import Planned
from tests.support.register import Register

FOLLOWED = (
    "newline",
    "carriage return",
    "null",
    "escape",
    "c1",
    "next line",
    "line separator",
    "right to left",
    "zero width",
    "combining",
    "emoji",
    "markup",
    "format",
    "formula",
    "json",
    "encoded word",
)
"""Of the oddities those that an output could trip over."""


@dataclass(frozen=True)
class Odd:
    """What is written, and which fields have taken the oddity, as ``Kind path``."""

    what: str
    planned: Planned
    objects: tuple[Manifest, ...]
    fields: frozenset[str]

    def body(self, kind: str) -> Manifest:
        """The object of a kind."""
        return next(one for one in self.objects if one["kind"] == kind)

    def paused(self) -> Manifest:
        """The EService while the institution has it off, so that the public is shown the notice page."""
        body = self.body("EService")
        publication = body["spec"]["publication"] | {"paused": {"reason": "maintenance"}}
        return body | {"spec": body["spec"] | {"publication": publication}}


def plain(planned: Planned, register: Register, *, refused: bool) -> list[Manifest]:
    """All that it takes to be public, with texts; ``refused`` asks for access, and the holder says no."""
    catalogue = {"channels": ["Web", "Mobile"]}
    uses = [register.use()] if refused else []
    grants = [register.grant(planned, refused={"reason": "no legal ground"})] if refused else []
    return [
        planned.registration(
            spec={"scenarioStudy": {"url": "https://a.example"}, "title": {"lv": "Nosaukums", "en": "Title"}}
        ),
        planned.act(),
        planned.verification(),
        planned.eservice(
            spec={
                "uses": uses,
                "workload": {"args": ["--now"]},
                "publication": {"catalogue": catalogue},
            }
        ),
        *grants,
    ]


def texts_of(body: Manifest) -> Iterator[whole.Place]:
    """Where an object has texts, of any length."""
    for path, schema in whole.leaves(body["kind"]):
        if schema.get("type") == "string" and "enum" not in schema and "format" not in schema:
            yield from whole.places(body, path)


def text_of(what: str, usual: str) -> str:
    """The oddity as people would write it: behind something usual."""
    return f"{usual}{oddities.TEXTS[what]}"


async def odd(register: Register, what: str, number: int) -> Odd:
    """Fields take it that the API server takes with it, each tried alone."""
    planned = register.site.planned(f"odd-{number}", content=what)
    taken: list[Manifest] = []
    fields: set[str] = set()
    for body in plain(planned, register, refused=number % 2 == 1):
        result = body
        where = list(texts_of(body))
        answers = await asyncio.gather(*(_takes(register, body, place, what) for place in where))
        for place in (one for one, takes in zip(where, answers, strict=True) if takes):
            result = whole.put(result, place, text_of(what, whole.at(body, place)))
            fields.add(f"{body['kind']} {'.'.join(str(step) for step in place)}")
        taken.append(result)
    return Odd(what, planned, tuple(taken), frozenset(fields))


async def _takes(register: Register, body: Manifest, place: whole.Place, what: str) -> bool:
    if place[-1] in REFERENCES:
        return False
    try:
        await dry_create(register.site.api, whole.put(body, place, text_of(what, whole.at(body, place))))
    except Invalid:
        return False
    return True


REFERENCES = frozenset({"image", "registration", "webService", "code"})
"""What another object has to be found by."""
