import { useEffect, useSyncExternalStore, type ReactElement } from 'react';
import type { Application } from '../application.ts';
import type { ApplicationState } from '../application-state.ts';
import { ModelSection } from './model-section.tsx';
import { ResultsSection } from './results-section.tsx';
import { RunSection } from './run-section.tsx';
import { ServerSection } from './server-section.tsx';
import { caution, productTitle } from './wording.ts';

export interface SectionProps {
  readonly app: Application;
  readonly state: ApplicationState;
}

export function Panel({ app }: { readonly app: Application }): ReactElement {
  const state = useSyncExternalStore(app.state.subscribe, app.state.get);
  useEffect(() => {
    const hidden = app.panelShown();
    app.update();
    void app.testConnection();
    return hidden;
  }, [app]);
  return (
    <section aria-label={productTitle}>
      <h2>{productTitle}</h2>
      <p className="cipherdose-lead">
        Images leave this computer only encrypted. <strong>{caution}</strong>
      </p>
      {state.failure && (
        <div className="cipherdose-notice" role="alert" data-cy="cipherdose-notice">
          <strong>{state.failure.title}</strong>
          <p>{state.failure.advice}</p>
        </div>
      )}
      <RunSection app={app} state={state} />
      <ResultsSection app={app} state={state} />
      <ModelSection app={app} state={state} />
      <ServerSection app={app} state={state} />
      <p className="cipherdose-hidden" role="status">
        {state.announcement}
      </p>
    </section>
  );
}
