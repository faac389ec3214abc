// SPDX-License-Identifier: Apache-2.0

//go:build modules

// This file is never compiled: it keeps in go.mod, with its checksum, the module whose CRD files are applied.
package main

import _ "sigs.k8s.io/gateway-api/pkg/consts"
