import type { ReactElement } from 'react';
import { serverUrl } from '../model-host.ts';
import type { SectionProps } from './panel.tsx';
import { count } from './wording.ts';

/** Which server, and whether it can be used. */
export function ServerSection({ app, state }: SectionProps): ReactElement {
  const { admin } = app;
  const { connection, settings, models } = state;
  const address = serverUrl({ admin, user: settings });
  return (
    <section className="cipherdose-card" aria-labelledby="cipherdose-server">
      <h3 id="cipherdose-server">Server</h3>
      <p data-cy="cipherdose-connection" role="status">
        {connection.state === 'untested' && 'Not tested yet.'}
        {connection.state === 'testing' && 'Testing …'}
        {connection.state === 'ok' &&
          `Connected in ${Math.round(connection.milliseconds)} ms: reachable${address.startsWith('https:') ? ', certificate accepted' : ''}${admin.authentication.kind === 'none' ? '' : ', login accepted'}, same protocol version, ${count(models.length, 'model')}.`}
        {connection.state === 'failed' && `${connection.failure.title} ${connection.failure.advice}`}
      </p>
      {admin.allowServerChange ? (
        <>
          <label htmlFor="cipherdose-url">Address</label>
          <input
            id="cipherdose-url"
            type="url"
            defaultValue={address}
            onBlur={({ target }) => {
              if (URL.canParse(target.value)) app.changeSettings({ serverUrl: target.value });
            }}
          />
        </>
      ) : (
        <p className="cipherdose-note">{address}</p>
      )}
      {admin.authentication.kind === 'api-key' && admin.authentication.apiKey === undefined && (
        <>
          <label htmlFor="cipherdose-key">Key (kept until this tab is closed)</label>
          <input
            id="cipherdose-key"
            type="password"
            autoComplete="off"
            value={state.apiKey}
            onChange={({ target }) => app.setApiKey(target.value)}
          />
        </>
      )}
      <button type="button" data-cy="cipherdose-test" onClick={() => void app.testConnection()}>
        Test connection
      </button>
    </section>
  );
}
