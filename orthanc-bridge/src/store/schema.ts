import type { Database } from './database.ts';

/**
 * Tables of the bridge, beside pg-boss's own. No patient data and no DICOM UIDs of sources: series are known by Orthanc's
 * ids, derived objects by our own UIDs.
 */
const statements = [
  `create schema if not exists bridge`,
  // How far the change feed of an Orthanc was read; ready once the series that were there before are in bridge.seen.
  `create table if not exists bridge.feed (
     orthanc text primary key, seq bigint not null, ready boolean not null default false)`,
  // Series that something happened to and that are not decided yet. marks tells a new event from the one looked at.
  `create table if not exists bridge.pending (
     orthanc text not null, series text not null, marks int not null default 1, primary key (orthanc, series))`,
  // The last decision about every series that was looked at; instances tells whether it has changed since. Ignored: it was
  // there before the bridge and is not wanted.
  `create table if not exists bridge.seen (
     orthanc text not null, series text not null, instances int not null, ignored boolean not null default false,
     primary key (orthanc, series))`,
  // source_state: the source when it was last decided; run_state: as the last run saw it. A run that ends while they
  // differ has missed something and goes back to the queue.
  `create table if not exists bridge.job (
     id text primary key,
     orthanc text not null, series text not null, study text not null,
     model text not null, version text not null, digest text not null,
     rule text not null, action jsonb not null, derived_series_uid text,
     state text not null, source_state text not null, run_state text, instances int not null, slices int, written int not null default 0,
     left_out jsonb not null default '[]',
     derived_on timestamptz not null default now(),
     queued_on timestamptz not null default now(), started_on timestamptz, finished_on timestamptz,
     attempts int not null default 0, runs int not null default 0, worker text,
     error_code text, error_details jsonb, bytes_up bigint not null default 0, bytes_down bigint not null default 0,
     unique (orthanc, series, model, version))`,
  `create index if not exists job_state on bridge.job (state)`,
  `create index if not exists job_derived on bridge.job (derived_series_uid)`,
  // What was written, with the MD5 that Orthanc confirmed: a rerun goes on after it.
  `create table if not exists bridge.written (
     job text not null references bridge.job(id) on delete cascade, sop_instance_uid text not null,
     md5 text not null, primary key (job, sop_instance_uid))`,
  `create table if not exists bridge.setting (name text primary key, value jsonb not null)`,
];

/** Any fixed number: bridges that start at once on one server wait for each other. */
const schemaLock = 7_226_301;

/** @throws QUEUE_UNAVAILABLE */
export async function createTables(database: Database): Promise<void> {
  const body = statements.map((statement) => `${statement};`).join('\n');
  const guarded = `do $$ begin perform pg_advisory_xact_lock(${schemaLock}); ${body} end $$`;
  await database.query(guarded);
}
