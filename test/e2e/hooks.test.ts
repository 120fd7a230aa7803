/** The exec hook with every event of a life (core/spec/integration.md section 1). */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { Cluster, eventually } from './cluster.js';

let cluster: Cluster | null = null;

afterEach(async () => {
  await cluster?.close();
  cluster = null;
});

describe('exec hook', { timeout: 120_000 }, () => {
  it("hears of everything that happens, on both nodes, in the daemon's environment", async () => {
    cluster = await Cluster.prepare();
    const { a, b, folder } = cluster;
    const hook = join(folder, 'hook');
    // Each daemon runs in its node's folder, and so does the hook.
    writeFileSync(hook, `#!/bin/sh\necho "$@" >> ${folder}/$(basename $PWD).events\nenv > ${folder}/env\n`);
    chmodSync(hook, 0o755);
    cluster.configure(`exec ${hook}`);
    const eventsOf = (name: string): string[] => {
      const path = join(folder, `${name}.events`);
      return existsSync(path) ? readFileSync(path, 'latin1').trimEnd().split('\n') : [];
    };
    const saw = (name: string, ...events: string[]): Promise<unknown> =>
      eventually(`${name} to hear ${events.join(', ')}; so far ${eventsOf(name).join(', ')}`, () =>
        events.every((event) => eventsOf(name).includes(event)),
      );
    await a.start();
    await b.start();
    await a.role('primary');
    const client = await a.device();
    await client.write(0, new Uint8Array(4096).fill(1));
    await b.role('secondary');
    await saw('a', 'role r0 init primary', 'connect r0', 'syncstart r0', 'syncdone r0');
    await saw('b', 'role r0 init secondary', 'connect r0');
    await b.role('init');
    await saw('b', 'role r0 secondary init');
    await saw('a', 'disconnect r0');
    await client.disconnect();
    await a.role('init');
    await saw('a', 'role r0 primary init');
    const environment = readFileSync(join(folder, 'env'), 'latin1');
    expect(environment).not.toMatch(/^(HASTD_|NODE_CHANNEL)/m);
  });
});
