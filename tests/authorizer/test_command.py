# SPDX-License-Identifier: Apache-2.0
"""``eservice-operator authorizer`` as a process: start and end, certificate, bounds, rights."""

from __future__ import annotations

import asyncio
import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest

from eservice_operator.api.names import GROUP
from eservice_operator.authorizer.remembered import RENEWED
from eservice_operator.authorizer.reviews import ACCESS_SECONDS, TOKEN_SECONDS
from tests.authorizer.register import Register, web_service
from tests.authorizer.running import COMMAND, MANIFEST, USER, AuthorizerProcess, Tls, authorizing
from tests.support.audit import AuditLog
from tests.support.rights import assert_none_was_missing, granted, used
from tests.support.slow_to_leave import SLOW_TO_LEAVE
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from controlplane import Cluster

pytestmark = pytest.mark.cluster

ENDED_WITHIN = 9.0
"""Seconds, on a machine that is busy with other things; less than who is connected may take to ask."""


@pytest.fixture
def own(own_kubeconfig: Path, tmp_path: Path) -> tuple[Path, Tls]:
    return own_kubeconfig, Tls.make(tmp_path)


async def test_it_answers_until_it_ends(own: tuple[Path, Tls], tmp_path: Path) -> None:
    kubeconfig, tls = own
    with authorizing(tmp_path, kubeconfig, tls, command=(*SLOW_TO_LEAVE, "authorizer")) as process:
        async with process.asked() as ask:
            assert (await ask("/v1/check/a/b/v5/")).told == (401, "TokenMissing")
            assert await process.ready()
            await process.told_to_end()
            said = await ask("/v1/check/a/b/v5/")
            assert (said.status, said.headers["Connection"]) == (401, "close")
            assert not await process.ready()
        assert await process.ended() == 0
    assert process.records()[-1]["msg"] == "stopped"


async def test_it_ends_within_seconds_whoever_is_connected(own: tuple[Path, Tls], tmp_path: Path) -> None:
    kubeconfig, tls = own
    with authorizing(tmp_path, kubeconfig, tls) as process:
        async with process.asked() as ask:
            assert (await ask("/v1/check/a/b/v5/")).told == (401, "TokenMissing")
            began = time.monotonic()
            await process.told_to_end()
            assert await process.ended() == 0
            assert time.monotonic() - began < ENDED_WITHIN
    assert process.records()[-1]["msg"] == "stopped"


async def test_a_new_certificate_is_shown_once_it_is_there_in_full(
    own: tuple[Path, Tls], tmp_path: Path
) -> None:
    kubeconfig, tls = own
    with authorizing(tmp_path, kubeconfig, tls) as process:

        async def serial() -> bytes:
            _, writer = await asyncio.open_connection(
                "127.0.0.1", process.port, ssl=tls.trust, server_hostname="localhost"
            )
            shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            writer.close()
            return bytes(shown)

        first, coming = await serial(), Tls(tmp_path / "coming", tls.authority)
        coming.folder.mkdir()
        coming.issue()
        tls.certificate.write_bytes(coming.certificate.read_bytes())
        await eventually(lambda: process.said("the certificate in use stays"))
        assert await serial() == first
        tls.key.write_bytes(coming.key.read_bytes())

        async def renewed() -> bool:
            return await serial() != first

        await eventually(renewed)


@pytest.mark.parametrize(
    "arguments,words,code",
    [
        (("--tls-cert-file=/nowhere/tls.crt", "--tls-key-file=/nowhere/tls.key"), "/nowhere/tls.crt", 1),
        (("--tls-cert-file=/nowhere/tls.crt",), "belong together", 2),
        (("--time-zone=Europe/Rigga",), "there is no time zone", 2),
        (("--kubeconfig=/nowhere/kubeconfig",), "no such kubeconfig", 1),
    ],
)
def test_what_it_cannot_start_with_is_said(arguments: tuple[str, ...], words: str, code: int) -> None:
    ports = ("--address=127.0.0.1:0", "--health-address=127.0.0.1:0")
    done = subprocess.run(
        [*COMMAND, *ports, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr


async def raw(process: AuthorizerProcess, request: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    trust = process.tls.trust if process.tls else None
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", process.port, ssl=trust, server_hostname="localhost"
    )
    writer.write(request)
    try:
        async with asyncio.timeout(15):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"no http at all\r\n\r\n",
        b"GET /v1/check/a/b/v5 HTTP/1.1\r\nAuthorization: Bearer " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /v1/check/a/b/v5 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /v1/check/a/b/v5 HTTP/1.1\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n",
        b"CONNECT /v1/check/a/b/v5 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
    ids=lambda request_: request_[:50].decode(errors="replace"),
)
async def test_whatever_is_sent_nothing_is_allowed(running: AuthorizerProcess, request_: bytes) -> None:
    before = len(running.records())
    answer = await raw(running, request_)
    assert not answer or int(answer.split(b" ", 2)[1]) in {401, 403, 503}, answer[:200]
    assert [one for one in running.records()[before:] if one["level"] == "error"] == []


async def test_its_rights_are_those_of_the_manifest_and_all_of_them_are_used(
    cluster: Cluster, own: tuple[Path, Tls], tmp_path: Path, register: Register
) -> None:
    audit = AuditLog.from_now(cluster.audit_log)
    kubeconfig, tls = own
    consumer = await register.account("declaration")
    await register.make(web_service(register.holder, "people"))
    await register.opened("declaration", "people", consumer, "v5")
    token = await register.token("declaration", "people")
    with authorizing(tmp_path, kubeconfig, tls) as process:
        async with process.asked() as ask:

            async def passes() -> bool:
                return (await ask(f"/v1/check/{register.holder}/people/v5", token)).status == 200

            await eventually(passes)

        def watched() -> bool:
            """Each kind: one of them may be listed, and its watch begin a moment later."""
            left = {right for right in granted(MANIFEST) - used(audit.by(USER)) if right.verb != "get"}
            return not left

        await eventually(watched)
    asked = audit.by(USER)
    assert_none_was_missing(asked)
    unused = granted(MANIFEST) - used(asked)
    assert {right.verb for right in unused} == {"get"}, unused  # of a resync, 20 minutes later
    assert {right.group for right in unused} == {GROUP}
    reviews = {"tokenreviews", "subjectaccessreviews"}
    assert {one.resource for one in asked if one.writes} == reviews


async def test_one_question_is_asked_once_by_however_many(
    cluster: Cluster, own: tuple[Path, Tls], tmp_path: Path, register: Register
) -> None:
    kubeconfig, tls = own
    consumer = await register.account("declaration")
    await register.make(web_service(register.holder, "people"))
    await register.opened("declaration", "people", consumer, "v5")
    token = await register.token("declaration", "people")
    path = f"/v1/check/{register.holder}/people/v5"
    with authorizing(tmp_path, kubeconfig, tls) as process:
        audit = AuditLog.from_now(cluster.audit_log)
        async with process.asked() as ask:
            began = time.monotonic()
            said = await asyncio.gather(*(ask(path, token) for _ in range(50)))
            took = time.monotonic() - began
            assert {one.told for one in said} == {(200, "Granted")}
            garbage = token[:-8] + "AAAAAAAA"
            began = time.monotonic()
            assert {one.status for one in await asyncio.gather(*(ask(path, garbage) for _ in range(50)))} == {
                401
            }
            took_in_vain = time.monotonic() - began
            junk = "eyJhbGciOiJub25lIn0.e30.c2ln"
            assert (await ask(path, junk)).status == 401
        reviews = [one.resource for one in audit.by(USER) if one.writes]
    soonest = RENEWED[0]  # of a good answer's time
    tokens = 2 + int(took / (soonest * TOKEN_SECONDS)) + int(took_in_vain / ACCESS_SECONDS)
    rights = 1 + int(took / (soonest * ACCESS_SECONDS))
    assert 2 <= reviews.count("tokenreviews") <= tokens, "once each, and again when that is over"
    assert 1 <= reviews.count("subjectaccessreviews") <= rights, "once, and again when that is over"


async def test_each_answer_is_a_line_without_what_the_caller_appended(running: AuthorizerProcess) -> None:
    async with running.asked() as ask:
        await ask("/v1/check/a/b/v5/secret?also=secret", X_On_Behalf_Of="90000054163")
        await ask("/secret")
    first, second = running.answers()[-2:]
    told = {
        key: first[key]
        for key in ("namespace", "webService", "contractVersion", "decision", "reason", "status")
    }
    assert told == {
        "namespace": "a",
        "webService": "b",
        "contractVersion": "v5",
        "decision": "unauthenticated",
        "reason": "TokenMissing",
        "status": 401,
    }
    assert second["reason"] == "AddressUnclear"
    assert "secret" not in json.dumps([first, second])


async def test_probes_and_figures_are_on_their_own_port(running: AuthorizerProcess) -> None:
    async with aiohttp.ClientSession(running.health) as client:
        for path, status in (("/livez", 200), ("/readyz", 200), ("/metrics", 200), ("/v1/check/a/b/-", 404)):
            async with client.get(path) as answer:
                assert answer.status == status
    assert running.process.poll() is None
