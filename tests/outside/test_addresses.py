# SPDX-License-Identifier: Apache-2.0
"""The probe asks public addresses only, whatever DNS says, and connects to the address that was checked."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from eservice_operator.outside.addresses import (
    REFUSED,
    WHYS,
    CheckedResolver,
    NotAllowed,
    Rules,
    SystemLookUp,
)

STRICT = Rules()


@pytest.mark.parametrize(
    "address, why",
    [
        ("10.1.2.3", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("192.168.1.1", "private"),
        ("fd12:3456::1", "private"),
        ("fec0::1", "private"),
        ("127.0.0.1", "loopback"),
        ("127.255.0.9", "loopback"),
        ("::1", "loopback"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("168.63.129.16", "metadata"),
        ("100.100.100.200", "metadata"),
        ("192.0.0.192", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("224.0.0.251", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),  # noqa: S104 - asked, not listened on
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("192.0.2.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("203.0.113.9", "reserved"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("4000::1", "reserved"),
        ("::ffff:10.0.0.1", "private"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::10.0.0.1", "private"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b::169.254.169.254", "metadata"),
        ("64:ff9b:1::1", "translated"),
        ("2002:0a00:0001::1", "private"),
        ("2001:0:4136:e378::1", "translated"),
    ],
)
def test_an_address_that_is_no_public_server_is_refused(address: str, why: str) -> None:
    assert STRICT.why_not(address) == why
    assert why in WHYS


@pytest.mark.parametrize(
    "address",
    [
        "8.8.8.8",
        "172.15.0.1",
        "172.32.0.1",
        "100.63.0.1",
        "100.128.0.1",
        "223.255.255.1",
        "2a00:1450:4026::200e",
        "64:ff9b::8.8.8.8",
        "::ffff:8.8.8.8",
        "2002:0808:0808::1",
    ],
)
def test_a_public_address_may_be_asked(address: str) -> None:
    assert STRICT.why_not(address) is None


@given(st.ip_addresses())
@example(IPv4Address("168.63.129.16"))
@example(IPv6Address("::ffff:127.0.0.1"))
def test_what_python_calls_private_is_never_asked(address: IPv4Address | IPv6Address) -> None:
    odd = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    if odd or address.is_unspecified:
        carried = isinstance(address, IPv6Address) and (address.ipv4_mapped or address.sixtofour)
        assert STRICT.why_not(str(address)) is not None or carried


@given(st.ip_addresses(v=4))
def test_no_other_way_to_write_an_address_leads_to_a_refused_one(address: IPv4Address) -> None:
    bits, plain = int(address), STRICT.why_not(str(address))
    for other in (
        IPv6Address(0xFFFF << 32 | bits),
        IPv6Address(0x0064FF9B << 96 | bits),
        IPv6Address(0x2002 << 112 | bits << 80 | 1),
    ):
        assert STRICT.why_not(str(other)) == plain


@given(st.sampled_from([network for network, _ in REFUSED]).flatmap(lambda one: st.ip_addresses(network=one)))
def test_every_address_of_a_refused_network_is_refused(address: IPv4Address | IPv6Address) -> None:
    assert STRICT.why_not(str(address)) is not None


def test_what_the_settings_allow_may_be_asked_and_nothing_beside_it() -> None:
    rules = Rules([ip_network("10.9.0.0/16"), ip_network("fd00:9::/32")])
    assert rules.why_not("10.9.1.1") is None
    assert rules.why_not("::ffff:10.9.1.1") is None
    assert rules.why_not("fd00:9::1") is None
    assert rules.why_not("10.8.1.1") == "private"
    assert rules.why_not("fd00:8::1") == "private"


@pytest.mark.parametrize(
    "network, address",
    [
        ("100.64.0.0/10", "100.100.100.200"),
        ("fd00::/8", "fd00:ec2::254"),
        ("fd00::/8", "fd00:ec2::23"),
        ("169.254.0.0/16", "169.254.169.254"),
        ("169.254.0.0/16", "169.254.170.23"),
        ("169.254.169.254/31", "169.254.169.254"),
        ("0.0.0.0/0", "168.63.129.16"),
        ("::/0", "::ffff:169.254.169.254"),
        ("::/0", "64:ff9b::169.254.169.254"),
    ],
)
def test_a_network_that_is_allowed_does_not_open_the_metadata_of_a_cloud(network: str, address: str) -> None:
    assert Rules([ip_network(network)]).why_not(address) == "metadata"


@pytest.mark.parametrize("written", ["168.63.129.16", "::ffff:168.63.129.16"])
def test_a_metadata_address_is_asked_where_it_is_named_itself(written: str) -> None:
    rules = Rules([ip_network("168.63.129.16/32")])
    assert rules.why_not(written) is None
    assert rules.why_not("169.254.169.254") == "metadata"


def test_what_is_no_address_is_no_address() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        STRICT.why_not("localhost")


class Names:
    """DNS as the test has it; each name answers its lists one after the other, and goes on with the last."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, name: str) -> Sequence[str]:
        self.asked.append(name)
        lists = self._answers.get(name.rstrip("."))
        if lists is None:
            raise OSError("Name or service not known")
        return lists.pop(0) if lists[1:] else lists[0]


async def test_a_resolver_answers_what_was_checked_and_leaves_out_the_rest() -> None:
    names = Names(mixed_example=[["10.0.0.1", "8.8.8.8", "2a00:1450::1", "fe80::1"]])
    found = await CheckedResolver(STRICT, names).resolve("mixed.example", 443)
    assert [(one["host"], one["port"], one["family"]) for one in found] == [
        ("8.8.8.8", 443, socket.AF_INET),
        ("2a00:1450::1", 443, socket.AF_INET6),
    ]
    assert all(one["flags"] & socket.AI_NUMERICHOST for one in found)
    assert names.asked == ["mixed.example."], "without the final dot a search domain could answer"


async def test_a_host_with_none_but_refused_addresses_is_refused_with_the_reason() -> None:
    resolver = CheckedResolver(STRICT, Names(inside_example=[["169.254.169.254", "10.0.0.1"]]))
    with pytest.raises(NotAllowed) as refused:
        await resolver.resolve("inside.example", 443)
    assert refused.value.why == "metadata"


@pytest.mark.parametrize("names", [Names(), Names(empty_example=[[]])])
async def test_a_host_without_addresses_has_none(names: Names) -> None:
    with pytest.raises(OSError, match=r"no address|not known"):
        await CheckedResolver(STRICT, names).resolve("empty.example", 443)


async def test_the_place_that_is_asked_instead_is_checked_as_well() -> None:
    names = Names(gateway_svc=[["10.96.0.9"]])
    with pytest.raises(NotAllowed):
        await CheckedResolver(STRICT, names, ("127.0.0.1", 8443)).resolve("address.example", 443)
    rules = Rules([ip_network("127.0.0.0/8"), ip_network("10.96.0.0/12")])
    (found,) = await CheckedResolver(rules, names, ("127.0.0.1", 8443)).resolve("address.example", 443)
    assert (found["hostname"], found["host"], found["port"]) == ("address.example", "127.0.0.1", 8443)
    (found,) = await CheckedResolver(rules, names, ("gateway.svc", 8443)).resolve("address.example", 443)
    assert (found["host"], names.asked) == ("10.96.0.9", ["gateway.svc"]), "as the cluster knows it"


async def test_silent_names_hold_up_no_others_and_keep_one_thread_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A look-up goes on in its thread when the question about it is over."""
    end, begun = threading.Event(), []

    def slow(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        begun.append(name)
        if name.startswith("dead"):
            end.wait()
            raise socket.gaierror(socket.EAI_AGAIN, "temporary failure")
        return [(0, 0, 0, "", ("8.8.8.8", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    look_up = SystemLookUp()
    try:
        for _ in range(6):
            for number in range(16):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.001):
                        await look_up(f"dead{number}.example.")
        async with asyncio.timeout(5):
            assert await look_up("good.example.") == ("8.8.8.8",)
        assert len(begun) <= 17
        waits = asyncio.ensure_future(look_up("dead0.example."))
        await asyncio.sleep(0)
        end.set()
        with pytest.raises(OSError, match="temporary"):
            await waits
    finally:
        end.set()
        look_up.close()


async def test_the_machines_own_names_are_looked_up_in_threads_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = []

    def noted(name: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        threads.append(threading.current_thread().name)
        return [(0, 0, 0, "", (name, 0)), (0, 0, 0, "", (name, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    look_up = SystemLookUp()
    try:
        assert await look_up("127.0.0.1") == ("127.0.0.1",)
    finally:
        look_up.close()
    assert threads[0].startswith("probe-dns")
