import { describe, expect, it } from 'vitest';
import {
  decodeControlRequest,
  encodeControlRequest,
  type ControlRequest,
} from '../../core/control/requests.js';
import { encodeFrame } from '../../core/wire/frame.js';
import { nv, type NvPair } from '../../core/wire/nv.js';
import { hex } from '../wire/hex.js';
import { listOf } from '../wire/list-of.js';

const read = (...pairs: NvPair[]): unknown => decodeControlRequest(listOf(pairs));

describe('control requests', () => {
  it('are the derived examples of the specification', () => {
    expect(encodeFrame(2, encodeControlRequest({ kind: 'status', names: 'all' }))).toEqual(
      hex(`02 34000000
           02 04 01000000 | 636d640000000000 | 0200000000000000
           11 0a 04000000 | 7265736f757263653000000000000000 | 616c6c0000000000`),
    );
    const setrole: ControlRequest = { kind: 'setrole', role: 'primary', force: false, names: ['r0'] };
    expect(encodeFrame(2, encodeControlRequest(setrole))).toEqual(
      hex(`02 4a000000
           02 04 01000000 | 636d640000000000 | 0100000000000000
           02 05 01000000 | 726f6c6500000000 | 0200000000000000
           11 0a 03000000 | 7265736f757263653000000000000000 | 7230000000000000`),
    );
  });

  const REQUESTS: ControlRequest[] = [
    { kind: 'status', names: 'all' },
    { kind: 'status', names: Array.from({ length: 12 }, (_, i) => `r${i}`) },
    { kind: 'setrole', role: 'init', force: false, names: 'all' },
    { kind: 'setrole', role: 'secondary', force: false, names: ['one', 'all'] },
    { kind: 'setrole', role: 'primary', force: true, names: ['one'] },
  ];
  it.each(REQUESTS)('come back as they were sent: %j', (request) => {
    expect(read(...encodeControlRequest(request))).toEqual(request);
  });

  const cmd = nv.uint8('cmd', 2);
  const first = nv.string('resource0', 'r0');

  it('end their names with the first missing index', () => {
    expect(read(cmd, first, nv.string('resource2', 'r2'))).toMatchObject({ names: ['r0'] });
    expect(read(cmd, first, nv.uint8('resource1', 1), nv.string('resource2', 'r2'))).toMatchObject({
      names: ['r0'],
    });
  });

  it('mean every resource with all in first place, and a resource of that name elsewhere', () => {
    expect(read(cmd, nv.string('resource0', 'all'), nv.string('resource1', 'r1'))).toMatchObject({
      names: 'all',
    });
    expect(read(cmd, first, nv.string('resource1', 'all'))).toMatchObject({ names: ['r0', 'all'] });
  });

  it('do not depend on the order of fields', () => {
    expect(read(first, nv.uint8('role', 3), nv.uint8('cmd', 1))).toMatchObject({
      kind: 'setrole',
      role: 'secondary',
    });
  });

  it('get no answer without a command', () => {
    for (const command of [[], [nv.uint8('cmd', 0)], [nv.uint32('cmd', 2)]])
      expect(read(...command, first)).toMatchObject({ code: 'EINVAL' });
  });

  it('are invalid, in this order, without a name, with another role, with an unknown command', () => {
    expect(read(nv.uint8('cmd', 9))).toEqual({ kind: 'invalid', error: 2 });
    expect(read(cmd)).toEqual({ kind: 'invalid', error: 2 });
    expect(read(nv.uint8('cmd', 1), first)).toEqual({ kind: 'invalid', error: 2 });
    expect(read(nv.uint8('cmd', 1), first, nv.uint8('role', 4))).toEqual({ kind: 'invalid', error: 2 });
    expect(read(nv.uint8('cmd', 1), first, nv.uint8('role', 0))).toEqual({ kind: 'invalid', error: 2 });
    expect(read(nv.uint8('cmd', 3), first)).toEqual({ kind: 'invalid', error: 4 });
  });
});
