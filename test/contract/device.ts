/**
 * The contract of core/ports/device.ts, for every kind of device: one suite, run on each with real clients.
 * The suite plays the core: it receives requests, answers them when and in what order it likes, and looks at what the
 * clients get.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type {
  Device,
  DeviceCommand,
  DeviceHandler,
  DeviceRequest,
  Devices,
} from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import { assert } from '../../core/base/assert.js';
import { portError } from '../../core/ports/error.js';

/** What the device and the system in front of it may do differently from others. */
export interface DeviceTraits {
  /** Clients can ask for a DELETE. */
  readonly deletes: boolean;
  /** Requests reach the core as the client made them, up to this many bytes; longer ones come in pieces. */
  readonly wholeRequestBytes: number;
  /** The code a client gets for an error of the core. */
  readonly codeOf: (code: string) => string;
  /** The code a client gets for requests that its device no longer answers. */
  readonly removedCodes: readonly string[];
}

/** A client of the device; promises reject with an error that has a `code`. */
interface DeviceClient {
  read(offset: number, length: number): Promise<Uint8Array>;
  write(offset: number, data: Uint8Array): Promise<void>;
  delete(offset: number, length: number): Promise<void>;
  flush(): Promise<void>;
  /** Goes away without a word, as a killed process does. */
  die(): void;
}

export interface DeviceSetup {
  readonly devices: Devices;
  /** A new client of the created device. */
  connect(): Promise<DeviceClient>;
  /** Runs `callback` as one turn, as adapters call the core. */
  run(callback: () => void): void;
  /** Lets things happen until the promise is settled. */
  finish<T>(promise: Promise<T>): Promise<T>;
  /** Lets things happen until `condition` holds. */
  until(condition: () => boolean): Promise<void>;
  /** Lets everything happen that is under way. */
  settle(): Promise<void>;
  teardown(): Promise<void>;
}

const GEOMETRY = { provider: 'shared0', mediaSize: 8 << 20, sectorSize: 512 };

/** Plays the core: requests wait here for the test's decision. */
export class PlayedCore implements DeviceHandler {
  readonly pending: DeviceRequest[] = [];
  readonly commands: DeviceCommand[] = [];
  goneWith: PortError | null = null;
  /** Answers at once with what this returns; undefined: the request waits. */
  answerAtOnce: (request: DeviceRequest) => PortError | null | undefined = () => undefined;
  readonly #run: (callback: () => void) => void;
  device: Device | null = null;
  isCompleting = false;

  constructor(run: (callback: () => void) => void) {
    this.#run = run;
  }

  submitted(request: DeviceRequest): void {
    expect(this.isCompleting, 'submitted inside complete or close').toBe(false);
    expect(this.pending.map((other) => other.id)).not.toContain(request.id);
    this.commands.push(request.command);
    const answer = this.answerAtOnce(request);
    if (answer === undefined) this.pending.push(request);
    else this.#complete(request.id, answer);
  }

  gone(error: PortError): void {
    this.goneWith = error;
  }

  complete(request: DeviceRequest | undefined, error: PortError | null = null): void {
    assert(request !== undefined, 'there is such a request');
    this.pending.splice(this.pending.indexOf(request), 1);
    this.#run(() => {
      this.isCompleting = true;
      this.#complete(request.id, error);
      this.isCompleting = false;
    });
  }

  #complete(id: number, error: PortError | null): void {
    assert(this.device !== null, 'the device was created');
    this.device.complete(id, error);
  }
}

/** `length` bytes that differ from place to place and seed to seed. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let value = seed * 2654435761 + 12345;
  for (let i = 0; i < length; i++) {
    value = (Math.imul(value, 1103515245) + 12345) >>> 0;
    bytes[i] = value >>> 24;
  }
  return bytes;
}

/** The code with which `promise` rejects; 'ok' when it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'ok',
    (error: unknown) => (error instanceof Error && 'code' in error ? String(error.code) : String(error)),
  );
}

export function deviceContract(name: string, traits: DeviceTraits, setup: () => Promise<DeviceSetup>): void {
  describe(`device contract: ${name}`, () => {
    let world: DeviceSetup;
    let core: PlayedCore;
    let device: Device;
    let client: DeviceClient;

    beforeEach(async () => {
      world = await setup();
      core = new PlayedCore((callback) => {
        world.run(callback);
      });
      world.run(() => {
        device = world.devices.create(GEOMETRY, core);
        core.device = device;
      });
      client = await world.connect();
    });

    afterEach(async () => {
      await world.teardown();
    });

    async function arrive(count: number): Promise<void> {
      await world.until(() => core.pending.length >= count);
      expect(core.pending).toHaveLength(count);
    }

    function close(): { isDone: boolean } {
      const closing = { isDone: false };
      world.run(() => {
        core.isCompleting = true;
        device.close((error) => {
          expect(error).toBeNull();
          closing.isDone = true;
        });
        expect(closing.isDone, 'done inside close').toBe(false);
        core.isCompleting = false;
      });
      return closing;
    }

    it('brings a write to the core and answers it when the core has', async () => {
      const data = pattern(4096, 1);
      let isAnswered = false;
      const written = client.write(8192, data).then(() => {
        isAnswered = true;
      });
      await arrive(1);
      const [request] = core.pending;
      expect(request).toMatchObject({ command: 'write', offset: 8192, length: 4096 });
      expect(Buffer.from(request?.data ?? []).equals(data)).toBe(true);
      await world.settle();
      expect(isAnswered).toBe(false);
      core.complete(request);
      await world.finish(written);
    });

    it('gives a read what the core put into its buffer', async () => {
      const data = pattern(1024, 2);
      const read = client.read(512, 1024);
      await arrive(1);
      const [request] = core.pending;
      expect(request).toMatchObject({ command: 'read', offset: 512, length: 1024 });
      expect(request?.data).toHaveLength(1024);
      request?.data?.set(data);
      core.complete(request);
      expect(Buffer.from(await world.finish(read)).equals(data)).toBe(true);
    });

    it('brings FLUSH without a range', async () => {
      const flushed = client.flush();
      await arrive(1);
      expect(core.pending[0]).toMatchObject({ command: 'flush', offset: 0, length: 0, data: null });
      core.complete(core.pending[0]);
      await world.finish(flushed);
    });

    it.runIf(traits.deletes)('brings DELETE with its range', async () => {
      const deleted = client.delete(1 << 20, 2 << 20);
      await arrive(1);
      expect(core.pending[0]).toMatchObject({
        command: 'delete',
        offset: 1 << 20,
        length: 2 << 20,
        data: null,
      });
      core.complete(core.pending[0]);
      await world.finish(deleted);
    });

    it('keeps many requests apart, completed in any order', async () => {
      const count = 64;
      const reads = Array.from({ length: count }, (_, i) => client.read(i * 512, 512));
      await arrive(count);
      expect(new Set(core.pending.map((request) => request.id)).size).toBe(count);
      for (const request of [...core.pending].reverse()) {
        request.data?.set(pattern(512, request.offset));
        core.complete(request);
      }
      for (const [i, read] of reads.entries()) {
        expect(Buffer.from(await world.finish(read)).equals(pattern(512, i * 512))).toBe(true);
      }
    });

    it('lends the data of a write until it is completed, whatever else goes on', async () => {
      const held = client.write(0, pattern(8192, 3));
      await arrive(1);
      const request = core.pending[0];
      core.answerAtOnce = (other) => {
        if (other.command === 'read') other.data?.fill(7);
        return null;
      };
      for (let round = 0; round < 20; round++) {
        await world.finish(client.write(16384, pattern(8192, round)));
        await world.finish(client.read(32768, 8192));
      }
      expect(Buffer.from(request?.data ?? []).equals(pattern(8192, 3))).toBe(true);
      core.complete(request);
      await world.finish(held);
    });

    it('may be answered inside `submitted`', async () => {
      core.answerAtOnce = (request) => (request.command === 'read' ? portError('EIO', 'no disk') : null);
      await world.finish(client.write(0, pattern(512, 4)));
      expect(await world.finish(codeOf(client.read(0, 512)))).toBe(traits.codeOf('EIO'));
      expect(core.pending).toHaveLength(0);
    });

    it.each(['EIO', 'ENOSPC', 'EINVAL', 'EOPNOTSUPP', 'ENOTCONN'])(
      'tells the client about %s',
      async (code) => {
        core.answerAtOnce = () => portError(code, `the test says ${code}`);
        expect(await world.finish(codeOf(client.read(0, 512)))).toBe(traits.codeOf(code));
        expect(await world.finish(codeOf(client.write(0, pattern(512, 5))))).toBe(traits.codeOf(code));
        core.answerAtOnce = () => null;
        await world.finish(client.write(0, pattern(512, 6)));
      },
    );

    it('serves the last sector, and nothing beyond or between sectors', async () => {
      const last = GEOMETRY.mediaSize - 512;
      core.answerAtOnce = () => null;
      await world.finish(client.write(last, pattern(512, 7)));
      await world.finish(client.read(last, 512));
      const served = core.commands.length;
      const refused = [
        client.read(last, 1024),
        client.write(last, pattern(1024, 8)),
        client.read(GEOMETRY.mediaSize, 512),
        client.read(2 ** 40, 512),
        client.read(1, 512),
        client.read(0, 100),
        client.write(511, pattern(512, 9)),
        client.write(0, pattern(513, 10)),
      ].map(codeOf);
      for (const code of refused) expect(await world.finish(code)).toMatch(/^(EINVAL|ENOSPC|EIO)$/);
      expect(core.commands).toHaveLength(served);
      await world.finish(client.read(0, 512));
    });

    it('brings a long request completely', async () => {
      const data = pattern(4 << 20, 11);
      const target = new Uint8Array(data.length);
      core.answerAtOnce = (request) => {
        expect(request.length).toBeLessThanOrEqual(traits.wholeRequestBytes);
        if (request.command === 'write') target.set(request.data ?? [], request.offset - 4096);
        if (request.command === 'read')
          request.data?.set(target.subarray(request.offset - 4096).subarray(0, request.length));
        return null;
      };
      await world.finish(client.write(4096, data));
      expect(Buffer.from(target).equals(data)).toBe(true);
      expect(Buffer.from(await world.finish(client.read(4096, data.length))).equals(data)).toBe(true);
      if (data.length <= traits.wholeRequestBytes) expect(core.commands).toEqual(['write', 'read']);
    });

    it('lets the requests of a dead client complete into nothing, others are served', async () => {
      const other = await world.connect();
      const orphans = [client.read(0, 4096), client.write(4096, pattern(4096, 12)), client.flush()].map(
        codeOf,
      );
      await arrive(3);
      client.die();
      for (const orphan of orphans) expect(await world.finish(orphan)).not.toBe('ok');
      const served = other.write(0, pattern(512, 13));
      await arrive(4);
      for (const request of [...core.pending]) core.complete(request);
      await world.finish(served);
      core.answerAtOnce = () => null;
      await world.finish(other.read(0, 512));
    });

    it('fails what is outstanding when it is closed, and submits nothing afterwards', async () => {
      const other = await world.connect();
      const outstanding = [client.read(0, 512), client.write(512, pattern(512, 14)), other.flush()].map(
        codeOf,
      );
      await arrive(3);
      const closing = close();
      for (const promise of outstanding) expect(traits.removedCodes).toContain(await world.finish(promise));
      await world.until(() => closing.isDone);
      const late = codeOf(client.read(0, 512));
      expect(await world.finish(late)).not.toBe('ok');
      // The core's own work on these ends some time later.
      for (const request of [...core.pending]) core.complete(request);
      await world.settle();
      expect(core.commands).toHaveLength(3);
      expect(core.goneWith).toBeNull();
    });

    it('can be closed with nothing outstanding', async () => {
      core.answerAtOnce = () => null;
      await world.finish(client.flush());
      const closing = close();
      await world.until(() => closing.isDone);
    });

    it('can be created again after it was closed', async () => {
      const closing = close();
      await world.until(() => closing.isDone);
      world.run(() => {
        device = world.devices.create(GEOMETRY, core);
        core.device = device;
      });
      core.answerAtOnce = () => null;
      const again = await world.connect();
      await world.finish(again.flush());
    });
  });
}
