import type { ManagedResource } from './managed-resource.js';

/** The configured resources, in the order that `status` shows, and those that are on their way out. */
export class Resources {
  readonly #byName = new Map<string, ManagedResource>();
  readonly #retiring = new Set<ManagedResource>();

  get(name: string): ManagedResource | null {
    return this.#byName.get(name) ?? null;
  }

  all(): readonly ManagedResource[] {
    return [...this.#byName.values()];
  }

  get count(): number {
    return this.#byName.size;
  }

  /** Adds at the end; a resource already there moves there, as one that a reload restarts does. */
  append(resource: ManagedResource): void {
    this.#byName.delete(resource.name);
    this.#byName.set(resource.name, resource);
  }

  /** No longer configured: unknown at once, `gone` when its worker is. */
  retire(resource: ManagedResource, gone: () => void): void {
    this.#byName.delete(resource.name);
    this.#retiring.add(resource);
    resource.setRole('init', false, () => {
      this.#retiring.delete(resource);
      gone();
    });
  }

  /** Every resource that may have a worker. */
  withWorkers(): readonly ManagedResource[] {
    return [...this.all(), ...this.#retiring].filter((resource) => resource.hasWorker);
  }

  /** No worker is started from now on; `gone` when all have left. */
  shutDown(gone: () => void): void {
    const resources = [...this.all(), ...this.#retiring];
    let left = resources.length + 1;
    const one = (): void => {
      if (--left === 0) gone();
    };
    for (const resource of resources) resource.shutDown(one);
    one();
  }
}
