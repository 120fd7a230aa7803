/** Both daemons with GEOM gate devices, each node on a fake kernel of its own, which outlives workers and daemons. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, pattern } from '../contract/device.js';
import { Cluster, eventually } from '../e2e/cluster.js';
import type { ClusterNode, NodeName } from '../e2e/cluster.js';
import type { Application } from './kernel.js';
import { isKernelBuilt, Kernel } from './kernel.js';
import { programsWithGgate } from './programs.js';
import type { Programs } from './programs.js';

const BLOCK = 4096;

describe.skipIf(!isKernelBuilt)(
  'GEOM gate under hastd (needs: the fake kernel)',
  { timeout: 120_000 },
  () => {
    let programs: Programs;
    let kernels: Record<NodeName, Kernel>;
    let cluster: Cluster;

    beforeAll(() => {
      // Of this suite's daemons only: it is about the addon, and has one of its own.
      delete process.env['HAST_NO_ADDON'];
      programs = programsWithGgate();
    });

    afterAll(() => {
      programs.remove();
    });

    beforeEach(async () => {
      // As on a real system: the module is not loaded yet, and others look at every new device.
      const options = ['module=0', 'taste=4'];
      kernels = {
        a: await Kernel.start(...options, 'release=13'),
        b: await Kernel.start(...options, 'release=12'),
      };
      cluster = await Cluster.start({
        hastd: ['--device', 'ggate'],
        programs: programs.folder,
        environment: (node) => ({ HAST_GGATE_KERNEL: kernels[node].socketPath }),
      });
    });

    afterEach(async () => {
      await cluster.close();
      await kernels.a.stop();
      await kernels.b.stop();
    });

    async function unitOf(node: ClusterNode): Promise<number> {
      const application = await kernels[node.name].application('r0');
      const { unit } = await application.look();
      application.die();
      return unit;
    }

    /** An application of the node's device, once it is there. */
    async function application(node: ClusterNode): Promise<Application> {
      await eventually(`/dev/hast/r0 of ${node.name}`, async () => (await unitOf(node)) >= 0);
      return kernels[node.name].application('r0');
    }

    async function pair(): Promise<{ a: ClusterNode; b: ClusterNode; client: Application }> {
      const { a, b } = cluster;
      await b.role('secondary');
      await a.role('primary');
      const client = await application(a);
      await a.inSync();
      return { a, b, client };
    }

    it('has its device on the primary only, gone when the role command returns', async () => {
      const { a, b, client } = await pair();
      expect(await client.look()).toMatchObject({ sectorSize: 512, panic: '' });
      expect(await unitOf(b)).toBe(-1);
      await client.write(0, pattern(BLOCK, 1));
      await client.flush();
      expect(Buffer.from(await client.read(0, BLOCK)).equals(pattern(BLOCK, 1))).toBe(true);
      await a.role('secondary');
      expect(await unitOf(a)).toBe(-1);
      await b.role('primary');
      const other = await application(b);
      expect(Buffer.from(await other.read(0, BLOCK)).equals(pattern(BLOCK, 1))).toBe(true);
      await b.role('init');
      expect(await unitOf(b)).toBe(-1);
      expect(a.log).toContain('Device hast/r0 created.');
      expect(a.log).not.toContain('Unable to destroy');
    });

    it('lives through workers that are killed under load: every request is answered once, nothing is lost', async () => {
      const { a, b, client } = await pair();
      const expected = new Map<number, Uint8Array>();
      let isOver = false;
      let rounds = 0;
      const load = async (): Promise<void> => {
        while (!isOver) {
          await Promise.all(
            Array.from({ length: 32 }, async (_, i) => {
              const data = pattern(BLOCK, rounds * 32 + i);
              expected.set(i, data);
              await client.write(i * BLOCK, data);
            }),
          );
          const reads = [...expected].map(async ([i, data]) => {
            expect(Buffer.from(await client.read(i * BLOCK, BLOCK)).equals(data)).toBe(true);
          });
          await Promise.all(reads);
          rounds++;
        }
      };
      const loading = load();
      for (let death = 0; death < 3; death++) {
        const [before, from] = [rounds, a.log.length];
        await eventually('some load', () => rounds > before + 2);
        process.kill(Number(await a.listed('workerpid')), 'SIGKILL');
        await a.logged('Device hast/r0 recovered.', from);
      }
      const before = rounds;
      await eventually('load after all', () => rounds > before + 2);
      isOver = true;
      await loading;
      await client.flush();
      expect(await client.look()).toMatchObject({ unit: 0, doubled: 0, panic: '', inQueue: 0, outQueue: 0 });
      await a.inSync();
      const [mine, theirs] = [await a.deviceBytes(), await b.deviceBytes()];
      for (const [i, data] of expected) {
        expect(mine.subarray(i * BLOCK, (i + 1) * BLOCK).equals(data)).toBe(true);
        expect(theirs.subarray(i * BLOCK, (i + 1) * BLOCK).equals(data)).toBe(true);
      }
    });

    it('never carries out what waited for a dead primary once another node was primary (W34)', async () => {
      const { a, b, client } = await pair();
      await client.write(0, pattern(BLOCK, 1));
      await client.flush();
      await a.inSync();
      await a.kill();
      const late = codeOf(client.write(0, pattern(BLOCK, 2)));
      await eventually('the request in the kernel', async () => (await client.look()).inQueue === 1);
      await b.role('primary');
      const other = await application(b);
      await other.write(0, pattern(BLOCK, 3));
      await other.flush();
      await a.start();
      expect(await late).toBe('ENXIO');
      expect(await unitOf(a)).toBe(-1);
      await a.role('secondary');
      await b.inSync();
      await b.role('secondary');
      await a.role('primary');
      const again = await application(a);
      expect(Buffer.from(await again.read(0, BLOCK)).equals(pattern(BLOCK, 3))).toBe(true);
    });

    it('falls back to init when somebody removes the device', async () => {
      const { a, client } = await pair();
      await client.destroy();
      await a.logged('Device hast/r0 is gone: it was removed by somebody else.');
      await eventually('role init', async () => (await a.listed('role')) === 'init');
      expect(await unitOf(a)).toBe(-1);
    });

    it('leaves no device behind when it is stopped, with applications at work or with its worker just killed', async () => {
      const { a, client } = await pair();
      const writes = Array.from({ length: 64 }, (_, i) => codeOf(client.write(i * BLOCK, pattern(BLOCK, i))));
      expect(await a.stop()).toBe(0);
      for (const code of await Promise.all(writes)) expect(['ok', 'ENXIO']).toContain(code);
      expect(await unitOf(a)).toBe(-1);
      await a.start();
      await a.role('primary');
      await application(a);
      process.kill(Number(await a.listed('workerpid')), 'SIGKILL');
      await a.logged('Worker process killed');
      await a.role('init');
      expect(await unitOf(a)).toBe(-1);
    });
  },
);
