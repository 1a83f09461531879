import { useEffect, useRef, useState, type ReactElement } from 'react';
import type { Application } from '../application.ts';
import type { ResultView } from '../application-state.ts';
import type { SectionProps } from './panel.tsx';
import { count } from './wording.ts';

/** What was made, and what can be done with it. */
export function ResultsSection({ app, state }: SectionProps): ReactElement | null {
  if (state.results.length === 0) return null;
  const { writing } = state;
  return (
    <section className="cipherdose-card" aria-labelledby="cipherdose-results">
      <h3 id="cipherdose-results">Results</h3>
      <ul data-cy="cipherdose-results">
        {state.results.map((result, index) => (
          <li key={result.local.displaySet.displaySetInstanceUID}>
            <Result
              app={app}
              result={result}
              index={index}
              busy={writing !== undefined || state.run !== undefined}
            />
          </li>
        ))}
      </ul>
      {writing && (
        <div data-cy="cipherdose-writing">
          <label htmlFor="cipherdose-writing">
            {writing.what}: {writing.written} of {writing.total}
          </label>
          <progress id="cipherdose-writing" max={writing.total} value={writing.written} />
        </div>
      )}
    </section>
  );
}

interface ResultProps {
  readonly app: Application;
  readonly result: ResultView;
  readonly index: number;
  readonly busy: boolean;
}

function Result({ app, result, index, busy }: ResultProps): ReactElement {
  const [suffix, setSuffix] = useState(app.admin.descriptionSuffix);
  const [asking, setAsking] = useState(false);
  const saveButton = useRef<HTMLButtonElement>(null);
  const suffixField = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (!asking) return;
    suffixField.current?.focus();
    suffixField.current?.select();
  }, [asking]);
  /** Whoever works by keyboard is where the form was opened again. */
  const stopAsking = (): void => {
    setAsking(false);
    saveButton.current?.focus();
  };
  const { series } = result;
  const done = series.count('done');
  const failed = series.count('failed');
  const strengthId = `cipherdose-strength-${index}`;
  const suffixId = `cipherdose-suffix-${index}`;
  const archive = app.archiveName();
  return (
    <div data-cy="cipherdose-result">
      <p>
        {series.description || 'Series'}, {series.model.id} {series.model.version}: {done} of{' '}
        {count(series.slices.length, 'slice')}
        {failed > 0 && `, ${failed} failed`}.{' '}
        <strong>{series.unsaved ? 'Not saved.' : done > 0 ? 'Saved.' : ''}</strong>
      </p>
      <label htmlFor={strengthId}>
        Strength <output>{series.strength}%</output>
      </label>
      <input
        id={strengthId}
        type="range"
        min={0}
        max={100}
        step={5}
        value={series.strength}
        onChange={({ target }) => app.setStrength(result, target.valueAsNumber)}
      />
      <div className="cipherdose-buttons">
        <button type="button" onClick={() => void app.compare(result)}>
          Compare
        </button>
        <button type="button" onClick={() => void app.difference(result)}>
          Difference
        </button>
        <button type="button" onClick={() => void app.blink()} title="Key: B">
          Blink
        </button>
      </div>
      <div className="cipherdose-buttons">
        <button
          type="button"
          ref={saveButton}
          data-cy="cipherdose-save"
          aria-disabled={busy || !series.writable}
          aria-expanded={asking}
          onClick={() => {
            if (!busy && series.writable) setAsking(!asking);
          }}
        >
          Save to archive…
        </button>
        <button
          type="button"
          data-cy="cipherdose-download"
          aria-disabled={busy || !series.writable}
          onClick={() => {
            if (!busy && series.writable) void app.download(result);
          }}
        >
          Download ZIP
        </button>
        <button
          type="button"
          disabled={busy}
          onClick={() => {
            if (!series.unsaved || confirm('This result is not saved. Discard it?')) {
              document.querySelector<HTMLElement>('[data-cy=cipherdose-denoise]')?.focus();
              void app.discard(result);
            }
          }}
        >
          Discard
        </button>
      </div>
      {series.strength === 0 && (
        <p className="cipherdose-note">At 0% this is the original: nothing to save.</p>
      )}
      {asking && series.writable && (
        <form
          onKeyDown={({ key }) => {
            if (key === 'Escape') stopAsking();
          }}
          onSubmit={(event) => {
            event.preventDefault();
            stopAsking();
            void app.save(result, suffix);
          }}
        >
          <label htmlFor={suffixId}>Added to the series description</label>
          <input
            ref={suffixField}
            id={suffixId}
            type="text"
            required
            maxLength={32}
            pattern="[ -\[\]-~]+"
            value={suffix}
            onChange={({ target }) => setSuffix(target.value)}
          />
          <p className="cipherdose-note">
            {count(done, 'slice')} as a new series “{series.description}
            {suffix}” to {archive}, at {series.strength}% strength.
          </p>
          <button type="submit" className="cipherdose-main" data-cy="cipherdose-save-now">
            Save to {archive}
          </button>
        </form>
      )}
    </div>
  );
}
