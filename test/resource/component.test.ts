import { describe, expect, it } from 'vitest';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { encodeMetadata, type Metadata } from '../../core/metadata/codec.js';
import type { Disk } from '../../core/ports/disk.js';
import type { PortError } from '../../core/ports/error.js';
import { openComponent, type Component } from '../../core/resource/component.js';
import { simCodecs } from '../../sim/codecs.js';
import type { DiskFault } from '../../sim/disk-faults.js';
import { SimMedium } from '../../sim/medium.js';
import { SimLog } from '../../sim/log.js';
import { SimProcess } from '../../sim/process.js';
import { Random } from '../../sim/random.js';
import { Scheduler } from '../../sim/scheduler.js';

const LOCALOFF = METADATA_BYTES + 512;
const METADATA: Metadata = {
  resource: 'r0',
  datasize: 65_536,
  extentsize: 4096,
  keepdirty: 2,
  localoff: LOCALOFF,
  resuid: 7n,
  localcnt: 3n,
  remotecnt: 1n,
  prevrole: 'primary',
  incomplete: false,
  localBad: [],
};

/** A component as an earlier worker left it, and what the next one finds. */
class Opening {
  readonly scheduler = new Scheduler();
  readonly medium = new SimMedium(new Random(1, 'disk'), { mediaSize: LOCALOFF + METADATA.datasize });
  readonly process = new SimProcess('worker');
  readonly log = new SimLog();
  error: PortError | null = null;
  component: Component | null = null;

  constructor(faults: readonly DiskFault[] = []) {
    const { durable, visible } = this.medium;
    for (const image of [durable, visible]) {
      image.set(encodeMetadata(METADATA, simCodecs));
      image.set([0x05, 0x80], METADATA_BYTES);
    }
    for (const fault of faults) this.medium.inject(fault);
  }

  open(resource = 'r0'): this {
    const disk = this.medium.open(this.scheduler, this.process);
    this.process.run(() => {
      openComponent({ disk, codecs: simCodecs, log: this.log }, resource, (error, component) => {
        this.error = error;
        this.component = component;
      });
    });
    this.scheduler.runUntilIdle();
    return this;
  }
}

function untouchable(mediaSize: number): Disk {
  const refuse = (): never => {
    throw new Error('the disk is too small to be touched');
  };
  return {
    mediaSize,
    sectorSize: 512,
    read: refuse,
    write: refuse,
    writeAll: refuse,
    delete: refuse,
    flush: refuse,
    close: refuse,
  };
}

describe('opening a component', () => {
  it('finds metadata and bitmap', () => {
    const { component, error } = new Opening().open();
    expect(error).toBeNull();
    expect(component?.metadata).toEqual(METADATA);
    expect(component?.bits.slice(0, 3)).toEqual(Uint8Array.of(0x05, 0x80, 0));
    expect(component?.bits).toHaveLength(512);
    expect(component?.durableBits).toEqual(component?.bits);
  });

  it('makes durable what it has read: a power failure does not take it back', () => {
    const opening = new Opening();
    // A worker was killed after the write and before the flush.
    const disk = opening.medium.open(opening.scheduler, opening.process);
    opening.process.run(() => {
      disk.write(0, encodeMetadata({ ...METADATA, localcnt: 9n }, simCodecs), () => undefined);
      disk.write(METADATA_BYTES, new Uint8Array(512).fill(0xff), () => undefined);
    });
    opening.scheduler.runUntilIdle();
    opening.open();
    expect(opening.component?.metadata.localcnt).toBe(9n);
    const found = opening.medium.visible.slice(0, LOCALOFF);
    opening.process.losePower();
    opening.medium.losePower();
    expect(opening.medium.visible.slice(0, LOCALOFF)).toEqual(found);
  });

  it('refuses what it cannot read, by name, and leaves the disk alone (D2, D4)', () => {
    const fault = { operation: 'read', code: 'EIO', times: 'always', offset: 0, length: 512 } as const;
    const unreadable = new Opening([fault]).open();
    expect(unreadable.error).toMatchObject({ code: 'EIO' });
    expect(unreadable.error?.message).toMatch(/^Unable to read metadata: /);
    expect(unreadable.component).toBeNull();

    const foreign = new Opening().open('other');
    expect(foreign.error?.message).toContain('resource is r0');
    expect(foreign.medium.visible).toEqual(foreign.medium.durable);
  });

  it('takes every extent for dirty when the bitmap cannot be read, and relies on no bit (D5)', () => {
    const where = { offset: METADATA_BYTES, length: 512 };
    const { component, log } = new Opening([
      { operation: 'read', code: 'EIO', times: 'once', ...where },
    ]).open();
    expect(component?.bits.every((byte) => byte === 0xff)).toBe(true);
    expect(component?.durableBits.every((byte) => byte === 0)).toBe(true);
    expect(log.lines[0]?.text).toContain('every extent counts as dirty');
  });

  it('refuses what it cannot make durable, unless nothing can be', () => {
    const failing = new Opening([{ operation: 'flush', code: 'EIO', times: 'once' }]).open();
    expect(failing.error?.message).toMatch(/^Unable to flush metadata: /);
    expect(failing.component).toBeNull();
    const without = new Opening([{ operation: 'flush', code: 'EOPNOTSUPP', times: 'always' }]).open();
    expect(without.component).not.toBeNull();
  });

  it.each([0, 100, 4095])(
    'of %i bytes, less than its metadata, is refused without being read',
    (mediaSize) => {
      let answer: PortError | null = null;
      const ports = { disk: untouchable(mediaSize), codecs: simCodecs, log: { write: () => undefined } };
      openComponent(ports, 'r0', (error) => {
        answer = error;
      });
      expect(answer).toMatchObject({
        message: `Unable to read metadata: the component has only ${String(mediaSize)} bytes`,
      });
    },
  );
});
