# SPDX-License-Identifier: Apache-2.0
"""Tells people: e-mail and CloudEvents behind one protocol. Knows no cluster and no kopf."""
