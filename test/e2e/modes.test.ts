/** Every replication mode with every checksum and compression, changed while the device is in use. */
import { afterEach, describe, expect, it } from 'vitest';
import { Cluster } from './cluster.js';

let cluster: Cluster | null = null;

afterEach(async () => {
  await cluster?.close();
  cluster = null;
});

const MODES = ['fullsync', 'memsync', 'async'];
const CHECKSUMS = ['none', 'crc32', 'sha256'];
const COMPRESSIONS = ['none', 'hole', 'lzf'];

/** Text, noise, zeros and a sparse block: something for every compression to win and to lose with. */
function mixture(seed: number): Buffer {
  const text = Buffer.from(
    `block ${seed}: all work and no play makes jack a dull boy. `.repeat(2000),
  ).subarray(0, 65_536);
  const noise = Buffer.from(
    Uint32Array.from({ length: 16_384 }, (_, i) => Math.imul(i + seed, 2_654_435_761)).buffer,
  );
  const sparse = Buffer.alloc(65_536);
  sparse[4096 * (seed % 16)] = 1;
  return Buffer.concat([text, noise, Buffer.alloc(65_536), sparse]);
}

describe('replication', () => {
  it('keeps both nodes equal in every mode, checksum and compression', { timeout: 180_000 }, async () => {
    cluster = await Cluster.start();
    const { a, b } = cluster;
    await b.role('secondary');
    await a.role('primary');
    await a.inSync();
    const worker = await a.listed('workerpid');
    const client = await a.device();
    const expected = Buffer.alloc(client.mediaSize);
    let seed = 0;
    for (const mode of MODES) {
      for (const checksum of CHECKSUMS) {
        for (const compression of COMPRESSIONS) {
          cluster.configure(`replication ${mode} checksum ${checksum} compression ${compression}`);
          const from = a.log.length;
          process.kill(a.pid, 'SIGHUP');
          await a.logged('Configuration reloaded successfully.', from);
          const data = mixture(++seed);
          const offset = seed * 262_144 + 512;
          await Promise.all([client.write(offset, data), client.write(0, data.subarray(0, 4096))]);
          data.copy(expected, offset);
          data.copy(expected, 0, 0, 4096);
          await client.trim(offset + 65_536, 8192);
          expected.fill(0, offset + 65_536, offset + 65_536 + 8192);
          await client.writeZeroes(offset + 512, 1024, { fua: true });
          expected.fill(0, offset + 512, offset + 1536);
          await client.flush();
          expect(
            Buffer.from(await client.read(offset, data.length)).equals(
              expected.subarray(offset, offset + data.length),
            ),
          ).toBe(true);
        }
      }
    }
    await client.disconnect();
    await a.inSync();
    expect((await a.deviceBytes()).equals(expected)).toBe(true);
    expect((await b.deviceBytes()).equals(expected)).toBe(true);
    // All of it over one connection of one worker.
    expect(await a.listed('workerpid')).toBe(worker);
    expect(a.log).not.toMatch(/Disconnected|ERROR/);
    expect(await a.listed('replication')).toBe('async');
  });
});
