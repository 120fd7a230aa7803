import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import sinon from 'sinon';
import { afterEach, describe, expect, it } from 'vitest';
import type { Addon } from '../../native/addon.js';
import { openSyslog } from '../../native/syslog.js';

describe('syslog', () => {
  const path = process.env['PATH'];
  afterEach(() => {
    process.env['PATH'] = path;
  });

  it('uses facility daemon and the priority of the level', () => {
    const addon = { openlog: sinon.spy(), syslog: sinon.spy() };
    const sink = openSyslog('hastd', addon as unknown as Addon);
    sink('error', '[r] (primary) Disk failed.');
    sink('debug2', 'detail');
    expect(addon.openlog.args).toEqual([['hastd', 24]]);
    expect(addon.syslog.args).toEqual([
      [24 | 3, '[r] (primary) Disk failed.'],
      [24 | 7, 'detail'],
    ]);
  });

  it('without the addon gives the lines to logger(1), byte by byte', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hast-syslog-'));
    const logger = join(folder, 'logger');
    writeFileSync(logger, `#!/bin/sh\necho "$@" > ${folder}/args.$4\ncat > ${folder}/lines.$4\n`);
    chmodSync(logger, 0o755);
    process.env['PATH'] = `${folder}${delimiter}${path ?? ''}`;
    const sink = openSyslog('hastd', null);
    sink('warning', 'caf\u00e9');
    sink('warning', 'two');
    sink('info', 'three');
    const lines = join(folder, 'lines.daemon.warning');
    while (!existsSync(lines) || readFileSync(lines).length < 9) await new Promise(setImmediate);
    expect(readFileSync(lines, 'latin1')).toBe('caf\u00e9\ntwo\n');
    expect(readFileSync(join(folder, 'args.daemon.warning'), 'latin1')).toBe(
      `-t hastd[${process.pid}] -p daemon.warning\n`,
    );
    rmSync(folder, { recursive: true, force: true });
  });

  it('does not fail when there is no logger either', async () => {
    process.env['PATH'] = '/nonexistent';
    const sink = openSyslog('hastd', null);
    for (let i = 0; i < 3; i++) {
      sink('error', 'nobody reads this');
      for (let round = 0; round < 20; round++) await new Promise(setImmediate);
    }
  });
});
