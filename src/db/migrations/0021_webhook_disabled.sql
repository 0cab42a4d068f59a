-- compatible

-- When and why a webhook was disabled. Null while it is enabled.
alter table webhooks add column disabled_at timestamptz, add column disabled_reason text;
update webhooks set disabled_at = updated_at, disabled_reason = 'Disabled through the API' where disabled;
