# SPDX-License-Identifier: Apache-2.0
"""The Gateway API: an HTTPRoute in the Agency's namespace, and what the gateway says of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from eservice_operator.api import names
from eservice_operator.api.reasons import Reason
from eservice_operator.api.remembered import RememberedDecision
from eservice_operator.core.actions import Manifest, Ref
from eservice_operator.core.driver import Serving, Shown
from eservice_operator.core.faces import Face
from eservice_operator.core.manifests import CANDIDATE_SUFFIX, HTTP_PORT
from eservice_operator.core.owner import Owner, route_name, seal
from eservice_operator.core.policy import GatewayRef, Policy
from eservice_operator.core.public_record import PublicRecord, decision_text
from eservice_operator.core.releases import Snapshot
from eservice_operator.core.world import Observed

GATEWAY_GROUP = "gateway.networking.k8s.io"
ROUTE_API = f"{GATEWAY_GROUP}/v1"
ROUTE_KIND = "HTTPRoute"
GRANT_API = f"{GATEWAY_GROUP}/v1beta1"
"""The version that every release of the Gateway API still serves."""


@dataclass(frozen=True, slots=True)
class GatewayDriver:
    """One HTTPRoute for each e-service, whose one rule leads to the e-service or to the notice page."""

    policy: Policy
    kind: str = ROUTE_KIND
    far: bool = True
    exclusive: bool = True
    answers: bool = True

    @property
    def notices(self) -> bool:
        """Whether there is a notice page to lead to."""
        return self.policy.notice is not None

    @property
    def previews(self) -> bool:
        """Whether candidates have a route of their own."""
        return self.policy.preview is not None

    def sources(self, release: Snapshot | None) -> Iterator[str]:
        """The namespaces of the Gateways, and those that the settings name."""
        yield self.policy.gateway.namespace
        if release is not None and release.gateway is not None:
            yield release.gateway.namespace
        yield from self.policy.traffic_from
        if self.policy.preview is not None:
            yield self.policy.preview.gateway.namespace

    def name(self, namespace: str, service: str) -> str:
        """The name of the public route in the Agency's namespace."""
        return route_name(namespace, service)

    def build(self, owner: Owner, shown: Shown) -> Manifest:
        """The public route, in its one place: what it shows is swapped in its rule.

        It lies in another namespace than the e-service, where an owner reference cannot reach: labels name
        the owner, and our finalizer on the EService removes it. As nobody but the Agency writes there, it
        also remembers which release is public (see `public_record`).
        """
        rule = self._live(owner) if shown.face is Face.LIVE else self._notice(shown.notice)
        return http_route(
            owner,
            Ref(ROUTE_API, self.kind, self.policy.routes_namespace, self.name(owner.namespace, owner.name)),
            shown.face.value,
            gateway=shown.release.gateway or self.policy.gateway,
            hosts=shown.release.hosts,
            rule={"matches": [path_match(shown.release)], **rule},
            annotations=_recorded(shown),
        )

    def _live(self, owner: Owner) -> Manifest:
        """To the public Service, without what only the notice page is told.

        Marked on every answer where the outside-in probe looks for that.
        """
        filters = [_request({"remove": [names.NOTICE_HEADER]})]
        if self.policy.marked:
            header = _setting(names.ROUTE_HEADER, route_name(owner.namespace, owner.name))
            filters.append({"type": "ResponseHeaderModifier", "responseHeaderModifier": header})
        return {"filters": filters, "backendRefs": [backend_ref(owner.namespace, owner.name, HTTP_PORT)]}

    def _notice(self, value: str) -> Manifest:
        """To the notice page, which lies beside the routes and so needs no ReferenceGrant."""
        notice = self.policy.notice
        if notice is None:
            raise ValueError("there is no notice page to lead to")
        told = _request(_setting(names.NOTICE_HEADER, value))
        backend = backend_ref(self.policy.routes_namespace, notice.name, notice.port)
        return {"filters": [told], "backendRefs": [backend]}

    def beside(self, owner: Owner) -> Iterator[Manifest]:
        """Lets routes of the Agency's namespace reach the public Service and the candidate's, no other."""
        source = {"group": GATEWAY_GROUP, "kind": self.kind, "namespace": self.policy.routes_namespace}
        services = [owner.name, *([owner.name + CANDIDATE_SUFFIX] if self.previews else [])]
        targets = [{"group": "", "kind": "Service", "name": service} for service in services]
        spec = {"from": [source], "to": targets}
        yield owner.child(GRANT_API, "ReferenceGrant", owner.name, {"spec": spec})

    def serving(self, route: Observed) -> Serving:
        """Whether its Gateway serves the route: ``Accepted`` and ``ResolvedRefs``, of this generation."""
        return said_by(gateway_of(route) or self.policy.gateway, route)

    def refuses(self, gateway: GatewayRef) -> tuple[Reason, str] | None:
        """Those that the Agency does not allow."""
        if self.policy.allows(gateway):
            return None
        allowed = ", ".join(str(one) for one in (self.policy.gateway, *self.policy.allowed_gateways))
        text = f"Gateway {gateway} is not one that the Agency allows: {allowed}"
        return Reason.GATEWAY_NOT_ALLOWED, text

    def lacks(self, release: Snapshot) -> Iterator[str]:  # noqa: ARG002 - as the Protocol has it
        """Nothing."""
        yield from ()

    def strays(self, route: Observed) -> tuple[str, ...]:  # noqa: ARG002 - as the Protocol has it
        """None: they mean nothing to a Gateway, and nobody else writes where its routes are."""
        return ()

    def hosts(self, route: Observed) -> tuple[str, ...]:
        """The hosts that a route serves."""
        return tuple(route.spec.get("hostnames") or ())

    def path(self, route: Observed) -> str:
        """The path prefix that a route serves."""
        matches = [match for rule in route.spec.get("rules") or [] for match in rule.get("matches") or []]
        return next((str(match["path"].get("value", "/")) for match in matches if "path" in match), "/")


def _recorded(shown: Shown) -> dict[str, str]:
    """What others must not write: it is kept here."""
    record = {names.PUBLIC_RELEASE_ANNOTATION: PublicRecord.of(shown.release).text()}
    return record | decision_text(shown.decision)


def with_record(route: Observed, decision: RememberedDecision) -> Manifest:
    """A route of ours as it is, but for the decision that it records."""
    ours = {key: value for key, value in route.annotations.items() if key.startswith(f"{names.GROUP}/")}
    metadata = {
        "name": route.ref.name,
        "namespace": route.ref.namespace,
        "labels": dict(route.labels),
        "annotations": ours | decision_text(decision),
    }
    return {"apiVersion": ROUTE_API, "kind": ROUTE_KIND, "metadata": metadata, "spec": dict(route.spec)}


def gateway_of(route: Observed) -> GatewayRef | None:
    """The Gateway that a route of ours is on; none where it names none."""
    for parent in route.spec.get("parentRefs") or ():
        if parent.get("namespace"):
            return GatewayRef(parent["namespace"], parent["name"], parent.get("sectionName", ""))
    return None


def http_route(
    owner: Owner,
    ref: Ref,
    shows: str,
    *,
    gateway: GatewayRef,
    hosts: Iterable[str],
    rule: Manifest,
    annotations: Mapping[str, str] | None = None,
) -> Manifest:
    """A route of an e-service, with its one rule; labels name the owner, whose namespace is another."""
    labels = {names.NAMESPACE_LABEL: owner.namespace, names.SHOWS_LABEL: shows}
    metadata: Manifest = {"name": ref.name, "namespace": ref.namespace, "labels": owner.labels | labels}
    if annotations:
        metadata["annotations"] = dict(annotations)
    spec = {"parentRefs": [gateway.parent_ref()], "hostnames": list(hosts), "rules": [rule]}
    return seal({"apiVersion": ref.api_version, "kind": ref.kind, "metadata": metadata, "spec": spec})


def path_match(release: Snapshot) -> Manifest:
    """What of a request a rule looks at: the path of a release, as a prefix."""
    return {"path": {"type": "PathPrefix", "value": release.path}}


def said_by(named: GatewayRef, route: Observed) -> Serving:
    """What a Gateway says of a route: it serves it once all that is needed is so of this generation."""
    parent = _answer_of(named, route)
    gateway = f"Gateway {named.namespace}/{named.name}"
    if parent is None:
        return Serving(
            served=False, reason=Reason.AWAITING_GATEWAY, message=f"{gateway} has not answered yet"
        )
    answers = {answer.get("type"): answer for answer in parent.get("conditions") or ()}
    needed = [answers.get(kind) or {"type": kind} for kind in ("Accepted", "ResolvedRefs")]
    denied = [answer for answer in needed if answer.get("status") != "True"]
    generation = route.generation
    if [answer for answer in needed if answer.get("observedGeneration", -1) != generation]:
        return Serving(
            served=not denied,
            reason=Reason.AWAITING_GATEWAY,
            message=f"{gateway} has not answered for the present route yet",
        )
    if not denied:
        return Serving(served=True, reason=Reason.PUBLISHED, message=f"served by {gateway}")
    return Serving(served=False, reason=Reason.ROUTE_REFUSED, message=f"{gateway}: {_words(denied[0])}")


def _answer_of(named: GatewayRef, route: Observed) -> Mapping[str, Any] | None:
    for parent in route.status.get("parents") or ():
        if _speaks_of(named, parent.get("parentRef") or {}, route):
            found: Mapping[str, Any] = parent
            return found
    return None


def _speaks_of(gateway: GatewayRef, parent: Mapping[str, Any], route: Observed) -> bool:
    return (
        parent.get("name") == gateway.name
        and (parent.get("namespace") or route.ref.namespace) == gateway.namespace
        and parent.get("kind", "Gateway") == "Gateway"
        and (not gateway.section or parent.get("sectionName") == gateway.section)
    )


def backend_ref(namespace: str, name: str, port: int) -> Manifest:
    """Where a rule leads: a Service by its port; its weight is the API's default, never 0."""
    return {"group": "", "kind": "Service", "namespace": namespace, "name": name, "port": port}


def _request(change: Manifest) -> Manifest:
    return {"type": "RequestHeaderModifier", "requestHeaderModifier": change}


def _setting(header: str, value: str) -> Manifest:
    return {"set": [{"name": header, "value": value}]}


def _words(said: Mapping[str, Any]) -> str:
    """The gateway's own words; some gateways give a reason and no message."""
    text = f"{said['type']}={said.get('status')}, {said.get('reason')}"
    return f"{text}: {said['message']}" if said.get("message") else text
