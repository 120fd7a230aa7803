import { describe, expect, it } from 'vitest';
import type { LogLevel } from '../../core/ports/log.js';
import { prefixedLog, ProcessLog, resourcePrefix } from '../../native/log.js';

function recordingLog(debugLevel: number): { log: ProcessLog; lines: [LogLevel, string][] } {
  const lines: [LogLevel, string][] = [];
  return { log: new ProcessLog(debugLevel, (level, line) => lines.push([level, line])), lines };
}

describe('log', () => {
  it.each([
    [0, ['info']],
    [1, ['info', 'debug1']],
    [2, ['info', 'debug1', 'debug2']],
  ])('shows debug messages up to level %d', (debugLevel, shown) => {
    const { log, lines } = recordingLog(debugLevel);
    for (const level of ['info', 'debug1', 'debug2'] as const) log.write(level, 'Text.');
    expect(lines.map(([level]) => level)).toEqual(shown);
  });

  it('tells beforehand what it would show, behind a prefix too', () => {
    const { log } = recordingLog(1);
    for (const each of [log, prefixedLog(log, '[shared] ')]) {
      expect((['info', 'debug1', 'debug2'] as const).map((level) => each.wants?.(level))).toEqual([
        true,
        true,
        false,
      ]);
    }
    expect(prefixedLog({ write: () => undefined }, '').wants?.('debug2')).toBe(true);
  });

  it('puts name and role in front of what concerns one resource', () => {
    const { log, lines } = recordingLog(0);
    prefixedLog(log, resourcePrefix('shared', 'primary')).write(
      'warning',
      'Disconnected from tcp4://10.0.0.2.',
    );
    expect(lines).toEqual([['warning', '[shared] (primary) Disconnected from tcp4://10.0.0.2.']]);
  });

  it('cuts the prefix at 127 bytes and the line at 1023', () => {
    const { log, lines } = recordingLog(0);
    prefixedLog(log, resourcePrefix('n'.repeat(254), 'secondary')).write('info', 'x'.repeat(2000));
    expect(lines[0]?.[1]).toBe(`[${'n'.repeat(126)}${'x'.repeat(896)}`);
  });

  it('keeps a message on one line and terminals safe, whatever a peer put into it', () => {
    const { log, lines } = recordingLog(0);
    log.write('error', 'a\n[INFO] forged\x1b[2J\tend');
    expect(lines).toEqual([['error', 'a [INFO] forged [2J\tend']]);
  });

  it('goes somewhere else once redirected', () => {
    const { log, lines } = recordingLog(0);
    const syslog: string[] = [];
    log.redirect((_, line) => syslog.push(line));
    log.write('info', 'Started.');
    expect([lines, syslog]).toEqual([[], ['Started.']]);
  });
});
