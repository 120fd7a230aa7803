/**
 * The path of a Unix listener. A daemon that ended badly leaves its socket behind, and it must be replaced; but whatever
 * else is there is not ours to remove (core/spec/config.md section 3, weakness of the reference).
 */
import { lstat, unlink } from 'node:fs/promises';
import * as net from 'node:net';
import { dirname } from 'node:path';
import { portError } from '../core/ports/error.js';
import type { PortError } from '../core/ports/error.js';
import { portErrorOf } from './errors.js';

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
