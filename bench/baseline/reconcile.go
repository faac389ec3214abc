// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const byService = "spec.eService"

type operator struct {
	client.Client
	// What was written and has perhaps not come back to the cache yet, by key and what was meant.
	written sync.Map
	numbers atomic.Int64
	count   sync.Once
}

func (o *operator) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	service := custom("EService")
	if err := o.Get(ctx, request.NamespacedName, service); err != nil {
		return ctrl.Result{}, client.IgnoreNotFound(err)
	}
	if service.GetDeletionTimestamp() != nil {
		return ctrl.Result{}, o.takeDown(ctx, service)
	}
	plan, err := planned(service)
	if err != nil {
		return ctrl.Result{}, err
	}
	papers, err := o.papers(ctx, request.NamespacedName, plan.spec.Registration)
	if err != nil || papers == nil {
		return ctrl.Result{}, err // what is missing wakes us when it comes
	}
	return ctrl.Result{}, o.bringUp(ctx, service, plan, papers)
}

// bringUp goes as far as what is there allows; the Deployment and the route wake us when they have got further.
func (o *operator) bringUp(ctx context.Context, service *object, plan *plan, papers *papers) error {
	if err := o.register(ctx, papers.registration); err != nil {
		return err
	}
	if len(service.GetFinalizers()) == 0 {
		if err := o.once(service, "finalizer", func() error { return o.hold(ctx, service, finalizer) }); err != nil {
			return err
		}
	}
	children := plan.installed()
	if phase, _, _ := unstructured.NestedString(service.Object, "status", "phase"); phase != "Published" {
		children = append(children, plan.service(plan.name+"-candidate"))
	}
	if err := o.ensure(ctx, service, children...); err != nil {
		return err
	}
	if err := o.tell(ctx, papers.act, "", "Used"); err != nil {
		return err
	}
	deployment := &appsv1.Deployment{}
	key := types.NamespacedName{Namespace: plan.namespace, Name: plan.release}
	if err := o.Get(ctx, key, deployment); client.IgnoreNotFound(err) != nil {
		return err
	}
	if deployment.Status.AvailableReplicas < plan.spec.Workload.Replicas {
		return o.tell(ctx, service, "Installing", "InstallationInProgress")
	}
	if err := o.tell(ctx, papers.verification, "", "Used"); err != nil {
		return err
	}
	if err := o.ensure(ctx, service, plan.published()...); err != nil {
		return err
	}
	return o.publish(ctx, service, plan)
}

func (o *operator) publish(ctx context.Context, service *object, plan *plan) error {
	route := plan.route()
	err := o.Get(ctx, client.ObjectKeyFromObject(route), route)
	if err != nil || !accepted(route) {
		return client.IgnoreNotFound(err)
	}
	candidate := plan.service(plan.name + "-candidate")
	if err := o.Get(ctx, client.ObjectKeyFromObject(candidate), candidate); err == nil {
		err = o.once(service, "candidate gone", func() error { return client.IgnoreNotFound(o.Delete(ctx, candidate)) })
		if err != nil {
			return err
		}
	}
	return o.tell(ctx, service, "Published", "Published")
}

// ensure makes the children that are missing, and changes those that were meant otherwise.
func (o *operator) ensure(ctx context.Context, service *object, children ...client.Object) error {
	for _, child := range children {
		meant, err := adopted(service, child)
		if err != nil {
			return err
		}
		live := child.DeepCopyObject().(client.Object)
		err = o.Get(ctx, client.ObjectKeyFromObject(child), live)
		switch {
		case apierrors.IsNotFound(err):
			err = o.once(service, fmt.Sprintf("%T %s %s", child, child.GetName(), meant), func() error {
				return ignoreExists(o.Create(ctx, child))
			})
		case err == nil && live.GetAnnotations()[meantBy] != meant:
			err = o.Patch(ctx, child, client.MergeFrom(live))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// once does what the cache does not show yet, unless it was done by this very process for this very object.
func (o *operator) once(about *object, what string, do func() error) error {
	key := string(about.GetUID()) + " " + what
	if _, done := o.written.LoadOrStore(key, true); done {
		return nil
	}
	err := do()
	if err != nil {
		o.written.Delete(key)
	}
	return err
}

// tell writes a status where it says something new, and then an Event where it is about an e-service.
func (o *operator) tell(ctx context.Context, about *object, phase, reason string) error {
	seen, _, _ := unstructured.NestedInt64(about.Object, "status", "observedGeneration")
	shown, _, _ := unstructured.NestedString(about.Object, "status", "phase")
	if seen == about.GetGeneration() && shown == phase {
		return nil
	}
	return o.once(about, fmt.Sprintf("status %d %s", about.GetGeneration(), phase), func() error {
		if err := o.applyStatus(ctx, about, statusOf(about, phase, reason)); err != nil || phase == "" {
			return err
		}
		return o.Create(ctx, event(about, reason))
	})
}

func (o *operator) applyStatus(ctx context.Context, about *object, status map[string]any) error {
	wanted := named(about)
	wanted.Object["status"] = status
	return o.Status().Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted),
		client.ForceOwnership, client.FieldOwner(manager+"/status"))
}

func (o *operator) hold(ctx context.Context, service *object, finalizers ...string) error {
	wanted := named(service)
	wanted.SetFinalizers(finalizers)
	return o.Apply(ctx, client.ApplyConfigurationFromUnstructured(wanted),
		client.ForceOwnership, client.FieldOwner(manager+"/finalizer"))
}

// takeDown sees to the route, which lies in another namespace; the rest belongs to the garbage collector.
func (o *operator) takeDown(ctx context.Context, service *object) error {
	plan, err := planned(service)
	if err != nil || len(service.GetFinalizers()) == 0 {
		return err
	}
	if err := client.IgnoreNotFound(o.Delete(ctx, plan.route())); err != nil {
		return err
	}
	return client.IgnoreNotFound(o.hold(ctx, service))
}

// register gives the registration a number; a restart goes on after the highest.
func (o *operator) register(ctx context.Context, registration *object) error {
	if number, _, _ := unstructured.NestedString(registration.Object, "status", "identifier"); number != "" {
		return nil
	}
	return o.once(registration, "number", func() error {
		var err error
		o.count.Do(func() {
			taken := &unstructured.UnstructuredList{}
			taken.SetGroupVersionKind(custom("EServiceIdentifierList").GroupVersionKind())
			err = o.List(ctx, taken)
			o.numbers.Store(int64(len(taken.Items)))
		})
		if err != nil {
			return err
		}
		number := fmt.Sprintf("EP-%06d", o.numbers.Add(1))
		if err := o.Create(ctx, identifier(number, registration)); err != nil {
			return err
		}
		status := statusOf(registration, "", "Registered")
		status["identifier"] = number
		if err := o.applyStatus(ctx, registration, status); err != nil {
			return err
		}
		return o.Create(ctx, event(registration, "Registered"))
	})
}

type papers struct{ registration, act, verification *object }

// papers are what people have written about the e-service; nil while something is missing.
func (o *operator) papers(ctx context.Context, service types.NamespacedName, registration string) (*papers, error) {
	found := &papers{registration: custom("EServiceRegistration")}
	if err := o.Get(ctx, types.NamespacedName{Name: registration}, found.registration); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	for kind, place := range map[string]**object{"AcceptanceAct": &found.act, "ProductionVerification": &found.verification} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(custom(kind + "List").GroupVersionKind())
		if err := o.List(ctx, list, client.MatchingFields{byService: service.String()}); err != nil {
			return nil, err
		}
		if len(list.Items) == 0 {
			return nil, nil
		}
		*place = &list.Items[0]
	}
	return found, nil
}

func event(about *object, reason string) *eventsv1.Event {
	namespace := about.GetNamespace()
	if namespace == "" {
		namespace = metav1.NamespaceDefault
	}
	return &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{GenerateName: about.GetName() + "-", Namespace: namespace},
		EventTime:           metav1.NowMicro(),
		ReportingController: "eservice.dev/baseline",
		ReportingInstance:   "baseline",
		Action:              "Reconcile",
		Reason:              reason,
		Type:                corev1.EventTypeNormal,
		Note:                "the e-service got further",
		Regarding: corev1.ObjectReference{
			APIVersion: about.GetAPIVersion(), Kind: about.GetKind(), Namespace: about.GetNamespace(),
			Name: about.GetName(), UID: about.GetUID(),
		},
	}
}

func ignoreExists(err error) error {
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
