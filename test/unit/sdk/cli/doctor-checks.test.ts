import { describe, expect, it } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { find } from '#sdk/cli/finding.js';
import { checkClock, checkServer, checkTls } from '#sdk/cli/host-checks.js';
import { phantom } from '#sdk/cli/known-answer.js';
import { checkNode, checkSimd, checkThreads } from '#sdk/cli/machine-checks.js';

describe('this machine', () => {
  it('needs Node 22.18', () => {
    expect(['22.17.1', '18.20.0', '22.18.0', '24.1.0'].map((version) => checkNode(version).status)).toEqual([
      'failed',
      'failed',
      'ok',
      'ok',
    ]);
  });

  it('has SIMD and threads', async () => {
    expect(checkSimd()).toMatchObject({ status: 'ok' });
    expect(await checkThreads()).toMatchObject({ status: 'ok' });
  });
});

describe('the way to a host', () => {
  const now = Date.parse('2026-01-01T12:00:00Z');
  const clock = (date: string | null): string => checkClock(date, now).status;

  it('takes a clock that is a little off', () => {
    expect(clock('Thu, 01 Jan 2026 12:00:30 GMT')).toBe('ok');
    expect(clock('Thu, 01 Jan 2026 11:58:00 GMT')).toBe('failed');
    expect(checkClock('Thu, 01 Jan 2026 11:58:00 GMT', now).detail).toBe('the server is 120 s behind');
    expect([clock(null), clock('noon')]).toEqual(['skipped', 'skipped']);
  });

  it('says why a server cannot be reached', async () => {
    const findings = await checkServer('http://127.0.0.1:9');
    expect(findings).toMatchObject([{ name: 'server', status: 'failed' }]);
    expect(findings[0]?.detail).toMatch(/^http:\/\/127\.0\.0\.1:9 cannot be reached: /);
  });

  it('tells a host from any other server', async () => {
    const server = createServer((_request, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const [ready, time] = await checkServer(url);
    server.close();
    expect(ready).toMatchObject({ status: 'failed', detail: `${url} answers 404 when asked if it is ready` });
    expect(time).toMatchObject({ name: 'clock', status: 'ok' });
  });

  it('wants TLS for every host but those on this machine', async () => {
    expect(await checkTls('http://127.0.0.1:8080')).toMatchObject({ status: 'skipped' });
    expect(await checkTls('http://models.example.org')).toMatchObject({ status: 'warning' });
    expect(await checkTls('https://127.0.0.1:9')).toMatchObject({ status: 'failed' });
  });
});

it('sends the same phantom every time: air, tissue, bone', () => {
  const { hu } = phantom();
  expect(hu).toEqual(phantom().hu);
  expect(Math.min(...hu)).toBeLessThan(-1000);
  expect(Math.max(...hu)).toBeGreaterThan(600);
});

it('turns what a check throws into a finding', async () => {
  const finding = await find('x', () => Promise.reject(new Error('broken')));
  expect(finding).toMatchObject({ name: 'x', status: 'failed' });
  expect(finding.detail).toContain('broken');
});
