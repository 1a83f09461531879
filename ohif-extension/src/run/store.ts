/** A value that can be watched; a change replaces the value, so React can compare by identity. */
export interface Store<T> {
  get(): T;
  set(change: Partial<T>): void;
  /** @returns ends the watching */
  subscribe(listener: () => void): () => void;
}

export function createStore<T extends object>(initial: T): Store<T> {
  const listeners = new Set<() => void>();
  let value = initial;
  return {
    get: () => value,
    set(change) {
      value = { ...value, ...change };
      for (const listener of [...listeners]) listener();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
