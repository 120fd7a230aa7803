import { describe, expect, it } from 'vitest';
import { Access, canonicalIp, ipOf } from '../../core/daemon/access.js';
import { portError, type PortError } from '../../core/ports/error.js';
import type { Network } from '../../core/ports/network.js';

type Answer = (error: PortError | null, addresses: readonly string[]) => void;

/** A resolver that answers when it is told to. */
function withResolver(): {
  access: Access;
  asked: { name: string; answer: Answer }[];
  clock: { nowMs: number };
} {
  const asked: { name: string; answer: Answer }[] = [];
  const clock = { nowMs: 0 };
  const network = {
    resolve: (name: string, answer: Answer) => asked.push({ name, answer }),
  } as unknown as Network;
  const access = new Access({ now: () => clock.nowMs, after: () => ({ cancel: () => undefined }) }, network);
  return { access, asked, clock };
}

describe('the resolver', () => {
  it('is asked once for those who wait, and again after a while', () => {
    const { access, asked, clock } = withResolver();
    const results: boolean[] = [];
    const ask = (ip: string): void => {
      access.matches('hostb', ip, (yes) => results.push(yes));
    };
    ask('10.0.0.2');
    ask('10.0.0.3');
    expect(asked).toHaveLength(1);
    asked[0]?.answer(null, ['10.0.0.1', '10.0.0.2']);
    expect(results).toEqual([true, false]);
    ask('10.0.0.1');
    expect(results).toEqual([true, false, true]);
    clock.nowMs = 10_000;
    ask('10.0.0.1');
    expect(asked).toHaveLength(2);
  });

  it('that fails leaves what it said before, and is asked again soon', () => {
    const { access, asked, clock } = withResolver();
    const results: boolean[] = [];
    const ask = (): void => {
      access.matches('hostb', '10.0.0.2', (yes) => results.push(yes));
    };
    ask();
    asked[0]?.answer(portError('EAI_AGAIN', 'no'), []);
    clock.nowMs = 1_000;
    ask();
    asked[1]?.answer(null, ['10.0.0.2']);
    clock.nowMs = 11_000;
    ask();
    asked[2]?.answer(portError('EAI_AGAIN', 'no'), []);
    expect(results).toEqual([false, true, true]);
  });

  it('that hangs for one name holds up only those who need it', () => {
    const { access, asked } = withResolver();
    const results: string[] = [];
    access.matchesAny(['slow', 'fast', 'none'], '10.0.0.2', (yes) => results.push(`known ${yes}`));
    asked[1]?.answer(null, ['10.0.0.2']);
    expect(results).toEqual(['known true']);
    access.matchesAny(['slow', 'fast'], '10.0.0.3', (yes) => results.push(`stranger ${yes}`));
    expect(results).toHaveLength(1);
    asked[0]?.answer(null, ['10.0.0.9']);
    expect(results).toEqual(['known true', 'stranger false']);
  });

  it('is not asked for nobody', () => {
    const { access, asked } = withResolver();
    const results: boolean[] = [];
    access.matches('none', '10.0.0.2', (yes) => results.push(yes));
    access.matches('hostb', null, (yes) => results.push(yes));
    access.matchesAny([], '10.0.0.2', (yes) => results.push(yes));
    expect(results).toEqual([false, false, false]);
    expect(asked).toHaveLength(0);
  });
});

describe('IP addresses', () => {
  it.each([
    ['10.0.0.2', '10.0.0.2'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['::', '0:0:0:0:0:0:0:0'],
    ['2001:DB8::00ff:1', '2001:db8:0:0:0:0:ff:1'],
    ['fe80::1%em0', 'fe80:0:0:0:0:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['::ffff:10.0.0.2', '0:0:0:0:0:ffff:a00:2'],
    ['1:2:3:4:5:6:7', null],
    ['1:2:3:4:5:6:7:8:9', null],
    ['1::2::3', null],
    ['1:2:3:4:5:6:7::8', null],
    ['10.0.0.256', null],
    ['hostb', null],
    ['', null],
  ])('have one spelling: %s', (text, canonical) => {
    expect(canonicalIp(text)).toBe(canonical);
  });

  it.each([
    ['tcp://10.0.0.2:1234', '10.0.0.2'],
    ['tcp://[fe80::1]:1234', 'fe80:0:0:0:0:0:0:1'],
    ['uds:///tmp/10.0.0.2:1', null],
    ['N/A', null],
  ])('are found in the address of a socket: %s', (address, ip) => {
    expect(ipOf(address)).toBe(ip);
  });
});
