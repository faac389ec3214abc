# SPDX-License-Identifier: Apache-2.0
"""Reads the store and builds the world of one decision. Only reads, and nothing that it computed before.

An object that cannot be read is left out of other objects' worlds: an act nobody can read accepts
nothing, a template nobody can read is unknown.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from pydantic import ValidationError

from eservice_operator.api import names
from eservice_operator.api.acts import (
    AcceptanceAct,
    ProductionVerification,
    UnpublishDecision,
    UnpublishDeferral,
)
from eservice_operator.api.base import Model, ObjectMeta, Status
from eservice_operator.api.eservice import EService
from eservice_operator.api.kinds import BY_KIND
from eservice_operator.api.parse import InvalidObject, parse
from eservice_operator.api.registration import EServiceIdentifier, EServiceRegistration
from eservice_operator.api.template import EServiceTemplate
from eservice_operator.cluster import indexes
from eservice_operator.cluster.resources import CHILDREN
from eservice_operator.cluster.store import Store, key_of
from eservice_operator.core.actions import Manifest
from eservice_operator.core.facts import age
from eservice_operator.core.hosts import unregistered_hosts
from eservice_operator.core.keys import ObjectKey
from eservice_operator.core.releases import Snapshot, read_snapshot, release_name
from eservice_operator.core.templating import catalogue_of
from eservice_operator.core.world import (
    HostClaim,
    KnownTemplate,
    Observed,
    Policy,
    RecordWorld,
    RegistrationWorld,
    TemplateWorld,
    World,
)

CHILD_KINDS = (*(resource.kind for resource in CHILDREN), "EndpointSlice")
REMEMBERED = 20_000
"""How many parsed objects are kept, so that one is parsed once for each of its versions."""

M = TypeVar("M", bound=Model)
Parsed = tuple[str, object]


class Observer:
    """Builds worlds from the store."""

    def __init__(self, store: Store, policy: Policy) -> None:
        self._store = store
        self._policy = policy
        self._memory: OrderedDict[tuple[str, str], Parsed] = OrderedDict()

    def eservice(self, key: ObjectKey) -> World | InvalidObject | None:
        """The world of an EService; None when there is none."""
        service = self._one(EService, key)
        if not isinstance(service, EService):
            return service
        metadata, spec = service.metadata, service.spec
        place = f"{metadata.namespace}/{metadata.name}"
        children = self._children(metadata)
        decisions = self._found(
            UnpublishDecision, indexes.REGISTRATION, f"{spec.registration}/{spec.environment.value}"
        )
        snapshots = self._snapshots(children)
        template_names = {spec.template.name, *(snapshot.template.name for snapshot in snapshots)}
        template_names |= {decision.spec.release.template.name for decision in decisions}
        if service.status.release.public is not None:
            template_names.add(service.status.release.public.template.name)
        return World(
            service=service,
            templates={
                name: known for name in sorted(template_names) if (known := self._template(name)) is not None
            },
            registration=self._cluster_scoped(EServiceRegistration, spec.registration),
            acts=self._found(AcceptanceAct, indexes.ESERVICE, place),
            verifications=self._found(ProductionVerification, indexes.ESERVICE, place),
            deferrals=self._found(UnpublishDeferral, indexes.ESERVICE, place),
            decisions=tuple(sorted(decisions, key=lambda decision: decision.metadata.name)),
            senior=self._senior(service),
            claims=self._claims(service),
            children=children,
            snapshots=snapshots,
        )

    def template(self, key: ObjectKey) -> TemplateWorld | InvalidObject | None:
        """The world of an EServiceTemplate; None when there is none."""
        template = self._one(EServiceTemplate, key)
        if not isinstance(template, EServiceTemplate):
            return template
        in_use = {}
        for version in template.spec.versions:
            public = self._store.by_index("EService", indexes.PUBLIC_VERSION, f"{key.name}@{version.version}")
            in_use[version.version] = len(public)
        known = self._template(key.name)
        catalogue = catalogue_of(template) if known is None else known.catalogue
        return TemplateWorld(template=template, catalogue=catalogue, in_use=in_use)

    def registration(self, key: ObjectKey) -> RegistrationWorld | InvalidObject | None:
        """The world of an EServiceRegistration; None when there is none."""
        registration = self._one(EServiceRegistration, key)
        if not isinstance(registration, EServiceRegistration):
            return registration
        wanted = [entry.name for entry in registration.spec.namespaces]
        namespaces = {name: self._store.get("Namespace", "", name) for name in wanted}
        others = {
            other.metadata.name: other
            for name in wanted
            for other in self._found(EServiceRegistration, indexes.NAMESPACE, name)
            if other.metadata.name != key.name
        }
        return RegistrationWorld(
            registration=registration,
            identifiers=self._all(EServiceIdentifier),
            namespaces={name: Observed(body) for name, body in namespaces.items() if body is not None},
            others=tuple(others[name] for name in sorted(others)),
            reserved=names.SYSTEM_NAMESPACES
            | {self._policy.routes_namespace, self._policy.gateway.namespace},
        )

    def record(self, key: ObjectKey) -> RecordWorld | InvalidObject | None:
        """The world of an act, a verification, a deferral or an identifier; None when there is none."""
        match key.kind:
            case "AcceptanceAct":
                act = self._one(AcceptanceAct, key)
                if not isinstance(act, AcceptanceAct):
                    return act
                return RecordWorld(act, self._service(act.spec.e_service.namespace, act.spec.e_service.name))
            case "UnpublishDeferral":
                deferral = self._one(UnpublishDeferral, key)
                if not isinstance(deferral, UnpublishDeferral):
                    return deferral
                named = deferral.spec.e_service
                return RecordWorld(deferral, self._service(named.namespace, named.name))
            case "ProductionVerification":
                verification = self._one(ProductionVerification, key)
                if not isinstance(verification, ProductionVerification):
                    return verification
                service = self._service(key.namespace, verification.spec.e_service)
                return RecordWorld(verification, service, newest=self._counts(verification))
            case _:
                identifier = self._one(EServiceIdentifier, key)
                if not isinstance(identifier, EServiceIdentifier):
                    return identifier
                return RecordWorld(identifier)

    def envelope(self, key: ObjectKey) -> tuple[ObjectMeta, Status]:
        """The metadata and the status of an object whose spec cannot be read."""
        body = self._store.get(key.kind, key.namespace, key.name) or {"metadata": {"name": key.name}}
        empty: Status = BY_KIND[key.kind].model.model_fields["status"].default
        try:
            status = type(empty).model_validate(body.get("status") or {})
        except ValidationError:
            status = empty
        return ObjectMeta.model_validate(body["metadata"]), status

    def _counts(self, verification: ProductionVerification) -> bool:
        """Whether no newer verification speaks of the same release."""
        place = f"{verification.metadata.namespace}/{verification.spec.e_service}"
        release = release_name(verification.spec.image, verification.spec.template)
        same = [
            other
            for other in self._found(ProductionVerification, indexes.ESERVICE, place)
            if release_name(other.spec.image, other.spec.template) == release
        ]
        return max(same, key=lambda other: age(other.metadata)) == verification

    def _children(self, owner: ObjectMeta) -> dict[tuple[str, str], Observed]:
        """Own children: by the owner's UID, and only where we put children. A label elsewhere changes nothing."""
        found = {}
        for kind in CHILD_KINDS:
            home = self._policy.routes_namespace if kind == "HTTPRoute" else owner.namespace
            for body in self._store.by_index(kind, indexes.OWNER, owner.uid):
                if body["metadata"].get("namespace") == home:
                    found[kind, body["metadata"]["name"]] = Observed(body)
        return found

    def _snapshots(self, children: dict[tuple[str, str], Observed]) -> tuple[Snapshot, ...]:
        bodies = [child.body for (kind, _), child in children.items() if kind == "ControllerRevision"]
        read = [self._snapshot(dict(body)) for body in bodies]
        return tuple(
            sorted((snapshot for snapshot in read if snapshot is not None), key=lambda one: one.revision)
        )

    def _snapshot(self, body: Manifest) -> Snapshot | None:
        def make() -> Snapshot | None:
            try:
                return read_snapshot(body.get("data") or {}, int(body.get("revision", 0)))
            except ValueError:
                return None

        known = self._remember(body, make)
        return known if isinstance(known, Snapshot) else None

    def _senior(self, service: EService) -> EService | None:
        """The oldest other EService that stands for the same registration and environment here."""
        mine = service.metadata
        rivals = [
            other
            for other in self._found(EService, indexes.REGISTRATION, service.spec.registration)
            if other.metadata.uid != mine.uid
            and other.metadata.namespace == mine.namespace
            and other.spec.environment is service.spec.environment
            and other.metadata.deletion_timestamp is None
            and age(other.metadata) < age(mine)
        ]
        return min(rivals, key=lambda other: age(other.metadata), default=None)

    def _claims(self, service: EService) -> tuple[HostClaim, ...]:
        """Who else has, or had before, a host that this EService names."""
        claims = []
        for host in service.spec.publication.hosts:
            for other in self._found(EService, indexes.HOST, host):
                if other.metadata.uid != service.metadata.uid and self._claimed_before(other, service, host):
                    claims.append(
                        HostClaim(host, f"EService {other.metadata.namespace}/{other.metadata.name}")
                    )
            for route in self._store.by_index("HTTPRoute", indexes.HOST, host):
                owner = _foreign_owner(route, service, self._policy)
                if owner is not None:
                    claims.append(HostClaim(host, owner))
        return tuple(sorted(set(claims), key=lambda claim: (claim.host, claim.owner)))

    def _claimed_before(self, other: EService, service: EService, host: str) -> bool:
        """Whether the other came first and its registration gives it the host; a host stays reserved."""
        if (age(other.metadata), other.metadata.namespace) > (
            age(service.metadata),
            service.metadata.namespace,
        ):
            return False
        registration = self._cluster_scoped(EServiceRegistration, other.spec.registration)
        return not unregistered_hosts((host,), registration, other.spec.environment)

    def _service(self, namespace: str, name: str) -> EService | None:
        found = self._one(EService, ObjectKey("EService", namespace, name))
        return found if isinstance(found, EService) else None

    def _template(self, name: str) -> KnownTemplate | None:
        body = self._store.get("EServiceTemplate", "", name)
        template = self._cluster_scoped(EServiceTemplate, name)
        if body is None or template is None:
            return None
        known = self._remember(body, lambda: KnownTemplate(template, catalogue_of(template)), "known")
        return known if isinstance(known, KnownTemplate) else None

    def _cluster_scoped(self, model: type[M], name: str) -> M | None:
        found = self._one(model, ObjectKey(model.__name__, "", name))
        return found if isinstance(found, model) else None

    def _all(self, model: type[M]) -> tuple[M, ...]:
        read = (self._parse(body) for body in self._store.all(model.__name__))
        return tuple(one for one in read if isinstance(one, model))

    def _found(self, model: type[M], index: str, value: str) -> tuple[M, ...]:
        bodies = self._store.by_index(model.__name__, index, value)
        read = (self._parse(body) for body in sorted(bodies, key=key_of))
        return tuple(one for one in read if isinstance(one, model))

    def _one(self, model: type[M], key: ObjectKey) -> M | InvalidObject | None:
        body = self._store.get(key.kind, key.namespace, key.name)
        if body is None:
            return None
        read = self._parse(body)
        return read if isinstance(read, model | InvalidObject) else None

    def _parse(self, body: Manifest) -> object:
        return self._remember(body, lambda: parse(body["kind"], body))

    def _remember(self, body: Manifest, make: Callable[[], object], what: str = "") -> object:
        """The parsed form of this version of an object."""
        metadata = body["metadata"]
        key, version = (metadata["uid"], what), metadata["resourceVersion"]
        known = self._memory.get(key)
        if known is not None and known[0] == version:
            return known[1]
        value = make()
        self._memory[key] = (version, value)
        self._memory.move_to_end(key)
        if len(self._memory) > REMEMBERED:
            self._memory.popitem(last=False)
        return value


def _foreign_owner(route: Manifest, service: EService, policy: Policy) -> str | None:
    """Who else serves a host by this route; None when it is ours for this EService, or no gateway accepts it."""
    metadata = route["metadata"]
    labels = metadata.get("labels") or {}
    ours = (
        metadata.get("namespace") == policy.routes_namespace
        and labels.get(names.MANAGED_BY_LABEL) == names.MANAGER
    )
    if ours and labels.get(names.OWNER_UID_LABEL) == service.metadata.uid:
        return None
    if not any(
        condition.get("type") == "Accepted" and condition.get("status") == "True"
        for parent in (route.get("status") or {}).get("parents") or ()
        for condition in parent.get("conditions") or ()
    ):
        return None
    if ours:
        return f"EService {labels.get(names.NAMESPACE_LABEL)}/{labels.get(names.ESERVICE_LABEL)}"
    return f"HTTPRoute {metadata.get('namespace')}/{metadata['name']}"
