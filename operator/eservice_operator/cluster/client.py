# SPDX-License-Identifier: Apache-2.0
"""The API server as this program sees it: a few verbs over plain dicts."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlencode

import aiohttp

from eservice_operator.api.names import MANAGER
from eservice_operator.cluster.attempts import OnRequest
from eservice_operator.cluster.configuration import Configuration
from eservice_operator.cluster.encoding import APPLY
from eservice_operator.cluster.errors import Expired, NotFound, from_status
from eservice_operator.cluster.guard import WriteGuard
from eservice_operator.cluster.nesting import read
from eservice_operator.cluster.resources import Resource, path, path_of, resource_of
from eservice_operator.cluster.transport import CONNECT_TIMEOUT, Request, Transport
from eservice_operator.core.actions import Manifest, Ref, ref_of

METADATA_LIST: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
WATCH_SECONDS: Final = (240, 330)
"""How long one watch is asked to last; drawn between them, so that many do not end together."""
PAGE: Final = 100
"""Objects of a list that are read at once. Until those of a page are made smaller they take 10 to 60 KB each,
and several lists are read at the same time; little of what that needs at once is given back."""
INACTIVITY: Final = 70.0
"""Seconds of silence after which a watch counts as dead: a live one brings a bookmark each minute."""


Items = list[Manifest]
Listing = tuple[Items, str]
"""Objects as of one instant, and that instant's resourceVersion."""


class KubeApi:
    """A thin client; every method raises ``ApiError`` and honours the transport's limits and retries.

    ``request_timeout`` and ``inactivity`` are in seconds, as are the shortest and the longest watch.
    ``guard`` and ``agent`` are those of the transport.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        request_timeout: float = 30.0,
        inactivity: float = INACTIVITY,
        watch_seconds: tuple[int, int] = WATCH_SECONDS,
        guard: WriteGuard | None = None,
        agent: str = "",
        on_request: OnRequest | None = None,
    ) -> None:
        self._watch_seconds = watch_seconds
        self._transport = Transport(
            configuration,
            request_timeout=request_timeout,
            guard=guard,
            agent=agent,
            on_request=on_request,
        )
        self._watch_timeout = aiohttp.ClientTimeout(sock_connect=CONNECT_TIMEOUT, sock_read=inactivity)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        await self._transport.close()

    async def get(self, ref: Ref) -> Manifest | None:
        """The object as it is now, or None."""
        try:
            return _object(await self._transport.send(Request("get", "GET", path_of(ref))))
        except NotFound:
            return None

    async def list(
        self,
        resource: Resource,
        namespace: str = "",
        label_selector: str = "",
        *,
        limit: int = PAGE,
        metadata_only: bool = False,
        keep: Callable[[Manifest], Manifest] = lambda item: item,
    ) -> Listing:
        """All objects as of one instant, and its resourceVersion; ``namespace`` empty means all.

        Read in pages of ``limit``, each item passed through ``keep`` at once: what it drops is never held for
        all. A page that comes too late (410) starts the list again, then in one piece.
        """
        accept = METADATA_LIST if metadata_only else "application/json"
        where = path(resource, namespace)
        items: Items = []
        token = ""
        while True:
            query = {"labelSelector": label_selector, "limit": str(limit or ""), "continue": token}
            request = Request("list", "GET", _url(where, query), accept=accept)
            try:
                page = await self._transport.send(request)
            except Expired:
                if not token:
                    raise
                items.clear()
                token, limit = "", 0
                continue
            for item in page.get("items") or ():
                item["apiVersion"], item["kind"] = resource.api_version, resource.kind
                items.append(keep(item))
            token, version = page["metadata"].get("continue", ""), page["metadata"]["resourceVersion"]
            del page  # or it would be there until the next one is read
            if not token:
                return items, version

    async def watch(
        self, resource: Resource, resource_version: str, namespace: str = "", label_selector: str = ""
    ) -> AsyncGenerator[tuple[str, Manifest], None]:
        """What happens after ``resource_version``: (ADDED | MODIFIED | DELETED | BOOKMARK, object).

        Ends when the server ends it. An ERROR frame is raised: ``Expired`` means that events were missed.
        """
        query = {
            "watch": "1",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(random.randint(*self._watch_seconds)),  # noqa: S311
            "labelSelector": label_selector,
        }
        request = Request("watch", "GET", _url(path(resource, namespace), query))
        async with self._transport.open(request, self._watch_timeout) as response:
            async for line in _lines(response.content.iter_any()):
                frame = read(line)
                if frame["type"] == "ERROR":
                    raise from_status(int(frame["object"].get("code") or 0), frame["object"])
                yield frame["type"], frame["object"]

    async def create(self, manifest: Manifest, *, field_manager: str = MANAGER) -> Manifest:
        """Make the object; one that is there already is an ``AlreadyExists`` and stays as it is."""
        ref = ref_of(manifest)
        query = {"fieldManager": field_manager, "fieldValidation": "Strict"}
        url = _url(path(resource_of(ref.kind), ref.namespace), query)
        request = Request("create", "POST", url, manifest, repeatable=False)
        return _object(await self._transport.send(request))

    async def review(self, resource: Resource, spec: Manifest) -> Manifest:
        """The status of a review. Nothing is made by it, so it may be asked for again."""
        document = {"apiVersion": resource.api_version, "kind": resource.kind, "spec": spec}
        answer = _object(await self._transport.send(Request("create", "POST", path(resource), document)))
        status: Manifest = answer["status"]
        return status

    async def apply(
        self, manifest: Manifest, *, field_manager: str, force: bool, subresource: str = ""
    ) -> Manifest:
        """Server-side apply; with ``metadata.uid`` it is a ``Conflict`` unless that very object is there."""
        query = {
            "fieldManager": field_manager,
            "force": "true" if force else "false",
            "fieldValidation": "Strict",
        }
        url = _url(path_of(ref_of(manifest), subresource), query)
        request = Request("apply", "PATCH", url, manifest, content_type=APPLY)
        return _object(await self._transport.send(request))

    async def json_patch(
        self,
        ref: Ref,
        ops: Sequence[Mapping[str, Any]],
        *,
        field_manager: str = MANAGER,
        subresource: str = "",
    ) -> Manifest:
        """RFC 6902; has to set ``/metadata/resourceVersion``, so that sending it twice does no harm."""
        url = _url(path_of(ref, subresource), {"fieldManager": field_manager})
        request = Request("patch", "PATCH", url, ops, content_type="application/json-patch+json")
        return _object(await self._transport.send(request))

    async def delete(self, ref: Ref, *, uid: str, resource_version: str = "") -> Manifest | None:
        """Delete this very object, its dependents in the background.

        Answers the object when the server says it is still there (finalizers) or does not say, None when it
        says that it is gone. Another uid, or another resourceVersion if given, is a ``Conflict``.
        """
        preconditions = {"uid": uid} | ({"resourceVersion": resource_version} if resource_version else {})
        options = {"propagationPolicy": "Background", "preconditions": preconditions}
        answer = await self._transport.send(Request("delete", "DELETE", path_of(ref), options))
        return None if answer.get("kind") == "Status" else _object(answer)


def _url(where: str, query: dict[str, str]) -> str:
    return f"{where}?{urlencode({key: value for key, value in query.items() if value})}"


def _object(answer: Any) -> Manifest:
    document: Manifest = answer
    return document


async def _lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The frames of a watch; what the stream leaves unfinished when it ends is no frame."""
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if line:
                yield line
