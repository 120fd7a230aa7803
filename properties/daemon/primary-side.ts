/** What a primary says while it connects, for tests of the main daemon on the other side. */
import { encodeFrame } from '../../core/wire/frame.js';
import { encodeAttach, encodeHello } from '../../core/wire/handshake-messages.js';
import type { DaemonWorld, TestPeer } from './daemon-world.js';

export function helloFrame(resource = 'r0', version = 2): Uint8Array {
  return encodeFrame(1, encodeHello({ resource, version }));
}

export function attachFrame(token: Uint8Array, resource = 'r0', version = 2): Uint8Array {
  const counts = { virgin: true, resuid: 7n, localcnt: 1n, remotecnt: 2n };
  return encodeFrame(version, encodeAttach({ resource, token, ...counts }));
}

/** Connection A up to the token. */
export function greet(world: DaemonWorld, resource = 'r0'): { connA: TestPeer; token: Uint8Array } {
  const connA = world.peer();
  connA.send(helloFrame(resource));
  world.run(10);
  const token = connA.answer()?.['token'];
  if (!(token instanceof Uint8Array)) throw new Error(`no token: ${JSON.stringify(connA.answer())}`);
  return { connA, token };
}

/** Both connections, up to the worker. */
export function connect(world: DaemonWorld): { connA: TestPeer; connB: TestPeer; token: Uint8Array } {
  const { connA, token } = greet(world);
  const connB = world.peer();
  connB.send(attachFrame(token));
  world.run(10);
  return { connA, connB, token };
}
