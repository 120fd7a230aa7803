/** What the machine gives to anybody: TCP on loopback and the local filesystem, one call at a time. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';

export interface Ceilings {
  /** A request of 4,160 bytes and an answer of 64, one after the other. */
  readonly pingPongUs: number;
  readonly tcpBytesPerS: number;
  readonly write4kUs: number;
  readonly writeBytesPerS: number;
  /** A 4 KiB write and fdatasync(2). */
  readonly syncedWriteUs: number;
}

const MIB = 1 << 20;

export async function ceilings(under: string, seconds: number): Promise<Ceilings> {
  return { ...(await tcp(seconds)), ...files(under, seconds) };
}

async function tcp(seconds: number): Promise<Pick<Ceilings, 'pingPongUs' | 'tcpBytesPerS'>> {
  const peer = fork(new URL('tcp-peer.js', import.meta.url).pathname);
  try {
    const pingPongUs = await pingPong(await dial(peer, 'answer'), seconds);
    const tcpBytesPerS = await stream(await dial(peer, 'swallow'), seconds);
    return { pingPongUs, tcpBytesPerS };
  } finally {
    peer.kill();
  }
}

async function dial(peer: ChildProcess, what: 'answer' | 'swallow'): Promise<Socket> {
  const listening = once(peer, 'message');
  peer.send(what);
  const [port] = (await listening) as [number];
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  return socket;
}

async function pingPong(socket: Socket, seconds: number): Promise<number> {
  const request = Buffer.alloc(4160);
  const endMs = performance.now() + seconds * 1000;
  const startedMs = performance.now();
  let count = 0;
  let bytes = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes < 64) return;
      bytes = 0;
      count++;
      if (performance.now() < endMs) socket.write(request);
      else resolve();
    });
    socket.write(request);
  });
  const elapsedMs = performance.now() - startedMs;
  socket.destroy();
  return (elapsedMs * 1000) / count;
}

async function stream(socket: Socket, seconds: number): Promise<number> {
  const chunk = Buffer.alloc(MIB);
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  let bytes = 0;
  while (performance.now() < endMs) {
    bytes += chunk.length;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  const elapsedMs = performance.now() - startedMs;
  socket.destroy();
  return bytes / (elapsedMs / 1000);
}

function files(under: string, seconds: number): Omit<Ceilings, 'pingPongUs' | 'tcpBytesPerS'> {
  const folder = mkdtempSync(join(under, 'hast-bench-'));
  const file = openSync(join(folder, 'file'), 'w');
  const small = Buffer.alloc(4096, 1);
  const large = Buffer.alloc(MIB, 1);
  try {
    const write4kUs = repeat(seconds, (n) => writeSync(file, small, 0, 4096, 4096 * (n % 16_384)));
    const megabyteUs = repeat(seconds, (n) => writeSync(file, large, 0, MIB, MIB * (n % 64)));
    const syncedWriteUs = repeat(seconds, (n) => {
      writeSync(file, small, 0, 4096, 4096 * (n % 16_384));
      fdatasyncSync(file);
    });
    return { write4kUs, writeBytesPerS: (MIB * 1e6) / megabyteUs, syncedWriteUs };
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

/** Microseconds of one call. */
function repeat(seconds: number, call: (n: number) => void): number {
  const startedMs = performance.now();
  let count = 0;
  while (performance.now() - startedMs < seconds * 1000) call(count++);
  return ((performance.now() - startedMs) * 1000) / count;
}
