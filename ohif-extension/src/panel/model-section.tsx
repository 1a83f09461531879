import type { ReactElement } from 'react';
import { modeDisclosure, type Mode } from '@cipherdose/sdk';
import { sliceCost } from '../run/estimate.ts';
import type { SectionProps } from './panel.tsx';
import { bytes, count, modeNames } from './wording.ts';

/** Which model, what it is, and what each side learns. */
export function ModelSection({ app, state }: SectionProps): ReactElement | null {
  const chosen = app.choice();
  if (!chosen) return null;
  const { model, mode } = chosen;
  const card = state.detail?.digest === model.digest ? state.detail.card : undefined;
  const cost = sliceCost(chosen, state.detail);
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
      <ModeChoice app={app} state={state} />
      <p className="cipherdose-note" data-cy="cipherdose-learns">
        {modeDisclosure[mode]}
      </p>
      <p className="cipherdose-note" data-cy="cipherdose-cost">
        {cost
          ? `${bytes(cost.bytes)} and ${count(cost.rounds, 'round')} a slice` +
            (cost.onlineBytes === undefined
              ? '.'
              : `; ${bytes(cost.onlineBytes)} of it need the image, the rest is prepared before.`)
          : 'Loading …'}
      </p>
      <details data-cy="cipherdose-card">
        <summary>Model card</summary>
        {card ? <Facts value={card} /> : <p>Loading …</p>}
      </details>
    </section>
  );
}

/** A choice where the model leaves one, else the one mode there is. */
function ModeChoice({ app, state }: SectionProps): ReactElement | null {
  const chosen = app.choice();
  if (!chosen) return null;
  const { modes } = chosen.model;
  if (modes.length === 1)
    return (
      <p data-cy="cipherdose-only-mode">
        Mode: {modeNames[chosen.mode]}, the only one that this model offers.
      </p>
    );
  return (
    <>
      <label htmlFor="cipherdose-mode">Mode</label>
      <select
        id="cipherdose-mode"
        value={chosen.mode}
        disabled={state.run !== undefined}
        onChange={({ target }) => app.changeSettings({ mode: target.value as Mode })}
      >
        {modes.map((id) => (
          <option key={id} value={id}>
            {modeNames[id]}
          </option>
        ))}
      </select>
    </>
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
