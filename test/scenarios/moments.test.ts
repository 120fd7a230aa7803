/**
 * Chains of core/spec/faults.md that are one history with something happening at every possible moment of it: the connection breaks after
 * each byte, a node dies after each millisecond.
 */
import { describe, expect, it } from 'vitest';
import { annotateScript } from '../../sim/script/annotate.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import { runScript } from '../../sim/world/run.js';

/** What is wrong with the first of the scripts that fails. */
function firstFailure(texts: Iterable<string>): string {
  for (const text of texts) {
    const script = parseScript(text);
    if (isScriptError(script)) return script.message;
    const { violations } = runScript(script);
    if (violations.length > 0) return annotateScript(script, violations);
  }
  return '';
}

function* range(from: number, to: number, step: number): Iterable<number> {
  for (let value = from; value <= to; value += step) yield value;
}

function* each<T>(values: Iterable<T>, text: (value: T) => string): Iterable<string> {
  for (const value of values) yield text(value);
}

const MODES = ['fullsync', 'memsync', 'async'];

describe('chain 6 (N11, N12, W22, I23): the connection breaks after any number of bytes', () => {
  /** Longer than the message of the write, of its data, and of what answers. */
  const MESSAGE_BYTES = 1600;

  it.each(MODES)('of a WRITE, %s', (mode) => {
    const cuts = each(
      range(0, MESSAGE_BYTES, 16),
      (bytes) => `setup replication=${mode} checksum=crc32
        pair
        fill
        until in-sync
        reset a->b after ${String(bytes)} bytes
        write 64+2 = x
        until idle
        mend
        until in-sync
        expect block 64 = x
        expect block 65 = x
        expect equal`,
    );
    expect(firstFailure(cuts)).toBe('');
  });

  it.each(['a->b', 'b->a'])('of a handshake and what follows, %s', (way) => {
    const cuts = each(
      range(0, 3000, 50),
      (bytes) => `setup timeout=5
        pair
        crash b
        until not connected
        write 0+40 = x
        until idle
        ${bytes % 100 === 0 ? 'cut' : 'reset'} ${way} after ${String(bytes)} bytes
        start b
        role b secondary
        wait 40s
        mend
        until in-sync
        expect block 39 on b = x
        expect equal`,
    );
    expect(firstFailure(cuts)).toBe('');
  });

  it('of the first handshake, when the secondary takes over the resource id (W6, I17)', () => {
    const cuts = each(
      range(0, 900, 20),
      (bytes) => `role a primary
        until device on a
        write 0+256 = x
        until idle
        reset b->a after ${String(bytes)} bytes
        role b secondary
        wait 25s
        mend
        until in-sync
        expect block 255 on b = x
        expect equal`,
    );
    expect(firstFailure(cuts)).toBe('');
  });
});

describe('chain 7 (I9, I14): a synchronisation is interrupted after any chunk', () => {
  /** Eight chunks of 4096 bytes, and what goes with them. */
  const setup = 'setup extents=4 extent-bytes=8192';
  const cuts = range(0, 40_000, 1000);

  it('from the primary', () => {
    const scripts = each(
      cuts,
      (bytes) => `${setup}
        pair
        crash b
        until not connected
        fill
        write 60 = x
        until idle
        start b
        role b secondary
        until connected
        reset a->b after ${String(bytes)} bytes
        until in-sync
        mend
        expect block 60 on b = x
        expect counts a(0,0)
        expect counts b(0,0)
        expect equal`,
    );
    expect(firstFailure(scripts)).toBe('');
  });

  it('from the secondary', () => {
    const scripts = each(
      cuts,
      (bytes) => `${setup}
        pair
        crash a
        until no worker on b
        role b primary
        until device on b
        fill
        write 60 = x
        until idle
        role b secondary
        until role b secondary
        start a
        role a primary
        until connected
        reset b->a after ${String(bytes)} bytes
        until in-sync
        mend
        expect block 60 on a = x
        expect counts a(0,1)
        expect counts b(1,0)
        expect equal`,
    );
    expect(firstFailure(scripts)).toBe('');
  });
});

describe.each(MODES)('C1 to C13: a node dies at any moment of a write, %s', (mode) => {
  const moments = [...range(0, 12, 0.5)].map((ms) => `${String(ms * 1000)}us`);
  const before = `setup replication=${mode} keepdirty=1
    pair
    write 64+16 = old
    until idle
    flush
    until in-sync
    write 64+16 = new`;

  it.each(['crash', 'power off'])('the primary: %s, and comes back as primary', (death) => {
    const scripts = each(
      moments,
      (moment) => `${before}
        +${moment} ${death} a
        until no worker on b
        power on a
        start a
        role a primary
        until in-sync
        expect equal`,
    );
    expect(firstFailure(scripts)).toBe('');
  });

  it.each(['crash', 'power off'])('the primary: %s, the secondary takes over', (death) => {
    const scripts = each(
      moments,
      (moment) => `${before}
        +${moment} ${death} a
        until no worker on b
        role b primary
        until device on b
        read 64+16
        until idle
        power on a
        start a
        role a secondary
        until in-sync
        expect equal`,
    );
    expect(firstFailure(scripts)).toBe('');
  });

  it.each(['crash', 'power off'])('the secondary: %s', (death) => {
    const scripts = each(
      moments,
      (moment) => `${before}
        +${moment} ${death} b
        until idle
        wait 30s
        power on b
        start b
        role b secondary
        until in-sync
        expect block 79 = new
        expect equal`,
    );
    expect(firstFailure(scripts)).toBe('');
  });
});

it('chain 8 (I4): memsync under load, the primary dies at any moment: everything acknowledged is on the secondary', () => {
  const scripts = each(
    range(1, 30, 1),
    (ms) => `setup replication=memsync seed=${String(ms)}
      pair
      load 100 requests within ${String(ms)}ms
      ${ms % 2 === 0 ? 'crash' : 'power off'} a
      until no worker on b
      role b primary
      until device on b
      read 0+256
      until idle
      power on a
      start a
      role a secondary
      until in-sync
      expect equal`,
  );
  expect(firstFailure(scripts)).toBe('');
});
