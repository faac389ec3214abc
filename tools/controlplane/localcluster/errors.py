# SPDX-License-Identifier: Apache-2.0
"""The one error that is shown to people without a traceback."""


class ClusterError(Exception):
    """Something that the person at the keyboard can act on; the message says what."""
