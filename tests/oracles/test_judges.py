# SPDX-License-Identifier: Apache-2.0
"""Each oracle can fail: of what it forbids, forged here, it tells; of what it allows it says nothing."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from typing import Any

import pytest

from eservice_operator.api.names import MANAGER, STATUS_MANAGER
from eservice_operator.core.actions import Manifest
from tests.oracles.court import LONG, Court, own, said
from tests.support import access, worlds
from tests.support.mailserver import Received
from tests.support.objects import OWNER_UID, deployment, service_account
from tests.support.oracles import notice_faults
from tests.support.oracles.access import GrantsBehindAccess
from tests.support.oracles.statuses import SoundStatuses
from tests.support.oracles.words import NothingOfASecret, NothingOfKopf, mishaps
from tests.support.oracles.writes import OnlyItsOwn
from tests.support.worlds import merged

# --- nothing is open without a grant ---


def opened(kind: str, uid: str, version: str = "rbac.authorization.k8s.io/v1") -> Manifest:
    labels = {"app.kubernetes.io/managed-by": MANAGER, "eservice.dev/owner-uid": uid}
    metadata = {"name": "grant.address", "namespace": access.HOLDER, "labels": labels}
    return {"apiVersion": version, "kind": kind, "metadata": metadata, "spec": {}}


def binding(grant: str = f"{access.HOLDER}/{worlds.NAME}", **data: str) -> Manifest:
    labels = {"app.kubernetes.io/managed-by": MANAGER, "eservice.dev/owner-uid": OWNER_UID}
    labels["eservice.dev/eservice"] = worlds.NAME
    annotations = {
        "eservice.dev/grant": grant,
        "eservice.dev/credentials": "persons",
        "eservice.dev/egress": '[{"to": [], "ports": [{"port": 8443}]}]',
    }
    metadata = {"name": "persons", "namespace": worlds.NAMESPACE, "labels": labels}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata | {"annotations": annotations},
        "data": data,
    }


def beside(kind: str, name: str, **content: Any) -> Manifest:
    return merged_with(binding(), kind, name) | content


def merged_with(model: Manifest, kind: str, name: str) -> Manifest:
    metadata = {"name": name, "namespace": model["metadata"]["namespace"]}
    return {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": metadata | {"labels": model["metadata"]["labels"]},
    }


def ways_out(port: int) -> Manifest:
    return beside("NetworkPolicy", "access.address", spec={"egress": [{"to": [], "ports": [{"port": port}]}]})


def granted() -> tuple[Court, Manifest]:
    """A grant with all that it opens, on both sides."""
    court, grant = Court(GrantsBehindAccess(lambda asked: float(asked.at))), access.grant()
    court.tell(grant)
    uid = grant["metadata"]["uid"]
    for kind in ("NetworkPolicy", "Role", "RoleBinding"):
        court.tell(opened(kind, uid), by=MANAGER)
    court.tell(binding(), beside("Secret", "persons"), ways_out(8443), by=MANAGER)
    return court, grant


def test_what_a_grant_that_lives_opens_may_stay() -> None:
    court, _ = granted()
    assert not court.later()


@pytest.mark.parametrize(
    "end",
    [{"refused": {"reason": "no"}}, {"validUntil": "2020-01-01"}],
    ids=["refused", "ran out"],
)
def test_what_stays_after_the_end_of_a_grant_is_told(end: Manifest) -> None:
    court, grant = granted()
    court.tell(dict(merged(grant, {"spec": end})))
    found = court.later()
    for kind in ("NetworkPolicy", "Role", "RoleBinding", "ConfigMap"):
        said(found, f"{kind} ")
    assert not court.later(), "each is told once"


def test_what_stays_after_a_grant_was_deleted_is_told() -> None:
    court, grant = granted()
    court.end(grant)
    said(court.later(), "Role ur-production/grant.address is open, and no grant lives that it is of")


def test_what_stays_is_no_fault_while_no_operator_is_there_nor_for_a_moment() -> None:
    court, grant = granted()
    court.end(grant)
    assert not court.later(served=False)
    assert not court.later(1.0)
    assert list(court.judge.tick(court.cluster, rest=True)), "but at rest it is"


def reopened(*, after: float, read: float | None) -> list[str]:
    """What is said of a Role that is opened so many seconds after its grant's end, which was read then."""
    court, grant = granted()
    uid = grant["metadata"]["uid"]
    court.end(opened("Role", uid))
    court.end(grant)
    ended = court.cluster.now
    if read is not None:
        court.cluster.now = ended + read
        court.asked("get", "webservicegrants", grant["metadata"]["name"], namespace=access.HOLDER)
    court.cluster.now = ended + after
    court.asked("patch", "roles", "grant.address", namespace=access.HOLDER, code=201)
    court.cluster.now += LONG  # what was asked for long ago is told now
    court.tell(opened("Role", uid), by=MANAGER)
    court.cluster.complete = court.cluster.now
    return court.later(3.0)


def test_what_is_opened_after_the_end_was_read_is_told_at_once() -> None:
    said(
        reopened(after=10.0, read=1.0), "was opened 10.0 s after its grant's end, which the operator had read"
    )


def test_what_is_opened_far_too_late_is_told_whatever_was_read() -> None:
    said(reopened(after=LONG + 1, read=None), "was opened 61.0 s after its grant's end")


@pytest.mark.parametrize("read", [None, -1.0, 20.0], ids=["unread", "read before the end", "and later"])
def test_what_was_decided_before_the_end_may_come_late(read: float | None) -> None:
    assert not [one for one in reopened(after=15.0, read=read) if "after its grant's end" in one]


def test_what_is_opened_for_no_grant_is_told_at_once() -> None:
    court, _ = granted()
    court.end(opened("Role", ""))
    court.tell(opened("Role", "uid-of-nothing"), by=MANAGER)
    court.cluster.complete = court.cluster.now
    said(court.later(3.0), "was opened for no grant that was ever there")


def test_a_binding_on_the_grant_of_somebody_else_is_told() -> None:
    court, grant = granted()
    court.tell(dict(merged(grant, {"spec": {"consumer": {"namespace": "other"}}})))
    said(court.later(), "rests on a grant to somebody else")


def test_credentials_without_their_binding_are_told() -> None:
    court, _ = granted()
    court.end(binding())
    said(court.later(), "Secret pmlp-production/persons are credentials beside no binding")


def test_a_way_out_that_no_binding_has_is_told() -> None:
    court, _ = granted()
    court.tell(ways_out(22), by=MANAGER)
    said(court.later(), "lets Pods out where no binding leads")


# --- only its own is written to ---


def test_children_with_label_and_owner_are_its_own() -> None:
    court = Court(OnlyItsOwn())
    court.tell(own())
    assert not court.tell(service_account("default"), by=MANAGER)
    assert not court.tell(service_account("default"), by=MANAGER)
    assert not court.asked("delete", "serviceaccounts", "web")
    assert not court.end(service_account("default"))
    assert not court.later()


def test_what_it_makes_without_its_label_is_told() -> None:
    bare = merged(service_account("default"), {"metadata": {"labels": None}})
    said(Court(OnlyItsOwn()).tell(dict(bare), by=MANAGER), "made without the label")


def test_until_all_watches_have_told_everything_nothing_is_said() -> None:
    """However long that takes: the watch of its owner's kind may be late."""
    court = Court(OnlyItsOwn())
    court.tell(service_account("default"), by=MANAGER)
    assert not court.later(LONG)
    court.cluster.complete = court.cluster.now
    said(court.later(0.0), "made for an owner that there never was")


def test_what_it_makes_for_nobody_is_told() -> None:
    court = Court(OnlyItsOwn())
    court.tell(service_account("default"), by=MANAGER)
    court.cluster.complete = court.cluster.now
    said(court.later(), "made for an owner that there never was")


def test_what_was_somebody_elses_and_is_written_to_is_told() -> None:
    court = Court(OnlyItsOwn())
    foreign = dict(merged(deployment("default"), {"metadata": {"labels": None}}))
    assert not court.tell(foreign, by="kubectl")
    said(court.tell(deployment("default"), by=MANAGER), "said before that it is somebody else's")


def test_what_is_foreign_and_removed_is_told() -> None:
    court = Court(OnlyItsOwn())
    court.tell(dict(merged(deployment("default"), {"metadata": {"labels": None}})))
    court.asked("delete", "deployments", "web")
    court.end(deployment("default"))
    court.cluster.complete = court.cluster.now
    said(court.later(), "was removed, and was somebody else's")


def test_what_is_removed_that_nobody_saw_is_told_unless_it_was_made_and_removed_at_once() -> None:
    """A watch that is behind may tell of neither."""
    court = Court(OnlyItsOwn())
    court.asked("create", "deployments", "web", code=201)
    for name in ("web", "other"):
        court.asked("delete", "deployments", name)
    court.cluster.complete = court.cluster.now
    (told,) = court.later()
    assert told.endswith("default/other was removed, and nobody had seen it")


def test_what_people_write_is_theirs() -> None:
    court = Court(OnlyItsOwn())
    court.tell(own(spec={}))
    assert not court.tell(own(spec={}, status={}), by=STATUS_MANAGER)
    said(court.tell(own(spec={}), by=MANAGER), "the operator wrote f:spec, which is for people to write")


def test_of_a_namespace_only_governed_labels_are_its_own() -> None:
    court = Court(OnlyItsOwn())
    namespace: Manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "pmlp"}, "spec": {}}
    court.tell(namespace)
    said(court.tell(namespace, by=MANAGER), "the operator wrote f:spec, which is for administrators")


@pytest.mark.parametrize(
    "verb, resource",
    [("delete", "eservices"), ("create", "webservicegrants"), ("delete", "namespaces"), ("create", "pods")],
)
def test_requests_that_it_never_makes_are_told(verb: str, resource: str) -> None:
    said(Court(OnlyItsOwn()).asked(verb, resource, "address"), f"the operator may not {verb} {resource}")


@pytest.mark.parametrize(
    "verb, resource",
    [
        ("patch", "eservices"),
        ("create", "unpublishdecisions"),
        ("create", "namespaces"),
        ("create", "events"),
    ],
)
def test_requests_that_it_makes_are_not(verb: str, resource: str) -> None:
    assert not Court(OnlyItsOwn()).asked(verb, resource, "address")


# --- what may be read nowhere ---


def test_a_value_of_a_secret_is_found_wherever_it_is_told() -> None:
    judge = NothingOfASecret()
    court = Court(judge)
    value = base64.b64encode(b"correct horse").decode()
    assert not court.tell({**merged_with(binding(), "Secret", "login"), "data": {"password": value}})
    for told in ("it was: correct horse", f"authorization: {value}", "?password=correct%20horse"):
        event = {**merged_with(binding(), "Event", "e"), "message": told}
        said(court.tell(event), "Event pmlp-production/e tells password of Secret pmlp-production/login")
    said(judge.told('{"msg": "correct horse"}', "the log"), "the log tells password")
    assert not court.tell({**merged_with(binding(), "Event", "e"), "message": "a horse"})


def test_a_planted_value_is_found() -> None:
    judge = NothingOfASecret()
    judge.plant("hmac-key-of-the-sink", "the sink's key")
    said(judge.told("x hmac-key-of-the-sink y", "metrics"), "metrics tells the sink's key")


def test_a_word_of_kopf_is_found() -> None:
    court = Court(NothingOfKopf())
    assert not court.tell(own())
    touched = own()
    touched["metadata"]["annotations"] = {"kopf.zalando.org/last-handled-configuration": "{}"}
    said(court.tell(touched), "has a word of kopf")


@pytest.mark.parametrize(
    "record",
    [
        {"level": "error", "msg": "x"},
        {"level": "info", "msg": "x", "exception": "…"},
        {"level": "warning", "msg": "Traceback (most recent call last)"},
        {"level": "raw", "msg": "Unclosed connection"},
    ],
)
def test_a_mishap_in_the_log_is_found(record: Manifest) -> None:
    said(mishaps([{"level": "info", "msg": "fine"}, record]), "the operator's log")
    assert not list(mishaps([{"level": "warning", "msg": "fine"}]))


# --- statuses ---


def status(ready: str = "True", at: str = "2026-11-23T10:00:00Z", generation: int = 1) -> Manifest:
    condition = {
        "type": "Ready",
        "status": ready,
        "reason": "Published",
        "message": "x",
        "observedGeneration": generation,
        "lastTransitionTime": at,
    }
    return {"observedGeneration": generation, "conditions": [condition]}


def test_a_sound_status_is_fine_and_an_unsound_one_is_told() -> None:
    court = Court(SoundStatuses())
    court.tell(own(status={"observedGeneration": -1}))
    assert not court.tell(own(status=status()), by=STATUS_MANAGER)
    assert not court.tell(own(status=status()), by=STATUS_MANAGER)
    said(court.tell(own(status=status("False")), by=STATUS_MANAGER), "not Ready, and nothing says why")


def test_a_transition_time_that_moves_without_a_flip_is_told() -> None:
    court = Court(SoundStatuses())
    court.tell(own(status=status()), by=STATUS_MANAGER)
    moved = own(status=status(at="2026-11-23T11:00:00Z"))
    said(court.tell(moved, by=STATUS_MANAGER), "did not flip, and its transition time moved")


def test_a_status_of_an_earlier_generation_is_told() -> None:
    court = Court(SoundStatuses())
    newer = own(status=status(generation=2))
    newer["metadata"]["generation"] = 2
    court.tell(newer, by=STATUS_MANAGER)
    older = own(status=status())
    older["metadata"]["generation"] = 2
    said(court.tell(older, by=STATUS_MANAGER), "of an earlier generation than the one before")


def test_what_others_write_into_a_status_is_not_the_operators_fault() -> None:
    court = Court(SoundStatuses())
    court.tell(own(status=status()), by=STATUS_MANAGER)
    assert not court.tell(own(status=status("False")), by="kubectl")
    assert not court.tell(own(status=status(at="2026-11-23T11:00:00Z")), by=STATUS_MANAGER)


# --- notices ---


def ledger(*states: str) -> Manifest:
    entries = [
        {"id": f"n{number}", "recipient": "a@pmlp.example", "state": state, "channel": "Email"}
        for number, state in enumerate(states)
    ]
    return own(status={"notices": entries})


def mail(identifier: str) -> Received:
    message = EmailMessage()
    message["Message-ID"] = f"<{identifier}@agency.example>"
    return Received("x@agency.example", ("a@pmlp.example",), bytes(message), protected=True, user="")


def test_each_notice_comes_once() -> None:
    assert not list(notice_faults([ledger("Sent", "Sending")], [mail("n0"), mail("n1")], crashes=0))


def test_a_notice_that_counts_as_sent_and_never_came_is_told() -> None:
    said(
        notice_faults([ledger("Sent")], [], crashes=0), "n0 counts as sent to a@pmlp.example, and never came"
    )


def test_a_notice_that_comes_twice_is_told_unless_an_operator_died() -> None:
    twice = [mail("n0"), mail("n0")]
    said(notice_faults([ledger("Sent")], twice, crashes=0), "n0 came 2 times")
    assert not list(notice_faults([ledger("Sent")], twice, crashes=1))


def test_a_notice_in_two_ledgers_is_told() -> None:
    said(notice_faults([ledger("Sent"), ledger("Sent")], [mail("n0")], crashes=0), "2 times in the ledgers")
