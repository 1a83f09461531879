/** The element of the page with this id. @throws TypeError if there is none of that kind */
export function byId<T extends HTMLElement>(id: string, kind: new () => T): T {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new TypeError(`the page has no ${kind.name} #${id}`);
  return element;
}

/** A new element with attributes and children; text is never read as HTML. */
export function create<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** A row of radio buttons that look like one control. @returns chooses one without telling `onChange` */
export function segments(
  parent: HTMLElement,
  choices: readonly { readonly id: string; readonly label: string }[],
  onChange: (id: string) => void,
): (id: string | undefined) => void {
  const name = parent.id;
  const inputs = choices.map(({ id, label }) => {
    const input = create('input', { type: 'radio', name, value: id, id: `${name}-${id}` });
    input.addEventListener('change', () => onChange(id));
    parent.append(input, create('label', { for: input.id }, label));
    return input;
  });
  return (id) => {
    for (const input of inputs) input.checked = input.value === id;
  };
}
