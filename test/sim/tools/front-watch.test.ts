import { describe, expect, it } from 'vitest';
import { encodeFreshMetadata, encodeMetadata } from '../../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../../core/metadata/geometry.js';
import { simCodecs } from '../../../sim/codecs.js';
import { FrontWatch } from '../../../sim/tools/front-watch.js';

const SIZES = { resource: 'r0', datasize: 131_072, extentsize: 8192, keepdirty: 2, localoff: 8192 };
const USED = {
  ...SIZES,
  resuid: 0xabcd1234n,
  localcnt: 1n,
  remotecnt: 0n,
  prevrole: 'primary' as const,
  incomplete: false,
  localBad: [],
};

function component(): Uint8Array {
  const image = new Uint8Array(SIZES.localoff + SIZES.datasize);
  image.set(encodeFreshMetadata(SIZES));
  return image;
}

describe('front watch', () => {
  it('names the fields of the metadata that changed', () => {
    const image = component();
    const watch = new FrontWatch(image, 16);
    expect(watch.changes()).toEqual([]);
    image.set(encodeMetadata(USED, simCodecs));
    expect(watch.changes()).toEqual([
      { kind: 'metadata', text: 'resuid 0 -> abcd..., localcnt 0 -> 1, prevrole init -> primary' },
    ]);
    const bad = { ...USED, incomplete: true, localBad: [{ offset: 512, length: 1024 }] };
    image.set(encodeMetadata(bad, simCodecs));
    expect(watch.changes()).toEqual([
      { kind: 'metadata', text: 'incomplete false -> true, localBad none -> 512+1024' },
    ]);
    expect(watch.changes()).toEqual([]);
  });

  it('says when the metadata cannot be read, and what they are when they can again', () => {
    const image = component();
    const watch = new FrontWatch(image, 16);
    image.fill(0, 0, 16);
    expect(watch.changes()).toEqual([{ kind: 'metadata', text: 'unreadable' }]);
    image.set(encodeMetadata(USED, simCodecs));
    expect(watch.changes()[0]?.text).toBe('resuid abcd..., localcnt 1, prevrole primary');
  });

  it('tells which extents became dirty and which clean', () => {
    const image = component();
    const watch = new FrontWatch(image, 16);
    image[METADATA_BYTES] = 0b1000_0111;
    image[METADATA_BYTES + 1] = 1;
    expect(watch.changes()).toEqual([{ kind: 'map', text: '+0..2 +7..8' }]);
    image[METADATA_BYTES] = 0b1010_0000;
    expect(watch.changes()).toEqual([{ kind: 'map', text: '+5 -0..2' }]);
  });
});
