# SPDX-License-Identifier: Apache-2.0
"""The key of an object: all that a trigger carries."""

from __future__ import annotations

from typing import NamedTuple

from typing_extensions import override


class ObjectKey(NamedTuple):
    """Kind, namespace and name of an object; ``namespace`` is empty for a cluster-scoped one."""

    kind: str
    namespace: str
    name: str

    @override
    def __str__(self) -> str:
        """``Kind namespace/name``, as people write it."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"
