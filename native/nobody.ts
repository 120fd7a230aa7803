import type { SocketHandler } from '../core/ports/network.js';

const SCRATCH = new Uint8Array(4096);

/** Handler of a connection that nobody listens to: what comes is dropped. */
export const NOBODY: SocketHandler = {
  connected: () => undefined,
  target: () => SCRATCH,
  filled: () => undefined,
  sent: () => undefined,
  closed: () => undefined,
};
