# SPDX-License-Identifier: Apache-2.0
"""Releases: what acts and verifications name, and the snapshots that remember how each last ran.

A release is (image digest, template name, template version). Its name is a hash of these and part of
the names of its objects. A snapshot is kept in a ControllerRevision, whose data cannot be changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eservice_operator.api.base import TemplateRef
from eservice_operator.api.delivery import Release
from eservice_operator.api.eservice import EService
from eservice_operator.api.publication import GatewayChoice, Publication
from eservice_operator.api.uses import Use
from eservice_operator.api.workload import Workload
from eservice_operator.core.memory import Memory
from eservice_operator.core.once import once
from eservice_operator.core.policy import GatewayRef

HASH_LENGTH = 10
REMEMBERED = 20_000
"""Of how many e-services the wanted release is kept."""
SHORT_DIGEST = len("sha256:") + 12


def short_hash(value: object, length: int = HASH_LENGTH) -> str:
    """A hash of any JSON value, stable across runs; ``length`` hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def digest_of(image: str) -> str:
    """What tells an image's content apart: its digest, or the whole reference where it has none."""
    return image.rpartition("@")[2]


def short_image(image: str) -> str:
    """An image for messages: the repository, and enough of the digest to tell it apart."""
    repository, at, digest = image.partition("@")
    return f"{repository}{at}{digest[:SHORT_DIGEST]}" if at else image


def release_name(image: str, template: TemplateRef) -> str:
    """The name of the release; the repository of the image may move."""
    return _name(digest_of(image), template.name, template.version)


@lru_cache(maxsize=16_384)
def _name(digest: str, template: str, version: str) -> str:
    return short_hash([digest, template, version])


def same_template(one: TemplateRef | None, other: TemplateRef | None) -> bool:
    """Whether both are there and name the same version."""
    return one is not None and other is not None and one.version == other.version and one.name == other.name


@dataclass(frozen=True)
class Snapshot:
    """A release as it runs, or last ran: everything its children are built from."""

    name: str
    image: str
    template: TemplateRef
    workload: Workload
    uses: tuple[Use, ...]
    hosts: tuple[str, ...]
    path: str
    gateway: GatewayRef | None = None
    """The Gateway that it asks for; none for the public one."""
    configured_at: str = ""
    """When its workload or uses last changed after it was first installed; empty when they never did."""
    revision: int = 0

    def data(self) -> dict[str, Any]:
        """What a ControllerRevision keeps of it."""
        kept = {
            "image": self.image,
            "template": {"name": self.template.name, "version": self.template.version},
            "workload": self.workload.model_dump(mode="json", by_alias=True, exclude_none=True),
            "uses": [use.model_dump(mode="json", by_alias=True, exclude_none=True) for use in self.uses],
            "hosts": list(self.hosts),
            "path": self.path,
        }
        if self.gateway is not None:
            kept["gateway"] = self.gateway.fields()
        return kept | ({"configuredAt": self.configured_at} if self.configured_at else {})

    @once
    def content(self) -> str:
        """Hash of the data: two snapshots of one release differ in it."""
        return short_hash(self.data())

    @once
    def digest(self) -> str:
        """What acts name of its image."""
        return digest_of(self.image)

    def names(self, image: str, template: TemplateRef) -> bool:
        """Whether an act or a verification of (image, template) speaks of this release."""
        return same_template(template, self.template) and digest_of(image) == self.digest

    @once
    def configuration(self) -> str:
        """Hash of how its Pods run, whoever reaches them."""
        data = self.data()
        return short_hash([data["workload"], data["uses"]])


def snapshot_of(service: EService) -> Snapshot:
    """The release that the spec names, as the spec wants it to run."""
    return _wanted.recall(service.metadata.uid, service, _snapshot_of)


def _snapshot_of(service: EService) -> Snapshot:
    spec = service.spec
    return Snapshot(
        name=release_name(spec.release.image, spec.template),
        image=spec.release.image,
        template=spec.template,
        workload=spec.workload,
        uses=spec.uses,
        hosts=spec.publication.hosts,
        path=spec.publication.path,
        gateway=_chosen(spec.publication.gateway),
    )


def _chosen(gateway: GatewayChoice | None) -> GatewayRef | None:
    return None if gateway is None else GatewayRef(gateway.namespace, gateway.name, gateway.section or "")


_wanted: Memory[EService, Snapshot] = Memory(REMEMBERED)


def read_snapshot(data: Mapping[str, Any], revision: int) -> Snapshot:
    """A snapshot from what a ControllerRevision kept.

    Raises ``ValueError`` when the data are not those of a snapshot.
    """
    try:
        template = TemplateRef.model_validate(data["template"])
        image = Release.model_validate({"image": data["image"]}).image
        public = Publication.model_validate(
            {"hosts": data["hosts"], "path": data.get("path", "/"), "gateway": data.get("gateway")}
        )
        return Snapshot(
            name=release_name(image, template),
            image=image,
            template=template,
            workload=Workload.model_validate(data.get("workload") or {}),
            uses=tuple(Use.model_validate(use) for use in data.get("uses") or ()),
            hosts=public.hosts,
            path=public.path,
            gateway=_chosen(public.gateway),
            configured_at=str(data.get("configuredAt", "")),
            revision=revision,
        )
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError(f"not a snapshot: {error}") from error


def newest(snapshots: Iterable[Snapshot], name: str) -> Snapshot | None:
    """The newest snapshot of a release, by revision."""
    own = [snapshot for snapshot in snapshots if snapshot.name == name]
    return max(own, key=lambda snapshot: (snapshot.revision, snapshot.content), default=None)


def earlier(releases: Iterable[Snapshot], remembered: Collection[Snapshot]) -> list[Snapshot]:
    """Those of the releases whose workload is still to be changed, as they run until then."""
    known = ((release, newest(remembered, release.name)) for release in releases)
    return [old for release, old in known if old is not None and old.workload != release.workload]
