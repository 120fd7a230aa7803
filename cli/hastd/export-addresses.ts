/**
 * Where clients of a primary's device connect to: a Unix socket in the run directory, or TCP when asked for. A provider
 * has the same address as long as the daemon runs.
 */
import type { PortError } from '../../core/ports/error.js';
import { exportAddress, prepareExportDirectory } from '../../native/nbd/path.js';
import type { NbdAddress } from './options.js';

export type ExportAddresses = (provider: string) => string | PortError;

/** Sockets `<run-dir>/hast/<provider>`; their directory is made when it is needed. */
export function unixExports(runDir: string): ExportAddresses {
  return (provider) => prepareExportDirectory(runDir) ?? exportAddress(runDir, provider);
}

/** TCP ports counted up from `first`, in the order of `providers` and then of first use. */
export function tcpExports(first: NbdAddress, providers: readonly string[]): ExportAddresses {
  const order = [...new Set(providers)];
  const host = first.host.includes(':') ? `[${first.host}]` : first.host;
  return (provider) => {
    if (!order.includes(provider)) order.push(provider);
    return `tcp://${host}:${first.port + order.indexOf(provider)}`;
  };
}
