import { afterEach, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyAuditTrail } from '@cipherdose/orthanc-bridge';
import { AuditTrail } from '#bridge/audit/audit-trail.js';

const folder = mkdtempSync(join(tmpdir(), 'audit-'));
const path = join(folder, 'audit.jsonl');
afterEach(() => rmSync(path));

async function write(...events: readonly ('queued' | 'written')[]): Promise<void> {
  const trail = await AuditTrail.open(path);
  await Promise.all(events.map((event) => trail.append({ event, who: 'test', job: 'a', bytesUp: 7 })));
  await trail.close();
}

test('goes on over restarts, and over half a line from a crash', async () => {
  await write('queued', 'written');
  appendFileSync(path, '{"number":3,"ti');
  await write('queued');
  expect(await verifyAuditTrail(path)).toEqual({ entries: 3, brokenAt: undefined });
});

test.each<[string, (lines: string[]) => string[], number]>([
  ['changed', (lines) => lines.map((line) => line.replace('"bytesUp":7', '"bytesUp":8')), 1],
  ['removed', (lines) => lines.toSpliced(1, 1), 2],
  ['swapped', ([a = '', b = '', c = '']) => [a, c, b], 2],
])('a line that was %s shows', async (_what, change, brokenAt) => {
  await write('queued', 'written', 'queued');
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  writeFileSync(path, `${change(lines).join('\n')}\n`);
  expect((await verifyAuditTrail(path)).brokenAt).toBe(brokenAt);
});
