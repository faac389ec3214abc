// SPDX-License-Identifier: Apache-2.0

package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	manager      = "eservice-operator"
	managedBy    = "app.kubernetes.io/managed-by"
	finalizer    = "eservice.dev/route"
	meantBy      = "eservice.dev/manifest"
	serviceLabel = "eservice.dev/eservice"
	releaseLabel = "eservice.dev/release"
	routes       = "eservice-routes"
	gateways     = "gateway.networking.k8s.io"
)

type object = unstructured.Unstructured

// What it reads of an EService.
type spec struct {
	Registration string `json:"registration"`
	Release      struct {
		Image string `json:"image"`
	} `json:"release"`
	Workload struct {
		Replicas  int32                       `json:"replicas"`
		Port      int32                       `json:"port"`
		Env       []corev1.EnvVar             `json:"env"`
		Resources corev1.ResourceRequirements `json:"resources"`
		Probes    struct {
			Readiness *corev1.Probe `json:"readiness"`
		} `json:"probes"`
		Egress []struct {
			CIDR  string `json:"cidr"`
			Ports []struct {
				Port int32 `json:"port"`
			} `json:"ports"`
		} `json:"egress"`
	} `json:"workload"`
	Publication struct {
		Hosts []any `json:"hosts"`
	} `json:"publication"`
}

type plan struct {
	namespace, name, release string
	spec                     spec
	content                  map[string]any
}

func planned(service *object) (*plan, error) {
	made := &plan{namespace: service.GetNamespace(), name: service.GetName()}
	made.content, _, _ = unstructured.NestedMap(service.Object, "spec")
	err := runtime.DefaultUnstructuredConverter.FromUnstructured(made.content, &made.spec)
	made.release = made.name + "-" + digest([]byte(made.spec.Release.Image))
	return made, err
}

func (p *plan) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: p.namespace, Name: name}
}

func (p *plan) pods() map[string]string {
	return map[string]string{serviceLabel: p.name, releaseLabel: strings.TrimPrefix(p.release, p.name+"-")}
}

// installed is all that stays of what it takes for Pods to run.
func (p *plan) installed() []client.Object {
	no, one := false, intstr.FromInt32(1)
	data, _ := json.Marshal(p.content)
	of := metav1.LabelSelector{MatchLabels: map[string]string{serviceLabel: p.name}}
	return []client.Object{
		&corev1.ServiceAccount{ObjectMeta: p.meta(p.name), AutomountServiceAccountToken: &no},
		&networkingv1.NetworkPolicy{ObjectMeta: p.meta(p.name), Spec: networkingv1.NetworkPolicySpec{
			PodSelector: of, Ingress: p.ingress(), Egress: p.egress(),
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		}},
		&policyv1.PodDisruptionBudget{ObjectMeta: p.meta(p.name), Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &one, Selector: &of,
		}},
		&appsv1.ControllerRevision{ObjectMeta: p.meta(p.release), Revision: 1, Data: runtime.RawExtension{Raw: data}},
		p.deployment(),
	}
}

// published is what the public needs.
func (p *plan) published() []client.Object {
	return []client.Object{p.service(p.name), referenceGrant(p.namespace, p.name), p.route()}
}

func (p *plan) service(name string) *corev1.Service {
	return &corev1.Service{ObjectMeta: p.meta(name), Spec: corev1.ServiceSpec{
		Selector: p.pods(),
		Ports:    []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(p.spec.Workload.Port)}},
	}}
}

func (p *plan) ingress() []networkingv1.NetworkPolicyIngressRule {
	port := intstr.FromInt32(p.spec.Workload.Port)
	from := metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": "gateway-system"}}
	return []networkingv1.NetworkPolicyIngressRule{{
		From:  []networkingv1.NetworkPolicyPeer{{NamespaceSelector: &from}},
		Ports: []networkingv1.NetworkPolicyPort{{Port: &port}},
	}}
}

func (p *plan) egress() []networkingv1.NetworkPolicyEgressRule {
	dns, udp, tcp := intstr.FromInt32(53), corev1.ProtocolUDP, corev1.ProtocolTCP
	ports := []networkingv1.NetworkPolicyPort{{Port: &dns, Protocol: &udp}, {Port: &dns, Protocol: &tcp}}
	rules := []networkingv1.NetworkPolicyEgressRule{{Ports: ports}}
	for _, entry := range p.spec.Workload.Egress {
		block := &networkingv1.IPBlock{CIDR: entry.CIDR}
		rule := networkingv1.NetworkPolicyEgressRule{To: []networkingv1.NetworkPolicyPeer{{IPBlock: block}}}
		for _, one := range entry.Ports {
			port := intstr.FromInt32(one.Port)
			rule.Ports = append(rule.Ports, networkingv1.NetworkPolicyPort{Port: &port})
		}
		rules = append(rules, rule)
	}
	return rules
}

func (p *plan) deployment() *appsv1.Deployment {
	yes, no, user, limit := true, false, int64(10001), int32(2)
	container := corev1.Container{
		Name: "app", Image: p.spec.Release.Image, Env: p.spec.Workload.Env, Resources: p.spec.Workload.Resources,
		Ports: []corev1.ContainerPort{{Name: "http", ContainerPort: p.spec.Workload.Port}},
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: &no, ReadOnlyRootFilesystem: &yes,
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
	}
	if probe := p.spec.Workload.Probes.Readiness; probe != nil {
		container.ReadinessProbe = probe.DeepCopy()
		container.ReadinessProbe.HTTPGet.Port = intstr.FromInt32(p.spec.Workload.Port)
	}
	selector := &metav1.LabelSelector{MatchLabels: p.pods()}
	spread := func(key string) corev1.TopologySpreadConstraint {
		return corev1.TopologySpreadConstraint{
			MaxSkew: 1, TopologyKey: key, WhenUnsatisfiable: corev1.ScheduleAnyway, LabelSelector: selector,
		}
	}
	pod := corev1.PodSpec{
		AutomountServiceAccountToken: &no, ServiceAccountName: p.name, EnableServiceLinks: &no,
		Containers: []corev1.Container{container},
		Volumes:    []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: &yes, RunAsUser: &user, FSGroup: &user,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{
			spread("kubernetes.io/hostname"), spread("topology.kubernetes.io/zone"),
		},
	}
	return &appsv1.Deployment{ObjectMeta: p.meta(p.release), Spec: appsv1.DeploymentSpec{
		Replicas: &p.spec.Workload.Replicas, RevisionHistoryLimit: &limit, Selector: selector,
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: p.pods()}, Spec: pod},
	}}
}

func (p *plan) route() *object {
	route := httpRoute(p.namespace, p.name)
	backend := map[string]any{"group": "", "kind": "Service", "namespace": p.namespace, "name": p.name, "port": int64(80)}
	match := map[string]any{"path": map[string]any{"type": "PathPrefix", "value": "/"}}
	route.Object["spec"] = map[string]any{
		"hostnames": p.spec.Publication.Hosts,
		"parentRefs": []any{map[string]any{
			"group": gateways, "kind": "Gateway", "namespace": "gateway-system", "name": "public",
		}},
		"rules": []any{map[string]any{"backendRefs": []any{backend}, "matches": []any{match}}},
	}
	return route
}

func httpRoute(namespace, name string) *object {
	route := &object{}
	route.SetGroupVersionKind(schema.GroupVersionKind{Group: gateways, Version: "v1", Kind: "HTTPRoute"})
	route.SetNamespace(routes)
	route.SetName(namespace + "." + name)
	route.SetLabels(map[string]string{serviceLabel: name, "eservice.dev/namespace": namespace})
	return route
}

func referenceGrant(namespace, name string) *object {
	grant := &object{}
	grant.SetGroupVersionKind(schema.GroupVersionKind{Group: gateways, Version: "v1beta1", Kind: "ReferenceGrant"})
	grant.SetNamespace(namespace)
	grant.SetName(name)
	from := map[string]any{"group": gateways, "kind": "HTTPRoute", "namespace": routes}
	to := map[string]any{"group": "", "kind": "Service", "name": name}
	grant.Object["spec"] = map[string]any{"from": []any{from}, "to": []any{to}}
	return grant
}

func identifier(number string, registration *object) *object {
	made := custom("EServiceIdentifier")
	made.SetName(strings.ToLower(number))
	made.SetLabels(map[string]string{managedBy: manager})
	made.Object["spec"] = map[string]any{"identifier": number, "registration": registration.GetName()}
	return made
}

func custom(kind string) *object {
	made := &object{}
	made.SetGroupVersionKind(schema.GroupVersionKind{Group: "eservice.dev", Version: "v1alpha1", Kind: kind})
	return made
}

func named(about *object) *object {
	wanted := custom(about.GetKind())
	wanted.SetNamespace(about.GetNamespace())
	wanted.SetName(about.GetName())
	return wanted
}

// adopted marks a child as the e-service's, and gives back the digest of what is meant.
func adopted(service *object, child client.Object) (string, error) {
	text, err := json.Marshal(child)
	if err != nil {
		return "", err
	}
	meant := digest(text)
	marks := map[string]string{
		managedBy: manager, "app.kubernetes.io/name": service.GetName(), serviceLabel: service.GetName(),
		"eservice.dev/owner-uid": string(service.GetUID()),
	}
	for key, value := range child.GetLabels() {
		marks[key] = value
	}
	child.SetLabels(marks)
	child.SetAnnotations(map[string]string{meantBy: meant})
	if child.GetNamespace() == service.GetNamespace() {
		owner := metav1.NewControllerRef(service, service.GroupVersionKind())
		child.SetOwnerReferences([]metav1.OwnerReference{*owner})
	}
	return meant, nil
}

// serviceOf is which e-service a paper, or a route, is about.
func serviceOf(about client.Object) (string, string) {
	body := about.(*object)
	if body.GetKind() == "HTTPRoute" {
		return body.GetLabels()["eservice.dev/namespace"], body.GetLabels()[serviceLabel]
	}
	if name, found, _ := unstructured.NestedString(body.Object, "spec", "eService"); found {
		return body.GetNamespace(), name
	}
	namespace, _, _ := unstructured.NestedString(body.Object, "spec", "eService", "namespace")
	name, _, _ := unstructured.NestedString(body.Object, "spec", "eService", "name")
	return namespace, name
}

func accepted(route *object) bool {
	parents, _, _ := unstructured.NestedSlice(route.Object, "status", "parents")
	met := 0
	for _, parent := range parents {
		conditions, _, _ := unstructured.NestedSlice(parent.(map[string]any), "conditions")
		for _, entry := range conditions {
			condition := entry.(map[string]any)
			kind := condition["type"]
			if (kind == "Accepted" || kind == "ResolvedRefs") && condition["status"] == "True" {
				met++
			}
		}
	}
	return met >= 2
}

func statusOf(about *object, phase, reason string) map[string]any {
	condition := func(kind string, met bool) map[string]any {
		state := map[bool]string{true: "True", false: "False"}[met]
		return map[string]any{
			"type": kind, "status": state, "reason": reason, "message": "as the baseline sees it",
			"lastTransitionTime": time.Now().UTC().Format(time.RFC3339), "observedGeneration": about.GetGeneration(),
		}
	}
	done := phase == "" || phase == "Published"
	status := map[string]any{"observedGeneration": about.GetGeneration()}
	conditions := []any{condition("Ready", done)}
	if phase != "" {
		status["phase"] = phase
		conditions = append(conditions, condition("Published", done))
	}
	status["conditions"] = conditions
	return status
}

func digest(text []byte) string {
	return fmt.Sprintf("%x", sha256.Sum256(text))[:10]
}
