# SPDX-License-Identifier: Apache-2.0
"""Secrets of the channels: read by name when they are needed, kept for a moment, shown to nobody."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Final

from eservice_operator.cluster.client import KubeApi
from eservice_operator.cluster.errors import ApiError
from eservice_operator.core.actions import Ref
from eservice_operator.notify.event import SHORTEST_KEY
from eservice_operator.notify.sender import Login, NoCredentials
from eservice_operator.runtime.settings import SecretName

KEPT: Final = 30.0
"""Seconds that a Secret is taken as it was: less than the first pause before a notice is tried again."""


class SecretReader:
    """Reads one Secret; every error names it, and none says what is in it."""

    def __init__(self, api: KubeApi, name: SecretName, monotonic: Callable[[], float]) -> None:
        self._api = api
        self._name = name
        self._monotonic = monotonic
        self._read_at = 0.0
        self._data: Mapping[str, str] | None = None

    async def value(self, key: str) -> bytes:
        """The bytes under a key, as they were at most `KEPT` seconds ago.

        Raises:
            NoCredentials: the Secret or the key is not there, is empty, or cannot be read.
        """
        now = self._monotonic()
        if self._data is None or now - self._read_at >= KEPT:
            self._data = None
            self._data = await self._ask()
            self._read_at = now
        try:
            value = base64.b64decode(self._data[key], validate=True)
        except (KeyError, binascii.Error):
            value = b""
        if not value:
            raise NoCredentials(f"the Secret {self._name} has nothing under {key}")
        return value

    async def _ask(self) -> Mapping[str, str]:
        try:
            secret = await self._api.get(Ref("v1", "Secret", self._name.namespace, self._name.name))
        except ApiError as error:
            raise NoCredentials(
                f"the Secret {self._name} cannot be read: {error.status} {error.reason}"
            ) from error
        if secret is None:
            raise NoCredentials(f"there is no Secret {self._name}")
        data: Mapping[str, str] = secret.get("data") or {}
        return data


class SecretLogin:
    """The `Credentials` in a Secret of type ``kubernetes.io/basic-auth``."""

    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader

    async def __call__(self) -> Login:
        """The login as it is now."""
        username, password = [await self._reader.value(key) for key in ("username", "password")]
        try:
            return Login(username.decode(), password.decode())
        except UnicodeDecodeError:
            pass
        raise NoCredentials("username and password of the mail server have to be text in UTF-8")


class SecretKey:
    """The `SigningKey` under ``hmac-key`` of a Secret."""

    def __init__(self, reader: SecretReader) -> None:
        self._reader = reader

    async def __call__(self) -> bytes:
        """The key as it is now."""
        key = await self._reader.value("hmac-key")
        if len(key) < SHORTEST_KEY:
            raise NoCredentials(f"hmac-key is too short: write at least {SHORTEST_KEY} random bytes")
        return key
