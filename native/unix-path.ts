/**
 * The path of a Unix listener. A daemon that ended badly leaves its socket behind, and it must be replaced; but whatever
 * else is there is not ours to remove (core/spec/config.md section 3, weakness of the reference).
 */
import { chmodSync } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import * as net from 'node:net';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { portError } from '../core/ports/error.js';
import type { PortError } from '../core/ports/error.js';
import { portErrorOf } from './errors.js';

export interface UnixListenOptions {
  readonly path: string;
  readonly backlog: number;
}

const SOCKET_MODE = 0o600;
const NOT_FOR_OTHERS = 0o177;

/** Removes a dead socket at `path`. EEXIST: something else is there. EADDRINUSE: somebody answers. */
export async function clearSocketPath(path: string): Promise<PortError | null> {
  try {
    const stat = await lstat(path);
    if (!stat.isSocket()) return portError('EEXIST', `${path} exists and is not a socket; remove it first`);
  } catch (error) {
    const failure = portErrorOf(error);
    return failure.code === 'ENOENT' ? missingFolder(path) : failure;
  }
  const answer = await knock(path);
  if (answer === null) return portError('EADDRINUSE', `${path}: another server is listening there`);
  if (answer.code === 'ENOENT') return null;
  if (answer.code !== 'ECONNREFUSED') return answer;
  try {
    await unlink(path);
    return null;
  } catch (error) {
    return portErrorOf(error);
  }
}

/**
 * Listens at `options.path`, where only our own user and root can connect, from the first moment on. A thread may not set
 * the umask, which is its process's; there the moment is the end of this call.
 */
export function listenPrivately(server: net.Server, options: UnixListenOptions): void {
  if (!isMainThread) {
    server.listen(options);
    if (server.listening) chmodSync(options.path, SOCKET_MODE);
    return;
  }
  const umask = process.umask(NOT_FOR_OTHERS);
  try {
    server.listen(options);
  } finally {
    process.umask(umask);
  }
}

/** Binding in a folder that is not there would be called EACCES. */
async function missingFolder(path: string): Promise<PortError | null> {
  try {
    await lstat(dirname(path));
    return null;
  } catch (error) {
    return portErrorOf(error);
  }
}

/** Null when somebody answers. */
function knock(path: string): Promise<PortError | null> {
  return new Promise((resolve) => {
    const probe = net.connect({ path });
    probe.once('connect', () => {
      probe.destroy();
      resolve(null);
    });
    probe.once('error', (error) => {
      const failure = portErrorOf(error);
      // A full backlog is an answer too.
      resolve(failure.code === 'EAGAIN' ? null : failure);
    });
  });
}
