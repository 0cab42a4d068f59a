-- compatible

-- What a reader of some types reads: theirs alone, however many events of other types are between them.
create index events_type on events (organization_id, type, created_at);
