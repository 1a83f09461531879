import type { ReactElement } from 'react';
import type { Mode } from '@cipherdose/sdk';
import type { SectionProps } from './panel.tsx';
import { bytes, count, modeTexts } from './wording.ts';

/** Which model, what it is, and what each side learns. */
export function ModelSection({ app, state }: SectionProps): ReactElement | null {
  const chosen = app.choice();
  if (!chosen) return null;
  const { model, mode } = chosen;
  const { cost } = model;
  const card = state.detail?.digest === model.digest ? state.detail.card : undefined;
  return (
    <section className="cipherdose-card" aria-labelledby="cipherdose-model-title">
      <h3 id="cipherdose-model-title">Model and privacy</h3>
      <label htmlFor="cipherdose-model">Model</label>
      <select
        id="cipherdose-model"
        value={model.id}
        disabled={state.run !== undefined}
        onChange={({ target }) => app.changeSettings({ model: target.value })}
      >
        {state.models.map(({ id, version }) => (
          <option key={id} value={id}>
            {id} {version}
          </option>
        ))}
      </select>
      <p>{model.summary}</p>
      <label htmlFor="cipherdose-mode">Mode</label>
      <select
        id="cipherdose-mode"
        value={mode}
        disabled={state.run !== undefined}
        onChange={({ target }) => app.changeSettings({ mode: target.value as Mode })}
      >
        {model.modes.map((id) => (
          <option key={id} value={id}>
            {modeTexts[id].name}
          </option>
        ))}
      </select>
      <p className="cipherdose-note" data-cy="cipherdose-learns">
        {modeTexts[mode].learns}
      </p>
      <p className="cipherdose-note">
        {bytes(cost.bytesUp + cost.bytesDown)} and {count(cost.rounds, 'round')} a slice.
      </p>
      <details data-cy="cipherdose-card">
        <summary>Model card</summary>
        {card ? <Facts value={card} /> : <p>Loading …</p>}
      </details>
    </section>
  );
}

/** Any JSON as a list of facts. */
function Facts({ value }: { readonly value: Readonly<Record<string, unknown>> }): ReactElement {
  return (
    <dl>
      {Object.entries(value).flatMap(([name, fact]) => [
        <dt key={`${name} name`}>{name}</dt>,
        <dd key={name}>
          {typeof fact === 'object' && fact !== null ? (
            <Facts value={fact as Readonly<Record<string, unknown>>} />
          ) : (
            String(fact)
          )}
        </dd>,
      ])}
    </dl>
  );
}
