/**
 * Where clients of a primary's device connect to: a Unix socket in the run directory that only its owner can reach,
 * or TCP when asked for. One address per provider, the same as long as the daemon runs.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NbdAddress } from './options.js';

/** Sockets `<run-dir>/hast/<provider>`; their directory is made when the first one is about to be bound. */
export function unixExports(runDir: string): (provider: string) => string {
  const folder = join(runDir, 'hast');
  return (provider) => {
    const path = join(folder, provider);
    try {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      chmodSync(folder, 0o700);
    } catch {
      // Binding will fail for the same reason, and whoever binds says so.
    }
    return `uds://${path}`;
  };
}

/** TCP ports counted up from `first`, in the order of `providers` and then of first use. */
export function tcpExports(first: NbdAddress, providers: readonly string[]): (provider: string) => string {
  const order = [...new Set(providers)];
  const host = first.host.includes(':') ? `[${first.host}]` : first.host;
  return (provider) => {
    if (!order.includes(provider)) order.push(provider);
    return `tcp://${host}:${first.port + order.indexOf(provider)}`;
  };
}
