// SPDX-License-Identifier: Apache-2.0

// Command controlplane holds the processes of a Kubernetes control plane in one binary, for development and tests.
// The component is named by the first argument, or by the name under which the binary is called: links with the
// components' names give a folder the layout that KUBEBUILDER_ASSETS has.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

func kubernetes(command func() *cobra.Command) func([]string) {
	return func(args []string) {
		os.Args = args
		os.Exit(cli.Run(command()))
	}
}

var components = map[string]func([]string){
	"etcd":                    etcdmain.Main,
	"kube-apiserver":          kubernetes(apiserver.NewAPIServerCommand),
	"kube-controller-manager": kubernetes(controllermanager.NewControllerManagerCommand),
	"kube-scheduler":          kubernetes(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
}

func main() {
	args := os.Args
	run, known := components[filepath.Base(args[0])]
	if !known && len(args) > 1 {
		args = args[1:]
		run, known = components[args[0]]
	}
	if !known {
		names := strings.Join(slices.Sorted(maps.Keys(components)), " | ")
		fmt.Fprintf(os.Stderr, "usage: controlplane (%s) [flags of that component]\n", names)
		os.Exit(2)
	}
	run(args)
}
