# SPDX-License-Identifier: Apache-2.0
"""Hypothesis strategies for whole clusters: every object may be there, odd or missing.

Few days, few images and few versions, so that the coincidences on which rules go wrong are common.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from eservice_operator.api import names
from eservice_operator.api.base import TemplateRef
from eservice_operator.api.contested import Standing
from eservice_operator.api.eservice import EService
from eservice_operator.core.actions import Manifest
from eservice_operator.core.children import Layout, desired
from eservice_operator.core.dates import instant
from eservice_operator.core.driver import Shown
from eservice_operator.core.faces import Face
from eservice_operator.core.opened import NOTHING_OPEN
from eservice_operator.core.owner import Owner
from eservice_operator.core.policy import Policy
from eservice_operator.core.releases import Snapshot, release_name, snapshot_of
from eservice_operator.core.rollout import Running
from tests.support import worlds
from tests.support.pure_cluster import PureCluster, defaulted, place_of, plain
from tests.support.worlds import HOST, NAMESPACE, TEMPLATE

FIRST_DAY = date(2026, 9, 25)
OTHER_TEMPLATE = "viss-2030"
NUMBERS = ("1.0.0", "2.0.0", "2.1.0", "3.0.0", "3.0.0-rc.1")
HOSTS = (HOST, "second.latvija.example")

days = st.integers(0, 40).map(lambda offset: FIRST_DAY + timedelta(days=offset))
day_texts = days.map(str)
seconds = st.sampled_from([-1, 0, 1, 3600, 43_200])


@st.composite
def instants(draw: st.DrawFn) -> datetime:
    """Instants around the ends of local days."""
    midnight = datetime.combine(draw(days), datetime.min.time(), worlds.RIGA).astimezone(UTC)
    return midnight + timedelta(seconds=draw(seconds))


instant_texts = st.builds(
    lambda at, fraction: (at + timedelta(microseconds=fraction)).isoformat(),
    instants(),
    st.sampled_from([0, 0, 250_000]),
)
template_refs = st.fixed_dictionaries(
    {
        "name": st.sampled_from([TEMPLATE, TEMPLATE, TEMPLATE, OTHER_TEMPLATE]),
        "version": st.sampled_from(NUMBERS),
    }
)
images = st.builds(
    worlds.image, st.sampled_from("ab"), st.sampled_from(["registry.example/a", "moved.example/a"])
)


def maybe(strategy: st.SearchStrategy[Any], often: int = 1) -> st.SearchStrategy[Any]:
    """A value, or none; ``often`` times as likely a value."""
    return st.one_of(st.none(), *[strategy] * often)


revocations = maybe(st.fixed_dictionaries({"at": day_texts, "reason": st.just("a mistake")}))


def without_none(value: dict[str, Any]) -> dict[str, Any]:
    return {key: entry for key, entry in value.items() if entry is not None}


# templates

versions = st.builds(
    lambda number, released, published, withdrawn, replace_by: worlds.version(
        number,
        str(released),
        None if published is None else str(published),
        **({} if withdrawn is None else without_none({"at": withdrawn, "replaceBy": replace_by})),
    ),
    st.sampled_from(NUMBERS),
    days.map(lambda day: day - timedelta(days=60)),
    maybe(days, 3),
    st.one_of(st.none(), st.none(), day_texts),
    maybe(day_texts),
)
periods = st.sampled_from(["P0D", "P1D", "P10D", "P1M", "P2M", "P18M"])
lifecycles = st.fixed_dictionaries(
    {
        "maximumLag": periods,
        "lagMeasure": st.sampled_from(["ReleaseGap", "SinceSuperseded"]),
        "migrateWithin": periods,
        "noticePeriod": st.sampled_from(["P0D", "P0D", "P7D"]),
        "enforcement": st.sampled_from(["Enforce", "Enforce", "Enforce", "Warn", "Observe"]),
        "maximumDeferral": periods,
    },
    optional={"enforceFrom": day_texts},
)


@st.composite
def templates(draw: st.DrawFn, name: str) -> Manifest:
    """A template; sometimes with publication dates that were recorded otherwise than the spec has them."""
    listed = draw(st.lists(versions, max_size=4, unique_by=lambda version: version["version"]))
    body = worlds.template(listed, metadata={"name": name, "uid": name}, lifecycle=draw(lifecycles))
    if draw(st.booleans()):
        recorded = [
            without_none(
                {"version": entry["version"], "stage": "Supported", "publishedAt": draw(maybe(day_texts))}
            )
            for entry in listed
        ]
        body["status"] = {"observedGeneration": 1, "versions": recorded}
    return body


# registration

conditions = st.sampled_from([("True", "Registered"), ("True", "Registered"), ("False", "IdentifierTaken")])


@st.composite
def registrations(draw: st.DrawFn) -> Manifest:
    """The registration, in any state of being in order."""
    status, reason = draw(conditions)
    place = {"environment": "Production", "name": NAMESPACE}
    state = draw(st.sampled_from(["Ready", "Ready", "Ready", "NotOnboarded", "Terminating"]))
    hosts = draw(st.sampled_from([[HOST], ["*.latvija.example"], []]))
    namespaces = draw(st.sampled_from([[place], [place], [place], [], [place | {"name": "another"}]]))
    return worlds.registration(
        spec={
            "namespaces": namespaces,
            "hosts": [{"environment": "Production", "host": host} for host in hosts],
            "suspended": draw(st.sampled_from([None, None, None, {"reason": "an incident"}])),
        },
        status={
            "conditions": [worlds.condition("Registered", reason, status, "why")],
            "namespaces": [place | {"state": state}],
        },
    )


# the EService

workloads = st.sampled_from(
    [
        {"replicas": 2, "port": 8080},
        {"replicas": 1, "port": 9090},
        {"replicas": 2, "autoscaling": {"minReplicas": 2, "maxReplicas": 4}},
    ]
)
USE = {"name": "persons", "webService": {"namespace": "ur", "name": "register"}}


@st.composite
def publications(draw: st.DrawFn) -> Manifest:
    """How the public reaches it; sometimes paused, sometimes incomplete."""
    paused = draw(st.sampled_from([None, None, None, {"reason": "maintenance"}]))
    if paused is not None and draw(st.booleans()):
        paused = paused | {"until": draw(instant_texts)}
    return {
        "hosts": draw(st.sampled_from([[HOST], list(HOSTS)])),
        "path": draw(st.sampled_from(["/", "/declare"])),
        "paused": paused,
        "support": draw(st.sampled_from([{}, {}, None])),
    }


finalizers = st.sampled_from([None, [names.FINALIZER], ["foreign.example/f", names.FINALIZER]])


@st.composite
def services(draw: st.DrawFn) -> Manifest:
    """The EService: any release, any completeness, any state of life."""
    production = draw(st.sampled_from([True, True, True, False]))
    requested = draw(maybe(st.fixed_dictionaries({"requestedAt": day_texts}), 4))
    body = worlds.eservice(
        spec={
            "environment": "Production" if production else "Test",
            "template": draw(template_refs),
            "release": {"image": draw(images), "source": draw(st.sampled_from([{}, {}, {}, None]))},
            "workload": draw(workloads),
            "uses": draw(st.sampled_from([None, None, None, [USE]])),
            "publication": draw(publications()),
            "productionRequest": requested,
        },
        metadata={
            "generation": draw(st.integers(1, 3)),
            "finalizers": draw(
                st.sampled_from([None, [names.FINALIZER], ["foreign.example/f", names.FINALIZER]])
            ),
        },
    )
    if draw(st.integers(0, 9)) == 0:
        body["metadata"]["deletionTimestamp"] = "2026-10-01T00:00:00Z"
        body["metadata"]["finalizers"] = [names.FINALIZER]
    remembered = draw(maybe(st.tuples(images, template_refs)))
    if remembered is not None:
        body["status"] |= {"release": {"public": _release(*remembered)}}
    return body


def _release(image: str, template: Manifest) -> Manifest:
    reference = TemplateRef.model_validate(template)
    return {"name": release_name(image, reference), "image": image, "template": template}


# records

acts = st.builds(
    lambda number, image, template, signed, revoked, created: worlds.act(
        f"act-{number}",
        metadata={"creationTimestamp": created},
        spec={"image": image, "template": template, "signedAt": signed, "revoked": revoked},
    ),
    st.integers(1, 9),
    images,
    template_refs,
    day_texts,
    revocations,
    instant_texts,
)
verifications = st.builds(
    lambda number, image, template, outcome, verified, created: worlds.verification(
        f"verification-{number}",
        metadata={"creationTimestamp": created},
        spec={"image": image, "template": template, "outcome": outcome, "verifiedAt": verified},
    ),
    st.integers(1, 9),
    images,
    template_refs,
    st.sampled_from(["Passed", "Passed", "Failed"]),
    instant_texts,
    instant_texts,
)
deferrals = st.builds(
    lambda number, until, revoked: worlds.deferral(until, f"deferral-{number}", spec={"revoked": revoked}),
    st.integers(1, 9),
    day_texts,
    revocations,
)
decision_statuses = st.one_of(
    st.just({"observedGeneration": -1}),
    st.builds(
        lambda state, effective, until: without_none(
            {
                "observedGeneration": 1,
                "state": state,
                "reason": "Scheduled",
                "message": "so it was",
                "effectiveAt": effective,
                "deferredUntil": until,
            }
        ),
        st.sampled_from(["Scheduled", "Held", "Effective", "Closed"]),
        instant_texts,
        maybe(day_texts),
    ),
)
decisions = st.builds(
    lambda number, template, at, revoked, caused_by, status: worlds.decision(
        number,
        spec={
            "release": {"template": template},
            "effectiveAt": instant(at),
            "revoked": revoked,
            "causedBy": caused_by,
        },
        status=status,
    ),
    st.integers(1, 12),
    template_refs,
    instants(),
    revocations,
    maybe(st.sampled_from(NUMBERS)),
    decision_statuses,
)


def several(strategy: st.SearchStrategy[Manifest], most: int = 3) -> st.SearchStrategy[list[Manifest]]:
    """Some objects with different names."""
    return st.lists(strategy, max_size=most, unique_by=lambda body: str(body["metadata"]["name"]))


# children


@st.composite
def children(draw: st.DrawFn, service: Manifest, policy: Policy, *, odd: bool) -> list[Manifest]:
    """Children as some earlier decision may have left them, and as somebody may have treated them since.

    With ``odd``, also such as no API server would have.
    """
    known = [
        release
        for image, template in draw(st.lists(st.tuples(images, template_refs), max_size=2))
        for release in [
            _snapshot(worlds.merged(service, {"spec": {"release": {"image": image}, "template": template}}))
        ]
    ]
    known = [*{release.name: release for release in [_snapshot(service), *known]}.values()]
    public = draw(maybe(st.sampled_from(known), 3))
    candidate = draw(maybe(st.sampled_from(known)))
    running = [one for one in known if one in (public, candidate) or draw(st.booleans())]
    metadata = service["metadata"]
    layout = Layout(
        owner=Owner(metadata["namespace"], metadata["name"], metadata["uid"]),
        policy=policy,
        running=tuple(Running(one, draw(st.integers(0, 2))) for one in running),
        public=public,
        candidate=candidate,
        shown=draw(st.booleans()),
        remembered=(),
        switched_at=draw(st.sampled_from(["2026-10-01T00:00:00Z", "2026-10-10T00:00:00Z", "whenever"])),
        previous=draw(st.sampled_from(["", "0000000000", *(one.name for one in known)])),
        on_route=None if public is None else draw(_faces(public, policy)),
        still_let_in=(),
        kept="",
        access=NOTHING_OPEN,
    )
    made = [_as_stored(manifest, number) for number, manifest in enumerate(desired(layout))]
    treated = [_mistreated(draw, body, odd=odd) for body in made]
    return [body for body in treated if body is not None]


def _faces(release: Snapshot, policy: Policy) -> st.SearchStrategy[Shown | None]:
    """What the public route may show."""
    noticed = [Shown(Face.NOTICE, release, "e30")] if policy.notice is not None else []
    return st.sampled_from([None, Shown(Face.LIVE, release), *noticed])


def _snapshot(service: Manifest, *release: Any) -> Snapshot:
    spec = {"release": {"image": release[0]}, "template": release[1]} if release else {}
    return snapshot_of(EService.model_validate(worlds.merged(service, {"spec": spec})))


def _as_stored(manifest: Manifest, number: int) -> Manifest:
    body = defaulted(plain(manifest))
    body["metadata"] |= {
        "uid": f"child-{number}",
        "generation": 1,
        "creationTimestamp": "2026-10-01T00:00:00Z",
    }
    return body


def _mistreated(draw: st.DrawFn, body: Manifest, *, odd: bool) -> Manifest | None:
    match draw(st.integers(0, 19)):
        case 0:
            return None
        case 1:
            body["metadata"]["deletionTimestamp"] = "2026-10-01T00:00:00Z"
            body["metadata"]["finalizers"] = ["foreign.example/f"]
        case 2:
            body["foreignManagers"] = ["kubectl-edit"]
            if body["kind"] == "Service":
                body["foreignSelector"] = draw(st.booleans())
        case 3:
            body["metadata"].pop("annotations", None)
        case 4:
            body["metadata"]["labels"].pop(names.RELEASE_LABEL, None)
        case 5 if odd:
            body.pop("spec", None)
        case 6 if body["kind"] == "ControllerRevision":
            body["data"] = {"image": "no spaces allowed", "hosts": []}
        case _:
            pass
    if body["kind"] == "Deployment":
        body["status"] = draw(st.sampled_from(DEPLOYMENT_STATUSES))
    return body


DEPLOYMENT_STATUSES: list[Manifest] = [
    {},
    {"observedGeneration": 0, "replicas": 2},
    {
        "observedGeneration": 1,
        "replicas": 2,
        "updatedReplicas": 2,
        "availableReplicas": 2,
        "conditions": [
            {"type": "Available", "status": "True", "lastTransitionTime": "2026-10-01T00:00:00Z"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    },
    {
        "observedGeneration": 1,
        "replicas": 1,
        "conditions": [
            {"type": "Available", "status": "False", "lastTransitionTime": "never"},
            {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"},
        ],
    },
]


# all of it

policies = st.sampled_from([worlds.POLICY, worlds.NOTICED, worlds.PREVIEWED, worlds.BY_INGRESS])
"""With a notice page, with previews, without either, and with Ingresses."""


@st.composite
def clusters(draw: st.DrawFn, *, odd: bool = False) -> PureCluster:
    """A cluster in any state; with ``odd``, also in such as no API server would have."""
    service = draw(services())
    cluster = PureCluster(policy=draw(policies))
    registered = draw(st.integers(0, 5))
    people = [
        *([draw(registrations())] if registered > 2 else [worlds.registration()] if registered else []),
        *draw(several(acts)),
        *draw(several(verifications)),
        *draw(several(deferrals, 2)),
        *draw(several(decisions, 2)),
    ]
    for body in people:
        cluster.objects[place_of(body)] = plain(body)
    for name in (TEMPLATE, OTHER_TEMPLATE):
        if draw(st.integers(0, 4)):
            cluster.objects["EServiceTemplate", "", name] = plain(draw(templates(name)))
    cluster.objects[place_of(service)] = plain(service)
    for child in draw(children(service, cluster.policy, odd=odd)):
        cluster.objects[place_of(child)] = child
    if draw(st.integers(0, 14)) == 0:
        cluster.senior = worlds.eservice(metadata={"name": "senior", "uid": "senior"})
    cluster.claims = draw(st.sampled_from([(), (), ((HOST, "HTTPRoute elsewhere/route"),)]))
    beside = worlds.claim(HOST, "Ingress elsewhere/shop", Standing.BESIDE)
    cluster.contenders = draw(st.sampled_from([(), (), (beside,)]))
    cluster.gateway_refuses = draw(st.sampled_from(["", "", "", "NotAllowedByListeners"]))
    cluster.preview_refused = draw(st.sampled_from(["", "", "NoMatchingListenerHostname"]))
    return cluster


@st.composite
def good_clusters(draw: st.DrawFn) -> PureCluster:
    """A cluster in which the e-service lacks nothing at first, though anything may be dated for later."""
    service = draw(services())
    service["metadata"].pop("deletionTimestamp", None)
    spec = worlds.merged(service["spec"], COMPLETE)
    release = {"image": spec["release"]["image"], "template": spec["template"]}
    hosts = [{"environment": spec["environment"], "host": "*.latvija.example"}]
    namespaces = [{"environment": spec["environment"], "name": NAMESPACE}]
    state = [{**namespaces[0], "state": "Ready"}]
    cluster = PureCluster(policy=draw(policies))
    cluster.put(
        worlds.registration(spec={"hosts": hosts, "namespaces": namespaces}, status={"namespaces": state}),
        worlds.act("act-good", spec=release | {"signedAt": "2026-09-20", "revoked": draw(revocations)}),
        worlds.verification("good", spec=release | {"verifiedAt": "2026-09-21T12:00:00Z"}),
        service | {"spec": spec},
        *draw(several(verifications, 1)),
        *draw(several(deferrals, 2)),
        *draw(several(decisions, 1)),
    )
    used = worlds.version(spec["template"]["version"], "2026-08-01", "2026-08-01")
    for name in (TEMPLATE, OTHER_TEMPLATE):
        body = draw(templates(name))
        others = [entry for entry in body["spec"]["versions"] if entry["version"] != used["version"]]
        cluster.put(body | {"spec": body["spec"] | {"versions": [used, *others]}, "status": {}})
    return cluster


COMPLETE: Manifest = {
    "uses": None,
    "release": {"source": {"repository": "https://git.example/a", "revision": "1"}},
    "publication": {"hosts": [HOST], "support": {"email": "help@pmlp.example"}},
    "productionRequest": {"requestedAt": "2026-09-20", "requestedBy": "A. Bērziņa"},
}
