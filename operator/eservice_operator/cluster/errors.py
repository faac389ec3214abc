# SPDX-License-Identifier: Apache-2.0
"""What the API answered when it did not do what was asked: a closed family of errors.

`Transient | Conflict | AlreadyExists | NotFound | Forbidden | Invalid`; `Expired` is the `Transient` that a
fresh LIST mends.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from typing_extensions import override

from eservice_operator.cluster.nesting import read


class ApiError(Exception):
    """An answer that is not a success, or none at all.

    ``status`` is the HTTP status, 0 when no answer came. ``reason`` is the API's word for it (``Invalid``,
    ``Forbidden``, …), ``message`` its sentence, ``cause`` the reasons of the details, joined by commas.
    ``retry_after`` is how many seconds the server asks to wait, 0 when it does not say.
    """

    transient: ClassVar[bool] = False
    """Whether the same request can succeed later without anybody changing what it says."""

    @property
    def of_all(self) -> bool:
        """Whether any other request would hardly fare better: nobody answers, or not now, or not to us."""
        return False

    def __init__(
        self, status: int, reason: str, message: str, cause: str = "", *, retry_after: float = 0.0
    ) -> None:
        super().__init__(status, reason, message, cause)
        self.status = status
        self.reason = reason
        self.message = message
        self.cause = cause
        self.retry_after = retry_after

    @override
    def __str__(self) -> str:
        """``409 Conflict: …``, for logs."""
        return f"{self.status or 'no answer'} {self.reason}: {self.message}"


class Transient(ApiError):
    """Overload, an outage, a broken connection, a token just replaced: try again later."""

    transient = True

    @property
    @override
    def of_all(self) -> bool:
        """A 500 can be the matter of one object: it is as large as can be stored, its webhook is down."""
        return self.status != HTTPStatus.INTERNAL_SERVER_ERROR


class Expired(Transient):
    """The resourceVersion or continue token is too old: list again."""


class Conflict(ApiError):
    """Somebody else was first (resourceVersion), or the object of this uid is gone: look again."""

    transient = True


class AlreadyExists(ApiError):
    """An object of this name is there already."""


class NotFound(ApiError):
    """The object, or the namespace or kind it should be in, is not there."""

    transient = True


class Forbidden(ApiError):
    """Not permitted: RBAC, a quota, an admission policy, or a namespace being deleted."""


class Invalid(ApiError):
    """The request can never be accepted as it is."""


MISTYPED = "failed to create typed patch object"
"""How the API server begins when an apply does not fit the schema: with the status 500."""

UNDISCOVERED = "cannot find RESTMapping for APIVersion"
"""What a server says of owner references while it begins and has not read the CRDs yet."""

_BY_STATUS: dict[int, type[ApiError]] = {
    401: Transient,  # a token between two rotations; the credentials are read again for the next request
    403: Forbidden,
    404: NotFound,
    408: Transient,
    409: Conflict,
    410: Expired,
    429: Transient,
}


def from_status(code: int, document: dict[str, Any], *, retry_after: float = 0.0) -> ApiError:
    """The error for a ``Status`` document, the body of a refusal or the object of a watch's ERROR frame."""
    details = document.get("details") or {}
    reason = document.get("reason") or f"HTTP{code}"
    causes = ",".join(cause.get("reason", "") for cause in details.get("causes") or ())
    family = _BY_STATUS.get(code) or (Transient if code >= 500 or code == 0 else Invalid)  # noqa: PLR2004
    if reason == "AlreadyExists":
        family = AlreadyExists
    elif code == 403 and UNDISCOVERED in (document.get("message") or ""):  # noqa: PLR2004
        family = Transient
    elif code == 500 and document.get("message", "").startswith(MISTYPED):  # noqa: PLR2004
        family, reason = Invalid, "Invalid"
    elif "ResourceVersionTooLarge" in causes:  # the store of the API server was put back to an earlier day
        family = Expired
    return family(
        code,
        reason,
        document.get("message") or "the API server gave no message",
        causes,
        retry_after=max(retry_after, float(details.get("retryAfterSeconds") or 0)),
    )


def from_body(code: int, body: bytes, *, retry_after: float = 0.0) -> ApiError:
    """The error for an HTTP answer; what is not a ``Status`` (a proxy's page) becomes the message."""
    try:
        document = read(body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        document = {"message": body[:200].decode(errors="replace").strip()}
    return from_status(code, document, retry_after=retry_after)
