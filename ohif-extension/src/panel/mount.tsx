import { Component, createRef, StrictMode, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import type { Application } from '../application.ts';
import { keepControlKeys } from './keep-keys.ts';
import { Panel } from './panel.tsx';
import { styles } from './styles.ts';

/**
 * The panel as OHIF takes it. OHIF does not share its React with extensions that are loaded by URL, and hooks of one
 * React do not work under another: so the panel has a root of its own.
 */
export function createPanel(application: () => Application | undefined): new (props: object) => Component {
  return class CipherDosePanel extends Component {
    readonly #element = createRef<HTMLDivElement>();
    #root: Root | undefined;

    override componentDidMount(): void {
      const app = application();
      if (!this.#element.current || !app) return;
      keepControlKeys(this.#element.current);
      this.#root = createRoot(this.#element.current);
      this.#root.render(
        <StrictMode>
          <style>{styles}</style>
          <Panel app={app} />
        </StrictMode>,
      );
    }

    override componentWillUnmount(): void {
      const root = this.#root;
      // React refuses to unmount one root while it renders another.
      setTimeout(() => root?.unmount());
    }

    override render(): ReactNode {
      return <div ref={this.#element} className="cipherdose" data-cy="cipherdose-panel" />;
    }
  };
}
