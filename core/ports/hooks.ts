/** The `exec` program of hast.conf (core/spec/integration.md section 1): started, never waited for. */
export interface Hooks {
  /** Runs `path` with `args` (event, resource, ...); not through a shell. */
  run(path: string, args: readonly string[]): void;
}
