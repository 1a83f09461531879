import type { AuditView } from '../views.ts';
import { get } from './bridge-api.ts';
import { byId, make, table } from './elements.ts';
import { bytes, moment, shortId } from './format.ts';

const words: Readonly<Record<string, string>> = {
  started: 'bridge started',
  stopped: 'bridge stopped',
  queued: 'series queued',
  written: 'denoised series written',
  interrupted: 'attempt ended early',
  quarantined: 'series quarantined',
  failed: 'series failed',
  replayed: 'series replayed',
  paused: 'paused',
  resumed: 'resumed',
  'logged-in': 'logged in',
  'login-refused': 'login refused',
  viewed: 'looked at pictures',
};

/** Shows the newest entries of the audit trail. @throws Refusal */
export async function showActivity(): Promise<void> {
  const { entries } = await get<AuditView>('/api/audit?limit=200');
  const rows = entries.map((entry) => {
    const { number, time, who, event, series, orthanc, model, version, digest, mode, code, slices } = entry;
    const facts = [
      code,
      mode && `mode ${mode}`,
      slices === undefined ? undefined : `${slices} slices`,
      entry.bytesUp === undefined ? undefined : `${bytes(entry.bytesUp)} sent`,
      entry.bytesDown === undefined ? undefined : `${bytes(entry.bytesDown)} received`,
    ];
    return [
      String(number),
      moment(time),
      who,
      words[event] ?? event,
      series === undefined ? '' : make('span.series', { title: `${orthanc} ${series}` }, shortId(series)),
      model === undefined
        ? ''
        : make('span', { title: `SHA-256 ${digest ?? ''}` }, `${model} ${version ?? ''}`),
      facts.filter((fact) => fact !== undefined).join(', '),
    ];
  });
  byId('activity').replaceChildren(table(['No.', 'When', 'Who', 'What', 'Series', 'Model', 'Facts'], rows));
}
