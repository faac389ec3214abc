# SPDX-License-Identifier: Apache-2.0
"""The outside-in probe: asks public hosts as a citizen's browser would, and remembers what answered."""
