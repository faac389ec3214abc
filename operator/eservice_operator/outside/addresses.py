# SPDX-License-Identifier: Apache-2.0
"""Which addresses the probe may ask, and a resolver that gives no others.

Hosts are written by institutions, and whoever holds a domain decides what DNS answers: without this the
operator could be led to the cloud's metadata or into the cluster. The address that was checked is the one
connected to.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp.abc import AbstractResolver, ResolveResult
from typing_extensions import override

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LookUp = Callable[[str], Awaitable[Sequence[str]]]
"""The addresses of a name; raises OSError when there are none."""

THREADS: Final = 64
"""Names looked up at once; a look-up that nobody waits for any more ends by itself, and may take long."""


class NotAllowed(Exception):
    """Every address of a host is one that the probe may not ask; ``why`` is that of the first."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _networks(why: str, *cidrs: str) -> list[tuple[Network, str]]:
    return [(ip_network(cidr), why) for cidr in cidrs]


METADATA: Final = _networks(
    "metadata",
    "169.254.169.254/32",
    "169.254.170.2/32",
    "169.254.170.23/32",
    "168.63.129.16/32",  # a public address by its look
    "100.100.100.200/32",
    "192.0.0.192/32",
    "fd00:ec2::254/128",
    "fd00:ec2::23/128",
    "fd20:ce::254/128",
)
"""Where clouds hand out credentials: allowed one by one only, never within a wider network."""
REFUSED: Final[tuple[tuple[Network, str], ...]] = (
    *METADATA,  # before the wider ones that hold them
    *_networks("unspecified", "0.0.0.0/8", "::/128"),
    *_networks("loopback", "127.0.0.0/8", "::1/128"),
    *_networks("private", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    *_networks("link-local", "169.254.0.0/16", "fe80::/10"),
    *_networks("shared", "100.64.0.0/10"),
    *_networks("multicast", "224.0.0.0/4", "ff00::/8"),
    *_networks("translated", "64:ff9b:1::/48", "2001::/32"),
    *_networks(
        "reserved",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
    ),
)
"""Networks that are nobody's public server (IANA's special-purpose registries), with the word for why."""
WHYS: Final = (*dict.fromkeys(why for _, why in REFUSED), "literal")
"""Every reason for which an address is refused."""
PUBLIC_V6: Final = IPv6Network("2000::/3")
_CARRIERS: Final = (
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (IPv6Network("64:ff9b::/96"), 0),
    (IPv6Network("::/96"), 0),
    (IPv6Network("2002::/16"), 80),
)
"""IPv6 networks whose addresses carry an IPv4 address, and how many bits come after that."""


class Rules:
    """Which addresses may be asked: public ones, and those in the networks that the settings allow.

    A cloud's metadata address has to be named itself.
    """

    def __init__(self, allowed: Iterable[Network] = ()) -> None:
        self._allowed = tuple(allowed)

    def why_not(self, text: str) -> str | None:
        """The word for why an address is refused; none when it may be asked.

        Raises:
            ValueError: the text is no IP address.
        """
        address = ip_address(text.partition("%")[0])
        forms = (address, *_carried(address))
        handed = any(form in network for form in forms for network, _ in METADATA)
        allowed = [one for one in self._allowed if one.num_addresses == 1 or not handed]
        if any(form in network for form in forms for network in allowed):
            return None
        return next((why for form in reversed(forms) if (why := _refused(form)) is not None), None)


def _carried(address: Address) -> tuple[IPv4Address, ...]:
    """The IPv4 address within an IPv6 address that is only another way to write it, or leads to it."""
    if isinstance(address, IPv4Address) or int(address) in {0, 1}:
        return ()
    found = next((after for network, after in _CARRIERS if address in network), None)
    return () if found is None else (IPv4Address(int(address) >> found & 0xFFFFFFFF),)


def _refused(address: Address) -> str | None:
    why = next((why for network, why in REFUSED if address in network), None)
    if why is not None or isinstance(address, IPv4Address) or _carried(address):
        return why
    return None if address in PUBLIC_V6 else "reserved"


class SystemLookUp:
    """Names looked up as the machine does it, in threads of their own.

    A silent name keeps one thread, however often it is asked for, and no more than there are threads wait in
    them; who waits for a thread has the time of the question.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="probe-dns")
        self._free = asyncio.Semaphore(THREADS)
        self._under_way: dict[str, asyncio.Future[list[str]]] = {}

    async def __call__(self, name: str) -> Sequence[str]:
        """The addresses of a name, each once.

        Raises:
            OSError: there are none, or DNS does not answer.
        """
        if name not in self._under_way:
            await self._free.acquire()
            self._begin(name)
        found = await asyncio.shield(self._under_way[name])
        return tuple(dict.fromkeys(found))

    def _begin(self, name: str) -> None:
        """Look a name up in the thread that is free, unless another has begun to while this one waited."""
        if name in self._under_way:
            self._free.release()
            return
        loop = asyncio.get_running_loop()
        begun = loop.run_in_executor(self._threads, _addresses_of, name)
        self._under_way[name] = begun
        begun.add_done_callback(lambda ended: self._ended(name, ended))

    def _ended(self, name: str, ended: asyncio.Future[list[str]]) -> None:
        del self._under_way[name]
        self._free.release()
        if not ended.cancelled():
            ended.exception()  # told to whoever waits; nobody may any more

    def close(self) -> None:
        """Look nothing more up; what is under way is left to itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses_of(name: str) -> list[str]:
    return [str(entry[4][0]) for entry in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]


class CheckedResolver(AbstractResolver):
    """aiohttp's resolver that answers checked addresses only; ``instead`` (host, port) is asked for all.

    A name is written with its final dot, so that no search domain of the cluster answers for a public host.
    """

    def __init__(self, rules: Rules, look_up: LookUp, instead: tuple[str, int] | None = None) -> None:
        self._rules = rules
        self._look_up = look_up
        self._instead = instead

    @override
    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of a host that may be asked.

        Raises:
            NotAllowed: it has addresses, and none of them may be.
            OSError: it has none.
        """
        name = f"{host.rstrip('.')}."
        if self._instead is not None:
            name, port = self._instead
        found = [name] if is_address(name) else await self._look_up(name)
        judged = [(address, self._rules.why_not(address)) for address in found]
        fit = [address for address, why in judged if why is None]
        if not fit:
            raise NotAllowed(next((why for _, why in judged if why), "")) if judged else OSError("no address")
        return [_result(host, address, port) for address in fit]

    @override
    async def close(self) -> None:
        """The look-up is closed by who made it."""


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST,
    )
