/** What has to be closed again, in reverse order; every closer runs, and a failure is thrown at the end. */
export class Resources {
  readonly #closers: (() => unknown)[] = [];

  add<T>(resource: T, close: (resource: T) => unknown): T {
    this.#closers.push(() => close(resource));
    return resource;
  }

  /** @throws AggregateError of what could not be closed */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse())
      try {
        await close();
      } catch (error) {
        failures.push(error);
      }
    if (failures.length > 0) throw new AggregateError(failures, 'something could not be closed');
  }
}
