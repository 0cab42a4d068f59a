-- compatible

-- What workers have under way: few, and looked through every five seconds for what dead ones left, whatever the backlog.
create index webhook_queue_claimed on webhook_queue (worker_id, claimed_at) where worker_id is not null;
