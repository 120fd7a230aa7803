import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import * as net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Turns } from '../../core/base/turns.js';
import type { PortError } from '../../core/ports/error.js';
import type { Listener } from '../../core/ports/network.js';
import { NodeNetwork } from '../../native/tcp.js';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hast-unix-'));
  path = join(folder, 'socket');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

function listen(): Promise<{ listener: Listener; error: PortError | null }> {
  const turns = new Turns();
  return new Promise((resolve) => {
    turns.run(() => {
      const listener = new NodeNetwork(turns).listen(
        path,
        () => {
          throw new Error('nobody connects');
        },
        (error) => {
          resolve({ listener, error });
        },
      );
    });
  });
}

describe('the path of a Unix listener', () => {
  it('replaces what a dead server left, and is removed on close', async () => {
    const dead = net.createServer().listen(join(folder, 'elsewhere'));
    await once(dead, 'listening');
    renameSync(join(folder, 'elsewhere'), path);
    dead.close();
    const { listener, error } = await listen();
    expect(error).toBeNull();
    expect(existsSync(path)).toBe(true);
    listener.close();
    expect(existsSync(path)).toBe(false);
  });

  it('is for our own user alone', async () => {
    const { listener } = await listen();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    listener.close();
  });

  it('does not take the place of a live server', async () => {
    // Who asks whether somebody is there goes away at once.
    const live = net.createServer((socket) => socket.on('error', () => undefined).end('here')).listen(path);
    await once(live, 'listening');
    expect((await listen()).error).toMatchObject({ code: 'EADDRINUSE' });
    const client = net.connect(path);
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('here');
    live.close();
  });

  it('does not remove a file', async () => {
    writeFileSync(path, 'precious');
    expect((await listen()).error).toMatchObject({ code: 'EEXIST' });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('says when the folder is missing', async () => {
    path = join(folder, 'none', 'socket');
    expect((await listen()).error).toMatchObject({ code: 'ENOENT' });
  });
});
