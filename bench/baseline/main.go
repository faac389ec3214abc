// SPDX-License-Identifier: Apache-2.0

// A minimal operator, to measure ours against: controller-runtime, the same children for the same EServices, about
// as many writes, and none of the rules. It takes every act and verification at its word, knows one release of
// an e-service, reads no calendar, and takes nothing off but at the end of its EService.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
)

func toService(_ context.Context, about client.Object) []ctrl.Request {
	namespace, name := serviceOf(about)
	return []ctrl.Request{{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}}
}

func run(workers int, metrics string) error {
	ours := labels.SelectorFromSet(labels.Set{managedBy: manager})
	made := []client.Object{&corev1.ServiceAccount{}, &corev1.Service{}, &networkingv1.NetworkPolicy{},
		&policyv1.PodDisruptionBudget{}, &appsv1.ControllerRevision{}, &appsv1.Deployment{}, referenceGrant("", "")}
	selected := map[client.Object]cache.ByObject{}
	for _, kind := range made {
		selected[kind] = cache.ByObject{Label: ours}
	}
	mgr, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Scheme:  scheme.Scheme,
		Metrics: server.Options{BindAddress: metrics},
		Cache:   cache.Options{DefaultTransform: cache.TransformStripManagedFields(), ByObject: selected},
		Client:  client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return err
	}
	operator := &operator{Client: mgr.GetClient()}
	changed := builder.WithPredicates(predicate.ResourceVersionChangedPredicate{})
	setup := ctrl.NewControllerManagedBy(mgr).Named("eservice").For(custom("EService"), changed).
		WithOptions(controller.Options{MaxConcurrentReconciles: workers})
	for _, kind := range made {
		setup = setup.Owns(kind, changed)
	}
	for _, kind := range []string{"AcceptanceAct", "ProductionVerification"} {
		index := func(paper client.Object) []string {
			namespace, name := serviceOf(paper)
			return []string{namespace + "/" + name}
		}
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), custom(kind), byService, index); err != nil {
			return err
		}
		setup = setup.Watches(custom(kind), handler.EnqueueRequestsFromMapFunc(toService), changed)
	}
	setup = setup.Watches(httpRoute("", ""), handler.EnqueueRequestsFromMapFunc(toService), changed)
	if err := setup.Complete(operator); err != nil {
		return err
	}
	return mgr.Start(ctrl.SetupSignalHandler())
}

func main() {
	workers := flag.Int("workers", 16, "how many e-services are reconciled at once")
	metrics := flag.String("metrics-address", "127.0.0.1:0", "where /metrics answers")
	flag.Parse()
	ctrl.SetLogger(zap.New())
	if err := run(*workers, *metrics); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
