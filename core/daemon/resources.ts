import type { ManagedResource } from './managed-resource.js';

/** The configured resources, in the order that `status` shows. */
export class Resources {
  readonly #byName = new Map<string, ManagedResource>();

  get(name: string): ManagedResource | null {
    return this.#byName.get(name) ?? null;
  }

  all(): readonly ManagedResource[] {
    return [...this.#byName.values()];
  }

  get count(): number {
    return this.#byName.size;
  }

  /** Adds at the end; a resource already there moves there (a reload that restarts it, core/spec/config.md section 7). */
  append(resource: ManagedResource): void {
    this.#byName.delete(resource.name);
    this.#byName.set(resource.name, resource);
  }

  remove(resource: ManagedResource): void {
    this.#byName.delete(resource.name);
  }
}
