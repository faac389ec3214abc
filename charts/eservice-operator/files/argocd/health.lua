-- SPDX-License-Identifier: Apache-2.0
-- What Argo CD shows as health of every kind of eservice.dev; docs/gitops.md says where it goes.
-- An e-service that waits for people, or is off the public route by the rules, is healthy: Git asked for no more.
local status = obj.status or {}
local found = {}
for _, condition in ipairs(status.conditions or {}) do
  found[condition.type] = condition
end

local function health(verdict, kind, otherwise)
  local condition = found[kind] or {}
  local message = condition.message
  if message == nil or message == "" then
    message = condition.reason or otherwise
  end
  return {status = verdict, message = message}
end

local function is_true(kind)
  return found[kind] ~= nil and found[kind].status == "True"
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "Reconciling", "being deleted")
elseif status.observedGeneration == nil or status.observedGeneration ~= obj.metadata.generation then
  return {status = "Progressing", message = "the operator has not looked at this version of the spec yet"}
elseif is_true("Stalled") then
  return health("Degraded", "Stalled", "only another spec helps")
elseif is_true("Reconciling") then
  return health("Progressing", "Reconciling", "in progress")
elseif is_true("Ready") then
  return health("Healthy", "Ready", "done")
end
return health("Progressing", "Ready", "the operator has not said whether it is ready")
