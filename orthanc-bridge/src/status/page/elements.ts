/** The element of the page with this id. @throws TypeError if it is none, or of another kind */
export function byId<T extends HTMLElement = HTMLElement>(
  id: string,
  kind: new () => T = HTMLElement as new () => T,
): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new TypeError(`no #${id}`);
  return element;
}

type Child = Node | string | undefined;
type Properties = Readonly<Record<string, string | undefined>>;

/**
 * Makes an element. Text goes in as text, never as HTML.
 * @param kind a tag with classes, such as `p.quiet`
 */
export function make(kind: string, properties: Properties = {}, ...children: readonly Child[]): HTMLElement {
  const [tag = 'div', ...classes] = kind.split('.');
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(' ');
  for (const [name, value] of Object.entries(properties))
    if (value !== undefined) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A button that is locked while its task runs. */
export function button(label: string, properties: Properties, task: () => Promise<void>): HTMLElement {
  const element = make('button', { type: 'button', ...properties }, label) as HTMLButtonElement;
  element.addEventListener('click', () => {
    element.disabled = true;
    void task().finally(() => (element.disabled = false));
  });
  return element;
}

/** A table with a heading for each column. */
export const table = (
  headings: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
): HTMLElement =>
  make(
    'div.table',
    {},
    make(
      'table',
      {},
      make('thead', {}, make('tr', {}, ...headings.map((text) => make('th', { scope: 'col' }, text)))),
      make('tbody', {}, ...rows.map((row) => make('tr', {}, ...row.map((cell) => make('td', {}, cell))))),
    ),
  );
