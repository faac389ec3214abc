// SPDX-License-Identifier: Apache-2.0

// Command kstatus reads an object or a List as JSON from its input and prints one JSON line for each object: what
// Flux, Helm 4 and Argo-like tools that build on kstatus make of its status.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

type verdict struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Status    string `json:"status"`
	Message   string `json:"message"`
}

func judge(input io.Reader, output io.Writer) error {
	text, err := io.ReadAll(input)
	if err != nil {
		return err
	}
	// Not encoding/json: kstatus wants whole numbers as int64.
	read, _, err := unstructured.UnstructuredJSONScheme.Decode(text, nil, nil)
	if err != nil {
		return err
	}
	lines := json.NewEncoder(output)
	one := func(item runtime.Object) error {
		object := item.(*unstructured.Unstructured)
		found, err := status.Compute(object)
		if err != nil {
			return fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
		}
		return lines.Encode(verdict{
			object.GetKind(), object.GetNamespace(), object.GetName(), found.Status.String(), found.Message,
		})
	}
	if list, many := read.(*unstructured.UnstructuredList); many {
		return list.EachListItem(one)
	}
	return one(read)
}

func main() {
	if err := judge(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
