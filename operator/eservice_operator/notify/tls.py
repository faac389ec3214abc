# SPDX-License-Identifier: Apache-2.0
"""Whom a channel trusts: certificates and host names are always checked."""

from __future__ import annotations

import ssl


def trust(ca_file: str | None) -> ssl.SSLContext:
    """TLS 1.2 or newer, trusting the authorities of that file and no other; without one, the machine's.

    Raises:
        OSError: the file cannot be read, or holds no certificate (``ssl.SSLError``).
    """
    context = ssl.create_default_context(cafile=ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
