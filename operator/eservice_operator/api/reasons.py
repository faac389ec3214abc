# SPDX-License-Identifier: Apache-2.0
"""The public vocabulary: phases, gates, condition types and reasons. Once released, a word stays."""

from __future__ import annotations

from enum import StrEnum


class Phase(StrEnum):
    """Where an e-service is in its life; for people."""

    PENDING = "Pending"
    INSTALLING = "Installing"
    AWAITING_VERIFICATION = "AwaitingVerification"
    PUBLISHED = "Published"
    UPDATING = "Updating"
    UNPUBLISHED = "Unpublished"
    PAUSED = "Paused"
    INVALID = "Invalid"
    TERMINATING = "Terminating"


class Gate(StrEnum):
    """The gates between a spec and the public, in the order they are met."""

    REGISTERED = "Registered"
    TEMPLATE_SUPPORTED = "TemplateSupported"
    DELIVERY_COMPLETE = "DeliveryComplete"
    ACCEPTED = "Accepted"
    REQUESTED = "Requested"
    ACCESS_GRANTED = "AccessGranted"
    INSTALLED = "Installed"
    HOST_ALLOWED = "HostAllowed"
    CATALOGUED = "Catalogued"
    VERIFIED = "Verified"
    TEMPLATE_WITHIN_LIMIT = "TemplateWithinLimit"


class ConditionType(StrEnum):
    """Condition types; those that are not there always are named in the reference."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    REGISTERED = "Registered"
    TEMPLATE_CURRENT = "TemplateCurrent"
    DELIVERY_COMPLETE = "DeliveryComplete"
    ACCEPTED = "Accepted"
    ACCESS_GRANTED = "AccessGranted"
    INSTALLED = "Installed"
    VERIFIED = "Verified"
    PUBLISHED = "Published"
    PREVIEWED = "Previewed"
    ROUTE_SUPPORTED = "RouteSupported"
    HOST_PROTECTED = "HostProtected"
    ROUTE_IN_PLACE = "RouteInPlace"
    BRAKE_ENGAGED = "BrakeEngaged"


class Reason(StrEnum):
    """Reasons of conditions and gates; each has a line in the reference."""

    # what the operator has done, or is doing
    SUCCEEDED = "Succeeded"
    PROGRESSING = "Progressing"
    PROGRESSING_WITH_RETRY = "ProgressingWithRetry"
    TERMINATING = "Terminating"
    # what only a change of spec can mend
    INVALID_SPEC = "InvalidSpec"
    NAME_COLLISION = "NameCollision"
    REJECTED = "Rejected"
    # registration (R1)
    REGISTERED = "Registered"
    REGISTRATION_NOT_FOUND = "RegistrationNotFound"
    REGISTRATION_NOT_READY = "RegistrationNotReady"
    REGISTRATION_SUSPENDED = "RegistrationSuspended"
    NAMESPACE_NOT_REGISTERED = "NamespaceNotRegistered"
    NAMESPACE_NOT_ONBOARDED = "NamespaceNotOnboarded"
    NAMESPACE_CONFLICT = "NamespaceConflict"
    ALREADY_TAKEN = "AlreadyTaken"
    IDENTIFIER_TAKEN = "IdentifierTaken"
    ALLOCATED = "Allocated"
    # template (R7, R8)
    TEMPLATE_CURRENT = "TemplateCurrent"
    TEMPLATE_UNKNOWN = "TemplateUnknown"
    TEMPLATE_VERSION_UNKNOWN = "TemplateVersionUnknown"
    TEMPLATE_VERSION_WITHDRAWN = "TemplateVersionWithdrawn"
    TEMPLATE_VERSION_PRERELEASE = "TemplateVersionPrerelease"
    TEMPLATE_AT_RISK = "TemplateAtRisk"
    MIGRATION_DUE = "MigrationDue"
    TEMPLATE_OVERDUE = "TemplateOverdue"
    NO_CURRENT_VERSION = "NoCurrentVersion"
    HISTORY_CHANGED = "HistoryChanged"
    # delivery (R4)
    DELIVERED = "Delivered"
    DELIVERY_INCOMPLETE = "DeliveryIncomplete"
    REQUEST_MISSING = "RequestMissing"
    REQUEST_BEFORE_ACT = "RequestBeforeAct"
    # acceptance (R2)
    ACCEPTED = "Accepted"
    AWAITING_ACCEPTANCE = "AwaitingAcceptance"
    ACT_REVOKED = "ActRevoked"
    # access (R3)
    NOTHING_USED = "NothingUsed"
    ACCESS_NOT_GRANTED = "AccessNotGranted"
    ACCESS_GRANTED = "AccessGranted"
    # installation (R5)
    INSTALLED = "Installed"
    AWAITING_INSTALLATION = "AwaitingInstallation"
    AWAITING_PODS = "AwaitingPods"
    ROLLOUT_FAILED = "RolloutFailed"
    GATES_UNMET = "GatesUnmet"
    # hosts and catalogue (R4)
    HOST_NOT_REGISTERED = "HostNotRegistered"
    HOST_CONFLICT = "HostConflict"
    HOST_CONTESTED = "HostContested"
    GATEWAY_NOT_ALLOWED = "GatewayNotAllowed"
    CATALOGUE_INCOMPLETE = "CatalogueIncomplete"
    # verification (R6)
    VERIFIED = "Verified"
    CONFIG_CHANGED_SINCE_VERIFIED = "ConfigChangedSinceVerified"
    AWAITING_VERIFICATION = "AwaitingVerification"
    VERIFICATION_FAILED = "VerificationFailed"
    VERIFICATION_NOT_VALID = "VerificationNotValid"
    # publication
    PUBLISHED = "Published"
    AWAITING_GATEWAY = "AwaitingGateway"
    GATEWAY_NOT_ANSWERING = "GatewayNotAnswering"
    GATEWAY_NOT_FOUND = "GatewayNotFound"
    INGRESS_CLASS_NOT_FOUND = "IngressClassNotFound"
    ROUTE_REFUSED = "RouteRefused"
    AWAITING_PROBE = "AwaitingProbe"
    STILL_ANSWERS = "StillAnswers"
    ANSWERED_BY_OTHER = "AnsweredByOther"
    DOES_NOT_ANSWER = "DoesNotAnswer"
    INGRESS_NOT_OURS = "IngressNotOurs"
    NOT_WITH_INGRESS = "NotWithIngress"
    INGRESS_TRUST = "IngressTrust"
    PAUSED = "Paused"
    SWITCHING = "Switching"
    # acts and decisions
    IN_FORCE = "InForce"
    REVOKED = "Revoked"
    EXPIRED = "Expired"
    UNKNOWN_E_SERVICE = "UnknownEService"
    UNKNOWN_RELEASE = "UnknownRelease"
    SUPERSEDED = "Superseded"
    SCHEDULED = "Scheduled"
    DEFERRED = "Deferred"
    EFFECTIVE = "Effective"
    RENEWED = "Renewed"
    NOT_ENFORCED = "NotEnforced"
    NO_LONGER_OVERDUE = "NoLongerOverdue"
    BRAKE = "Brake"
    NOTICE_UNDELIVERED = "NoticeUndelivered"
    RENEWAL_UNDER_WAY = "RenewalUnderWay"
    CLOCK_SKEW = "ClockSkew"
    DECISION_MISSING = "DecisionMissing"
