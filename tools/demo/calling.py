# SPDX-License-Identifier: Apache-2.0
"""The chapter in which an e-service calls a register of another institution, and is not let in any more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tools.demo.checkpoint import HOLDER, REGISTER, VERSION, guarded
from tools.demo.stage import NotSeen, Stage, condition, say

PARKING = ("rezekne-production", "parking-permit")


def called(stage: Stage) -> None:
    """R3. A public e-service calls the register through Envoy; its holder ends that, and grants it anew."""
    with guarded(stage) as checkpoint:
        granted = ("wsg", PARKING[1], "-n", HOLDER)
        before, token = pods(stage, PARKING), pod_token(stage, PARKING)
        checkpoint.show(401)
        checkpoint.show(200, token)
        stage.show("get", *granted)
        stage.show(*may_invoke(PARKING))
        stage.show("eservice", "impact", f"wsg/{PARKING[1]}", "-n", HOLDER)
        stage.show("delete", *granted, "--wait=false")
        checkpoint.show_closed(token)
        stage.show(*may_invoke(PARKING), code=1)
        stage.until("what it had opened is gone", lambda: PARKING[1] not in stage.names("wsg", HOLDER))
        stage.until("the e-service says what it lost", lambda: access(stage).get("reason") == "AccessLost")
        stage.show("eservice", "explain", PARKING[1], "-n", PARKING[0])
        if condition(stage.get("esvc", PARKING[1], PARKING[0]), "Published").get("status") != "True":
            raise NotSeen("it runs on")
        stage.show("apply", "-f", "samples/45-grants.yaml")
        checkpoint.show(200, token)
        if pods(stage, PARKING) != before:
            raise NotSeen("no Pod is touched")
        say("  ✓ its Pods are the very same as before")
    stage.until("nothing is missing", lambda: access(stage).get("status") == "True")


def asked(stage: Stage) -> dict[str, str]:
    """The state of each request for the population register, by the e-service that asks."""
    status = stage.get("ws", REGISTER, HOLDER).get("status", {})
    return {entry["eService"]: entry["state"] for entry in status.get("requests", [])}


def access(stage: Stage) -> Mapping[str, str]:
    """What the parking permit says of the web services that it calls."""
    namespace, name = PARKING
    return condition(stage.get("esvc", name, namespace), "AccessGranted")


def may_invoke(service: tuple[str, str]) -> tuple[str, ...]:
    """What to ask kubectl: whether an e-service may call the population register."""
    account = f"--as=system:serviceaccount:{service[0]}:{service[1]}"
    what = ("invoke", f"webservices/{REGISTER}", f"--subresource={VERSION}")
    return ("auth", "can-i", *what, "-n", HOLDER, account)


def pods(stage: Stage, service: tuple[str, str]) -> dict[str, dict[str, Any]]:
    """The Pods of an e-service by their UIDs."""
    namespace, name = service
    selected = ("-n", namespace, "-l", f"eservice.dev/eservice={name}")
    found = json.loads(stage.kubectl("get", "pods", *selected, "-o", "json"))
    return {item["metadata"]["uid"]: item["spec"] for item in found["items"]}


def pod_token(stage: Stage, service: tuple[str, str]) -> str:
    """The token of the use ``persons``, asked for as a kubelet does: as the volume of the Pods says."""
    spec = next(iter(pods(stage, service).values()))
    (volume,) = (one for one in spec["volumes"] if one["name"] == "binding-persons")
    (asked_for,) = (
        source["serviceAccountToken"]
        for source in volume["projected"]["sources"]
        if "serviceAccountToken" in source
    )
    terms = (f"--audience={asked_for['audience']}", f"--duration={asked_for['expirationSeconds']}s")
    return stage.kubectl("create", "token", spec["serviceAccountName"], "-n", service[0], *terms).strip()
