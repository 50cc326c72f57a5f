-- Facts: one table for each kind, and a view that gives each fact once.

CREATE TABLE IF NOT EXISTS `events`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `type` LowCardinality(String) CODEC(ZSTD(1)),
    `channel` LowCardinality(String) CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `intent` LowCardinality(String) CODEC(ZSTD(1)),
    `case_id` String CODEC(ZSTD(1)),
    `session` String CODEC(ZSTD(1)),
    `conversation` String CODEC(ZSTD(1)),
    `segment` LowCardinality(String) CODEC(ZSTD(1)),
    `release` LowCardinality(String) CODEC(ZSTD(1)),
    `device` LowCardinality(String) CODEC(ZSTD(1)),
    `priority` LowCardinality(String) CODEC(ZSTD(1)),
    `actor` LowCardinality(String) CODEC(ZSTD(1)),
    `direction` LowCardinality(String) CODEC(ZSTD(1)),
    `anonymous` UInt8 CODEC(ZSTD(1)),
    `queue` LowCardinality(String) CODEC(ZSTD(1)),
    `place` LowCardinality(String) CODEC(ZSTD(1)),
    `result` LowCardinality(String) CODEC(ZSTD(1)),
    `wait_s` Nullable(Float64) CODEC(ZSTD(1)),
    `talk_s` Nullable(Float64) CODEC(ZSTD(1)),
    `amount` Nullable(Float64) CODEC(ZSTD(1)),
    `effort` Nullable(Float64) CODEC(ZSTD(1)),
    `effort_customer` Nullable(Float64) CODEC(ZSTD(1)),
    `effort_acute` Float64 CODEC(ZSTD(1)),
    `effort_chronic` Float64 CODEC(ZSTD(1)),
    `ces` Nullable(Float64) CODEC(ZSTD(1)),
    `human_need` Float64 CODEC(ZSTD(1)),
    `coverage` Float64 CODEC(ZSTD(1)),
    `acute_sum` Float64 CODEC(ZSTD(1)),
    `chronic_sum` Float64 CODEC(ZSTD(1)),
    `customer_acute_sum` Float64 CODEC(ZSTD(1)),
    `customer_chronic_sum` Float64 CODEC(ZSTD(1)),
    `attributes` String CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `journey`, `type`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `events_exact`${ON_CLUSTER} AS
SELECT * FROM `events` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `signals`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `signal` LowCardinality(String) CODEC(ZSTD(1)),
    `points` Float64 CODEC(ZSTD(1)),
    `channel` LowCardinality(String) CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `intent` LowCardinality(String) CODEC(ZSTD(1)),
    `release` LowCardinality(String) CODEC(ZSTD(1)),
    `segment` LowCardinality(String) CODEC(ZSTD(1)),
    `from_step` LowCardinality(String) CODEC(ZSTD(1)),
    `from_release` LowCardinality(String) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `signal`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `signals_exact`${ON_CLUSTER} AS
SELECT * FROM `signals` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `abandonments`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `silent` UInt8 CODEC(ZSTD(1)),
    `where` LowCardinality(String) CODEC(ZSTD(1)),
    `inferred` UInt8 CODEC(ZSTD(1)),
    `short` UInt8 CODEC(ZSTD(1)),
    `channel` LowCardinality(String) CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `intent` LowCardinality(String) CODEC(ZSTD(1)),
    `segment` LowCardinality(String) CODEC(ZSTD(1)),
    `wait_s` Nullable(Float64) CODEC(ZSTD(1)),
    `from_step` LowCardinality(String) CODEC(ZSTD(1)),
    `from_release` LowCardinality(String) CODEC(ZSTD(1)),
    `given_up_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `recovered_at` Nullable(DateTime64(3, 'UTC')) CODEC(Delta(8), ZSTD(1)),
    `probability` Nullable(Float64) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `kind`, `journey`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `abandonments_exact`${ON_CLUSTER} AS
SELECT * FROM `abandonments` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `channel_switches`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `from_channel` LowCardinality(String) CODEC(ZSTD(1)),
    `to_channel` LowCardinality(String) CODEC(ZSTD(1)),
    `from_device` LowCardinality(String) CODEC(ZSTD(1)),
    `to_device` LowCardinality(String) CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `intent` LowCardinality(String) CODEC(ZSTD(1)),
    `segment` LowCardinality(String) CODEC(ZSTD(1)),
    `from_step` LowCardinality(String) CODEC(ZSTD(1)),
    `from_release` LowCardinality(String) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `journey`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `channel_switches_exact`${ON_CLUSTER} AS
SELECT * FROM `channel_switches` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `waits`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `kind` LowCardinality(String) CODEC(ZSTD(1)),
    `queue` LowCardinality(String) CODEC(ZSTD(1)),
    `channel` LowCardinality(String) CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `opened` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `closed` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `outcome` LowCardinality(String) CODEC(ZSTD(1)),
    `short` UInt8 CODEC(ZSTD(1)),
    `seconds` Float64 CODEC(ZSTD(1)),
    `priority` LowCardinality(String) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `kind`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `waits_exact`${ON_CLUSTER} AS
SELECT * FROM `waits` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `alerts`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `type` LowCardinality(String) CODEC(ZSTD(1)),
    `alert_id` String CODEC(ZSTD(1)),
    `team` LowCardinality(String) CODEC(ZSTD(1)),
    `level` LowCardinality(String) CODEC(ZSTD(1)),
    `customer_ref` String CODEC(ZSTD(1)),
    `refs` String CODEC(ZSTD(1)),
    `links` String CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `intent` LowCardinality(String) CODEC(ZSTD(1)),
    `language` LowCardinality(String) CODEC(ZSTD(1)),
    `effort` Nullable(Float64) CODEC(ZSTD(1)),
    `effort_customer` Nullable(Float64) CODEC(ZSTD(1)),
    `ces` Nullable(Float64) CODEC(ZSTD(1)),
    `coverage` Float64 CODEC(ZSTD(1)),
    `base` Float64 CODEC(ZSTD(1)),
    `human_need` Float64 CODEC(ZSTD(1)),
    `cause` LowCardinality(String) CODEC(ZSTD(1)),
    `override` LowCardinality(String) CODEC(ZSTD(1)),
    `contributions` String CODEC(ZSTD(1)),
    `factors` String CODEC(ZSTD(1)),
    `tried` String CODEC(ZSTD(1)),
    `do_not_ask` String CODEC(ZSTD(1)),
    `recommended_channel` LowCardinality(String) CODEC(ZSTD(1)),
    `opened_at` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `trigger_source` String CODEC(ZSTD(1)),
    `trigger_id` String CODEC(ZSTD(1)),
    `reason` LowCardinality(String) CODEC(ZSTD(1)),
    `actor` String CODEC(ZSTD(1)),
    `action_id` String CODEC(ZSTD(1)),
    `outcome` LowCardinality(String) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `type`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `alerts_exact`${ON_CLUSTER} AS
SELECT * FROM `alerts` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `deliveries`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `alert_id` String CODEC(ZSTD(1)),
    `transition` LowCardinality(String) CODEC(ZSTD(1)),
    `destination` LowCardinality(String) CODEC(ZSTD(1)),
    `attempt` UInt32 CODEC(T64, ZSTD(1)),
    `result` LowCardinality(String) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `destination`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `deliveries_exact`${ON_CLUSTER} AS
SELECT * FROM `deliveries` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `friction_spikes`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `from_release` LowCardinality(String) CODEC(ZSTD(1)),
    `share` Float64 CODEC(ZSTD(1)),
    `size` UInt32 CODEC(T64, ZSTD(1)),
    `examples` String CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `journey`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `friction_spikes_exact`${ON_CLUSTER} AS
SELECT * FROM `friction_spikes` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `surveys`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `metric` LowCardinality(String) CODEC(ZSTD(1)),
    `version` LowCardinality(String) CODEC(ZSTD(1)),
    `scale` String CODEC(ZSTD(1)),
    `score` Float64 CODEC(ZSTD(1)),
    `value` Nullable(Float64) CODEC(ZSTD(1)),
    `channel` LowCardinality(String) CODEC(ZSTD(1)),
    `journey` LowCardinality(String) CODEC(ZSTD(1)),
    `step` LowCardinality(String) CODEC(ZSTD(1)),
    `intent` LowCardinality(String) CODEC(ZSTD(1)),
    `segment` LowCardinality(String) CODEC(ZSTD(1)),
    `effort_before` Nullable(Float64) CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `metric`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `surveys_exact`${ON_CLUSTER} AS
SELECT * FROM `surveys` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;

CREATE TABLE IF NOT EXISTS `dead_letters`${ON_CLUSTER}
(
    `tenant` LowCardinality(String) CODEC(ZSTD(1)),
    `customer` String CODEC(ZSTD(1)),
    `fact_id` String CODEC(ZSTD(1)),
    `time` DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
    `event_id` String CODEC(ZSTD(1)),
    `source` LowCardinality(String) CODEC(ZSTD(1)),
    `retracted` UInt8 CODEC(ZSTD(1)),
    `late` UInt8 CODEC(ZSTD(1)),
    `ver` UInt32 CODEC(T64, ZSTD(1)),
    `policy_version` UInt32 CODEC(T64, ZSTD(1)),
    `partition` Int32 CODEC(T64, ZSTD(1)),
    `offset` Int64 CODEC(T64, ZSTD(1)),
    `reason` LowCardinality(String) CODEC(ZSTD(1)),
    `topic` LowCardinality(String) CODEC(ZSTD(1)),
    `size` UInt32 CODEC(T64, ZSTD(1)),
    `hash` String CODEC(ZSTD(1)),
    `stored_at` DateTime64(3, 'UTC') DEFAULT now64(3) CODEC(Delta(8), ZSTD(1))
)
ENGINE = ${REPLACING}
PARTITION BY toYYYYMM(time)
ORDER BY (tenant, `reason`, toDate(time), fact_id)
TTL toDateTime(stored_at) + INTERVAL 400 DAY
SETTINGS ttl_only_drop_parts = 1;

CREATE VIEW IF NOT EXISTS `dead_letters_exact`${ON_CLUSTER} AS
SELECT * FROM `dead_letters` FINAL
WHERE retracted = 0
SETTINGS do_not_merge_across_partitions_select_final = 1;
