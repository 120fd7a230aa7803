import { describe, expect, it } from 'vitest';
import type { ResourceConfig } from '../../core/config/types.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { decodeMetadata, encodeMetadata, type Metadata } from '../../core/metadata/codec.js';
import type { DeviceHandler, DeviceRequest } from '../../core/ports/device.js';
import type { PortError } from '../../core/ports/error.js';
import { startPrimary, type ResourceWorker } from '../../core/resource/worker.js';
import { EXTENT, LOCALOFF, PEER, RESOURCE, SECTOR } from '../../properties/request/primary-bench.js';
import { ScriptedSecondary } from '../../properties/request/scripted-secondary.js';
import { simCodecs } from '../../sim/codecs.js';
import { SimMedium } from '../../sim/medium.js';
import { Lan } from '../../sim/lan.js';
import { SimMachine } from '../../sim/machine.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

const EXTENTS = 8;

/** The worker of a primary as its process sees it: a device, a parent, a peer. */
class Worker {
  readonly scheduler = new Scheduler();
  readonly lan = new Lan(this.scheduler, 1);
  readonly medium = new SimMedium(new Random(1, 'disk'), { mediaSize: LOCALOFF + EXTENTS * EXTENT });
  readonly booted = new SimMachine(this.scheduler, this.lan, this.lan.addHost('p', ['10.0.0.1']), [], 1).boot(
    'w',
  );
  readonly peer: ScriptedSecondary;
  readonly events: string[] = [];
  readonly answers = new Map<number, string>();
  exitCode: number | null = null;
  exported = 0;
  device: DeviceHandler | null = null;
  deviceClosed = false;
  recovered = false;
  worker: ResourceWorker | null = null;
  #nextId = 1;

  constructor(metadata: Partial<Metadata> = {}, bits: readonly number[] = []) {
    const other = new SimMachine(this.scheduler, this.lan, this.lan.addHost('s', ['10.0.0.2']), [], 1).boot(
      's',
    );
    this.peer = new ScriptedSecondary(other, PEER, { datasize: EXTENTS * EXTENT, extentsize: EXTENT });
    this.peer.automatic = true;
    for (const image of [this.medium.visible, this.medium.durable]) {
      image.set(encodeMetadata({ ...METADATA, ...metadata }, simCodecs));
      image.set(bits, METADATA_BYTES);
    }
  }

  start(resource: Partial<ResourceConfig> = {}, force = false): this {
    const { process, clock, network, entropy, log } = this.booted;
    const disk = this.medium.open(this.scheduler, process);
    const parent = {
      event: (event: string) => {
        this.events.push(event);
      },
      exported: () => {
        this.exported++;
      },
      exit: (code: number) => {
        this.exitCode = code;
        process.kill();
      },
    };
    const devices = {
      create: (_geometry: unknown, handler: DeviceHandler) => {
        this.device = handler;
        return {
          recovered: this.recovered,
          complete: (id: number, error: PortError | null) => {
            this.answers.set(id, error?.code ?? 'ok');
          },
          close: (done: (error: null) => void) => {
            this.deviceClosed = true;
            this.scheduler.after(0, () => {
              process.run(() => {
                done(null);
              });
            });
          },
        };
      },
    };
    const ports = {
      turns: process.turns,
      clock,
      disk,
      network,
      codecs: simCodecs,
      log,
      parent,
      entropy,
      devices,
    };
    process.run(() => {
      this.worker = startPrimary(ports, { ...RESOURCE, ...resource }, { force, maxRequestBytes: 1024 });
    });
    return this;
  }

  run(durationMs: number): this {
    this.scheduler.runFor(durationMs);
    return this;
  }

  turn(act: () => void): void {
    this.booted.process.run(act);
  }

  submit(command: DeviceRequest['command'], offset = 0): number {
    const id = this.#nextId++;
    const length = command === 'flush' ? 0 : SECTOR;
    const data = command === 'read' || command === 'write' ? new Uint8Array(length).fill(id) : null;
    this.turn(() => this.device?.submitted({ id, command, offset, length, data }));
    return id;
  }

  log(): string {
    return this.booted.log.lines.map(({ level, text }) => `${level} ${text}`).join('\n');
  }
}

const METADATA: Metadata = {
  resource: 'r0',
  datasize: EXTENTS * EXTENT,
  extentsize: EXTENT,
  keepdirty: 2,
  localoff: LOCALOFF,
  resuid: 7n,
  localcnt: 0n,
  remotecnt: 0n,
  prevrole: 'primary',
  incomplete: false,
  localBad: [],
};

describe('worker of a primary, its start', () => {
  it('offers the device, meets the peer, then serves what waited', () => {
    const worker = new Worker().start().run(8);
    expect(worker.exported).toBe(1);
    const early = worker.submit('write');
    expect(worker.answers.has(early)).toBe(false);
    worker.run(100);
    expect(worker.answers.get(early)).toBe('ok');
    expect(worker.events).toEqual(['connect']);
    expect(worker.worker?.status()).toMatchObject({
      status: 'complete',
      writes: 1,
      exported: true,
      localCopy: 'complete',
    });
  });

  it('serves at once when the peer cannot be reached', () => {
    const worker = new Worker();
    worker.peer.hello = 'close';
    worker.start().run(20);
    const id = worker.submit('write');
    worker.run(100);
    expect(worker.answers.get(id)).toBe('ok');
    expect(worker.worker?.status()).toMatchObject({ status: 'degraded', dirty: EXTENT });
  });

  it('waits 1.5 s for a peer that does not answer at all', () => {
    const worker = new Worker();
    worker.lan.cut('s', 'p');
    worker.start().run(20);
    const id = worker.submit('write');
    worker.run(1_400);
    expect(worker.answers.has(id)).toBe(false);
    worker.run(200);
    expect(worker.answers.get(id)).toBe('ok');
  });

  it('waits up to the timeout for a peer that is primary itself to step down (W41)', () => {
    const worker = new Worker({}, [2]);
    worker.peer.hello = { refusal: 'acts as primary', wait: true };
    worker.start({ timeout: 6 }).run(20);
    const id = worker.submit('write');
    worker.run(4_000);
    expect(worker.answers.has(id)).toBe(false);
    worker.peer.hello = 'accept';
    worker.run(1_500);
    expect(worker.answers.get(id)).toBe('ok');
    expect(worker.events).toEqual([
      'dual-primary',
      'dual-primary',
      'dual-primary',
      'dual-primary',
      'dual-primary',
      'connect',
      'syncstart',
      'syncdone',
    ]);
  });

  it('and then serves alone', () => {
    const worker = new Worker();
    worker.peer.hello = { refusal: 'acts as primary', wait: true };
    worker.start({ timeout: 6 }).run(20);
    const id = worker.submit('write');
    worker.run(8_000);
    expect(worker.answers.get(id)).toBe('ok');
  });

  it('serves at once without a peer address', () => {
    const worker = new Worker().start({ remoteaddr: 'none' }).run(20);
    const id = worker.submit('write');
    worker.run(20);
    expect(worker.answers.get(id)).toBe('ok');
  });

  it('M2: a virgin copy begins with zero counters, durably, and is exported', () => {
    const worker = new Worker({ resuid: 0n }).start({ remoteaddr: 'none' }).run(20);
    expect(worker.exported).toBe(1);
    const id = worker.submit('write');
    worker.run(20);
    expect(worker.answers.get(id)).toBe('ok');
  });

  it('W8: an incomplete copy has no device until its source connects', () => {
    const worker = new Worker({ incomplete: true }, [1]);
    worker.peer.hello = 'close';
    worker.start().run(5_000);
    expect(worker.exported).toBe(0);
    expect(worker.worker?.status()).toMatchObject({ localCopy: 'incomplete', exported: false });
    worker.peer.standing = { ...worker.peer.standing, localcnt: 1n, syncsrc: 'secondary' };
    worker.peer.hello = 'accept';
    worker.run(1_200);
    expect(worker.exported).toBe(1);
    expect(worker.worker?.status()).toMatchObject({ localCopy: 'complete', exported: true });
  });

  it('says whether its device is a new one or that of a worker which died', () => {
    for (const recovered of [false, true]) {
      const worker = new Worker();
      worker.recovered = recovered;
      worker.peer.hello = 'close';
      worker.start().run(50);
      expect(worker.log()).toContain(`info Device hast/r0 ${recovered ? 'recovered' : 'created'}.`);
    }
  });

  it('W8: unless it is forced; then it is declared good, loudly', () => {
    const worker = new Worker({ incomplete: true }, [1]);
    worker.peer.hello = 'close';
    worker.start({}, true).run(50);
    expect(worker.exported).toBe(1);
    expect(worker.log()).toContain(
      'warning Local copy is incomplete; it is used all the same, as forced by the operator.',
    );
  });

  it.each([
    ['read', 'Unable to read metadata'],
    ['flush', 'Unable to flush metadata'],
  ] as const)('D2: ends with 66 when the %s of its metadata fails, with a clear line', (operation, text) => {
    const worker = new Worker();
    worker.medium.inject({ operation, code: 'EIO', times: 'always' });
    worker.start().run(50);
    expect(worker.exitCode).toBe(66);
    expect(worker.log()).toContain(text);
    expect(worker.exported).toBe(0);
  });

  it('ends with 66 when a virgin’s counters cannot be stored', () => {
    const worker = new Worker({ resuid: 0n });
    worker.medium.inject({ operation: 'write', code: 'EIO', times: 'always', offset: 0, length: 512 });
    worker.start().run(50);
    expect(worker.exitCode).toBe(66);
    expect(worker.log()).toContain('cannot store metadata');
  });

  it('tells that it is starting while it is', () => {
    const worker = new Worker().start();
    expect(worker.worker?.status()).toMatchObject({ status: 'degraded', exported: true, extentsize: 0 });
  });
});

describe('worker of a primary, its end', () => {
  it('W35: finishes what is in progress, flushes both nodes, then goes', () => {
    const worker = new Worker();
    worker.start({ replication: 'async' }).run(50);
    worker.peer.automatic = false;
    const heard: string[] = [];
    worker.peer.heard = ({ command }) => heard.push(command);
    const id = worker.submit('write');
    worker.run(10);
    expect(worker.answers.get(id)).toBe('ok');
    worker.turn(() => worker.worker?.stop());
    const late = worker.submit('write');
    worker.run(500);
    expect(worker.exitCode).toBeNull();
    worker.peer.automatic = true;
    for (const request of [...worker.peer.requests]) worker.peer.execute(request);
    worker.run(50);
    expect(heard).toEqual(['write', 'flush']);
    expect([worker.exitCode, worker.deviceClosed]).toEqual([0, true]);
    expect(worker.answers.has(late)).toBe(false);
  });

  it('takes no longer than the timeout and a little, and the counters tell what the peer lacks (W4)', () => {
    const worker = new Worker();
    worker.start({ replication: 'async', timeout: 5 }).run(50);
    worker.peer.automatic = false;
    worker.submit('write');
    worker.run(10);
    worker.turn(() => {
      worker.worker?.stop();
      worker.worker?.stop();
    });
    worker.run(9_000);
    expect(worker.exitCode).toBe(0);
    const expected = { resource: 'r0', mediaSize: worker.medium.mediaSize, sectorSize: SECTOR };
    const stored = decodeMetadata(worker.medium.durable.slice(0, METADATA_BYTES), expected, simCodecs);
    expect(stored).toMatchObject({ localcnt: 1n });
  });

  it('comes at once while the component is being read', () => {
    const worker = new Worker().start();
    worker.turn(() => worker.worker?.stop());
    worker.run(50);
    expect(worker.exitCode).toBe(0);
    expect(worker.exported).toBe(0);
  });

  it('is 71 when somebody removes the device', () => {
    const worker = new Worker().start().run(50);
    worker.turn(() => worker.device?.gone({ code: 'ENXIO', message: 'detached' }));
    worker.run(50);
    expect(worker.exitCode).toBe(71);
    expect(worker.log()).toContain('error Device hast/r0 is gone: detached.');
  });
});

describe('worker of a primary, reload', () => {
  it('new values apply at once, the session stays', () => {
    const worker = new Worker().start().run(50);
    worker.turn(() => worker.worker?.reload({ ...RESOURCE, replication: 'async', metaflush: false }));
    worker.peer.automatic = false;
    const id = worker.submit('write');
    worker.run(20);
    expect(worker.answers.get(id)).toBe('ok');
    expect(worker.events).toEqual(['connect']);
  });

  it('X5: a new address costs the session; what was under way is marked', () => {
    const worker = new Worker().start().run(50);
    worker.peer.automatic = false;
    const id = worker.submit('write');
    worker.run(20);
    worker.turn(() => worker.worker?.reload({ ...RESOURCE, sourceaddr: 'tcp4://10.0.0.1' }));
    worker.run(20);
    expect(worker.answers.get(id)).toBe('ok');
    expect(worker.events.slice(0, 3)).toEqual(['connect', 'disconnect', 'connect']);
    expect(worker.worker?.status().dirty).toBe(EXTENT);
  });

  it('no address ends the session for good; before the component is read there is none', () => {
    const worker = new Worker().start();
    worker.turn(() => worker.worker?.reload({ ...RESOURCE, timeout: 9 }));
    worker.run(50);
    worker.turn(() => worker.worker?.reload({ ...RESOURCE, remoteaddr: 'none' }));
    worker.run(60_000);
    expect(worker.events).toEqual(['connect', 'disconnect']);
    expect(worker.peer.sessions).toBe(1);
  });
});
