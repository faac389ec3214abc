# SPDX-License-Identifier: Apache-2.0
"""An EService whose spec cannot be read, as far as it is known: so that what takes can still be decided.

Whose e-service it is has to be readable. The release that it asks for counts if all of it can be read;
otherwise it is the one that our status last spoke of. How that runs is what its snapshot remembers, and
nothing where none is left: nothing is built from it.
"""

from __future__ import annotations

from eservice_operator.api.base import (
    Environment,
    LocalizedText,
    LocalizedTitle,
    Model,
    ObjectMeta,
    TemplateRef,
)
from eservice_operator.api.delivery import Release
from eservice_operator.api.eservice import (
    EService,
    EServiceSpec,
    EServiceStatus,
    ProductionRequest,
    ReleaseStatus,
)
from eservice_operator.api.fields import ObjectName, Url
from eservice_operator.api.parse import InvalidObject, read
from eservice_operator.api.publication import Catalogue, GatewayChoice, Publication
from eservice_operator.api.workload import Workload
from eservice_operator.core.actions import Manifest
from eservice_operator.core.cleaning import one_line
from eservice_operator.core.notice_rule import LONGEST_TITLE
from eservice_operator.core.releases import Snapshot, newest


class _Envelope(Model):
    metadata: ObjectMeta
    status: EServiceStatus = EServiceStatus()


class _Standing(Model):
    registration: ObjectName
    environment: Environment


class _Asked(Model):
    template: TemplateRef
    release: Release
    production_request: ProductionRequest | None = None


class _Catalogue(Model):
    url: Url | None = None
    title: LocalizedText = LocalizedText()


class _Described(Model):
    catalogue: _Catalogue = _Catalogue()


class _Shown(Model):
    publication: _Described = _Described()


def last_known(body: Manifest, snapshots: tuple[Snapshot, ...]) -> EService | None:
    """The EService of a body whose spec cannot be read; None when nothing can be decided about it."""
    spec = body.get("spec") or {}
    envelope, standing, asked = read(_Envelope, body), read(_Standing, spec), read(_Asked, spec)
    if isinstance(envelope, InvalidObject) or isinstance(standing, InvalidObject):
        return None
    spoken_of = envelope.status.release.candidate or envelope.status.release.public
    last = _last(snapshots, spoken_of)
    if isinstance(asked, InvalidObject):
        named = last or spoken_of
        if named is None:
            return None
        asked = _Asked(template=named.template, release=Release(image=named.image))
    known = EServiceSpec(
        registration=standing.registration,
        environment=standing.environment,
        template=asked.template,
        release=asked.release,
        production_request=asked.production_request,
        workload=Workload() if last is None else last.workload,
        uses=() if last is None else last.uses,
        publication=_nowhere() if last is None else _published(last, _catalogue(spec)),
    )
    return EService(metadata=envelope.metadata, spec=known, status=envelope.status)


def _published(last: Snapshot, catalogue: Catalogue) -> Publication:
    gateway = None if last.gateway is None else GatewayChoice.model_validate(last.gateway.fields())
    return Publication(hosts=last.hosts, path=last.path, gateway=gateway, catalogue=catalogue)


def _catalogue(spec: Manifest) -> Catalogue:
    """What the notice page tells of it, should it be taken off; a title of several lines becomes one."""
    shown = read(_Shown, spec)
    if isinstance(shown, InvalidObject):
        return Catalogue()
    found = shown.publication.catalogue
    lines = {"lv": found.title.lv, "en": found.title.en}
    titles = {language: one_line(text or "", LONGEST_TITLE) or None for language, text in lines.items()}
    return Catalogue(url=found.url, title=LocalizedTitle(**titles))


def _nowhere() -> Publication:
    """A publication without hosts, which no spec may ask for."""
    return Publication.model_construct(hosts=())


def _last(snapshots: tuple[Snapshot, ...], spoken_of: ReleaseStatus | None) -> Snapshot | None:
    if spoken_of is None:
        return snapshots[-1] if snapshots else None
    return newest(snapshots, spoken_of.name)
