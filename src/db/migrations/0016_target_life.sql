-- compatible
-- What tells whether the target of a baseline is still the one that acknowledged it: `made` and `stored` of `TargetLife`.
-- Null where that is not known yet.
alter table model_sync_baselines add column target_life jsonb;
