import { useLayoutEffect, useRef, type ReactElement } from 'react';
import type { RunReport, RunView } from '../application-state.ts';
import { estimateRun, sliceCost } from '../run/estimate.ts';
import type { SliceRange } from '../settings/user-settings.ts';
import type { SectionProps } from './panel.tsx';
import { bytes, count, duration, phaseTexts, rangeTexts } from './wording.ts';

/** What will be done, what it will cost, and how far it is. */
export function RunSection({ app, state }: SectionProps): ReactElement {
  const { series, run, report, settings } = state;
  const range = settings.range ?? app.admin.defaultRange;
  const chosen = app.choice();
  const cost = chosen && sliceCost(chosen, state.detail);
  const estimate = cost && estimateRun(cost, range, series.slices, report);
  const blocked = series.reason ?? (chosen ? undefined : 'Connect to a server first.');
  const start = useRef<HTMLButtonElement>(null);
  const stop = useRef<HTMLButtonElement>(null);
  /** The cancel button as it was before it went. */
  const stopped = useRef<HTMLButtonElement | null>(null);
  const active = run !== undefined || state.writing !== undefined;
  const focusWas = document.activeElement;
  // The button that was pressed is gone or disabled now: the keyboard goes to the one in its place.
  useLayoutEffect(() => {
    const [from, to] = active ? [start, stop] : [stopped, start];
    if (focusWas !== null && focusWas === from.current) to.current?.focus();
    stopped.current = stop.current;
  }, [active]);
  return (
    <section className="cipherdose-card" aria-labelledby="cipherdose-run">
      <h3 id="cipherdose-run">Denoise</h3>
      <p data-cy="cipherdose-series">
        {series.reason ?? `${series.description || 'This series'}: ${count(series.slices, 'slice')}`}
      </p>
      <label htmlFor="cipherdose-range">Range</label>
      <select
        id="cipherdose-range"
        value={range}
        disabled={run !== undefined}
        onChange={({ target }) => app.changeSettings({ range: target.value as SliceRange })}
      >
        {Object.entries(rangeTexts).map(([id, text]) => (
          <option key={id} value={id}>
            {text}
          </option>
        ))}
      </select>
      {estimate && !series.reason && (
        <p className="cipherdose-note" data-cy="cipherdose-estimate">
          About {bytes(estimate.bytes)} to send and receive
          {estimate.seconds === undefined ? '' : `, ${duration(estimate.seconds)}`}.
        </p>
      )}
      <div className="cipherdose-buttons">
        <button
          ref={start}
          type="button"
          className="cipherdose-main"
          data-cy="cipherdose-denoise"
          disabled={run !== undefined || blocked !== undefined}
          onClick={() => void app.denoise()}
        >
          {state.failure && state.results.length > 0 ? 'Continue' : 'Denoise'}
        </button>
        {active && (
          <button ref={stop} type="button" data-cy="cipherdose-cancel" onClick={() => app.cancel()}>
            Cancel
          </button>
        )}
      </div>
      {/* Below the buttons, which must not move under the mouse while its lines grow and shrink. */}
      {run ? <Progress run={run} /> : report && <Report report={report} />}
    </section>
  );
}

function Progress({ run }: { readonly run: RunView }): ReactElement {
  return (
    <div data-cy="cipherdose-progress">
      <label htmlFor="cipherdose-bar">{phaseTexts[run.phase]}</label>
      <progress id="cipherdose-bar" max={1} value={run.part} />
      <dl>
        <dt>Slices</dt>
        <dd>
          {run.slicesDone} of {run.slices}
        </dd>
        <dt>Time left</dt>
        <dd>{run.secondsLeft === undefined ? '…' : duration(run.secondsLeft)}</dd>
        <dt>Sent, received</dt>
        <dd>
          {bytes(run.bytesUp)}, {bytes(run.bytesDown)}
        </dd>
      </dl>
    </div>
  );
}

function Report({ report }: { readonly report: RunReport }): ReactElement {
  const { stages } = report;
  const total = Math.max(Number.EPSILON, stages.read + stages.encrypt + stages.evaluate + stages.decrypt);
  const share = (seconds: number): string => `${Math.round((100 * seconds) / total)}%`;
  return (
    <details data-cy="cipherdose-report">
      <summary>
        {count(report.slices, 'slice')} in {duration(report.seconds)}
      </summary>
      <dl>
        <dt>Sent, received</dt>
        <dd>
          {bytes(report.bytesUp)}, {bytes(report.bytesDown)}
        </dd>
        <dt>Reading images</dt>
        <dd>{share(stages.read)} of the work</dd>
        <dt>Encryption</dt>
        <dd>{share(stages.encrypt)}</dd>
        <dt>Server and network</dt>
        <dd>{share(stages.evaluate)}</dd>
        <dt>Decryption</dt>
        <dd>{share(stages.decrypt)}</dd>
      </dl>
    </details>
  );
}
