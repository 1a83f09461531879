export { verifyAuditTrail, type AuditEntry, type AuditFacts } from './audit/audit-trail.ts';
export {
  startBridge,
  type Bridge,
  type BridgeControls,
  type BridgeParts,
  type BridgeState,
} from './bridge.ts';
export type { BridgeConfig } from './config/config-schema.ts';
export { loadConfig, parseConfig } from './config/load-config.ts';
export { BridgeEvents, type BridgeEventMap } from './events.ts';
export type { SeriesProgress } from './job/run-series.ts';
export type { Rule } from './rules/rule-schema.ts';
export type { JobRecord, JobState, LeftOut } from './store/job-record.ts';
