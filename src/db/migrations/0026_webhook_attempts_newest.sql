-- compatible

-- The attempts of a webhook, newest first, without a look at its other deliveries.
alter table webhook_attempts add column webhook_id uuid;
update webhook_attempts a set webhook_id = d.webhook_id
from webhook_deliveries d where d.id = a.delivery_id and d.created_at = a.created_at;
create index webhook_attempts_newest on webhook_attempts (webhook_id, started_at);
