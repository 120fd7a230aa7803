/** What a worker finds on a local component that cannot be one (core/resource/component.ts). */
import { describe, expect, it } from 'vitest';
import type { Disk } from '../../core/ports/disk.js';
import type { PortError } from '../../core/ports/error.js';
import { openComponent } from '../../core/resource/component.js';
import { nodeCodecs } from '../../native/codecs.js';

function untouchable(mediaSize: number): Disk {
  const refuse = (): never => {
    throw new Error('the disk is too small to be touched');
  };
  return {
    mediaSize,
    sectorSize: 512,
    read: refuse,
    write: refuse,
    delete: refuse,
    flush: refuse,
    close: refuse,
  };
}

describe('a local component', () => {
  it.each([0, 100, 4095])(
    'of %i bytes, less than its metadata, is refused without being read',
    (mediaSize) => {
      let answer: PortError | null = null;
      const ports = { disk: untouchable(mediaSize), codecs: nodeCodecs(), log: { write: () => undefined } };
      openComponent(ports, 'r0', (error) => {
        answer = error;
      });
      expect(answer).toMatchObject({
        message: `Unable to read metadata: the component has only ${String(mediaSize)} bytes`,
      });
    },
  );
});
