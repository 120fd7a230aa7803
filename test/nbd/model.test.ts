/** Property: the device is an array of bytes, for any clients' operations completed in any order. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Device, DeviceRequest } from '../../core/ports/device.js';
import type { NbdClient } from '../../native/nbd/client.js';
import { unreachable } from '../../core/base/assert.js';
import { Random } from '../../sim/random.js';
import { pattern } from '../contract/device.js';
import { MemoryBacking } from './backing.js';
import { MemoryWorld } from './memory-world.js';

const SECTOR = 512;
/** Each client has a part of the device for itself: what happens where parts overlap is nobody's promise. */
const PART_SECTORS = 512;
const CLIENTS = 3;

interface Operation {
  readonly client: number;
  readonly kind: 'read' | 'write' | 'writeZeroes' | 'trim' | 'flush';
  readonly sector: number;
  readonly sectors: number;
  readonly fua: boolean;
  readonly seed: number;
}

const anyOperation: fc.Arbitrary<Operation> = fc.record({
  client: fc.integer({ min: 0, max: CLIENTS - 1 }),
  kind: fc.constantFrom('read', 'write', 'writeZeroes', 'trim', 'flush'),
  sector: fc.integer({ min: 0, max: PART_SECTORS - 1 }),
  sectors: fc.integer({ min: 1, max: 200 }),
  fua: fc.boolean(),
  seed: fc.nat(),
});

/** Applies requests when they come, answers them in a random order. */
class ShufflingCore {
  device: Device | null = null;
  readonly #world: MemoryWorld;
  readonly #random: Random;
  readonly #backing: MemoryBacking;

  constructor(world: MemoryWorld, backing: MemoryBacking, seed: number) {
    this.#world = world;
    this.#backing = backing;
    this.#random = new Random(seed, 'answers');
  }

  submitted(request: DeviceRequest): void {
    const { id } = request;
    const error = this.#backing.apply(request);
    this.#world.scheduler.after(this.#random.below(20), () => {
      this.#world.run(() => this.device?.complete(id, error));
    });
  }

  gone(): void {
    return;
  }
}

async function perform(client: NbdClient, operation: Operation, model: Uint8Array): Promise<void> {
  const { kind, fua } = operation;
  const start = operation.client * PART_SECTORS + operation.sector;
  const end = Math.min(start + operation.sectors, (operation.client + 1) * PART_SECTORS);
  const [offset, length] = [start * SECTOR, (end - start) * SECTOR];
  switch (kind) {
    case 'read': {
      const expected = Buffer.from(model.subarray(offset, offset + length));
      expect(Buffer.from(await client.read(offset, length)).equals(expected)).toBe(true);
      break;
    }
    case 'write': {
      const data = pattern(length, operation.seed);
      model.set(data, offset);
      await client.write(offset, data, { fua });
      break;
    }
    case 'writeZeroes':
      model.fill(0, offset, offset + length);
      await client.writeZeroes(offset, length, { fua });
      break;
    case 'trim':
      model.fill(0, offset, offset + length);
      await client.trim(offset, length, { fua });
      break;
    case 'flush':
      await client.flush();
      break;
    default:
      unreachable(kind);
  }
}

describe('the device as clients see it', () => {
  it('is an array of bytes', async () => {
    const operations = fc.array(anyOperation, { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.boolean(), operations, async (seed, structured, script) => {
        const world = new MemoryWorld(seed);
        const mediaSize = CLIENTS * PART_SECTORS * SECTOR;
        const backing = new MemoryBacking(mediaSize);
        const model = new Uint8Array(mediaSize);
        const core = new ShufflingCore(world, backing, seed);
        world.run(() => {
          core.device = world.devices.create({ provider: 'shared0', mediaSize, sectorSize: SECTOR }, core);
        });
        const clients = await Promise.all(
          Array.from({ length: CLIENTS }, async () => world.connect({ structured })),
        );
        const performed = script.map(async (operation) => {
          const client = clients[operation.client];
          if (client !== undefined) await perform(client, operation, model);
        });
        await world.finish(Promise.all(performed));
        expect(Buffer.from(backing.bytes).equals(model)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});
