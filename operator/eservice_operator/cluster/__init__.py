# SPDX-License-Identifier: Apache-2.0
"""What talks to the Kubernetes API: lists and watches, applies, deletes, status, events, the lease.

It carries out what `core` decided and reports what happened; it decides nothing. Writes are safe to repeat.
"""
