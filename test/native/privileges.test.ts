/** Giving up root, each time in a process of its own (a thread may not). */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { chooseWorkerUser } from '../../native/privileges.js';

const isRoot = process.geteuid?.() === 0;
const hasUserHast = /^hast:/m.test(readFileSync('/etc/passwd', 'latin1'));
const NOBODY = Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'latin1' }));
const NOGROUP = Number(execFileSync('id', ['-g', 'nobody'], { encoding: 'latin1' }));
const modules = fileURLToPath(new URL('../../native/', import.meta.url));

/** Prints the outcome of `call`, then what the process is. */
function inProcess(call: string, ...prefix: readonly string[]): { outcome: unknown; status: string } {
  const script = [
    `const { chooseWorkerUser, dropPrivileges } = await import('${modules}privileges.js');`,
    `const { loadAddon } = await import('${modules}addon.js');`,
    `const { readFileSync } = await import('node:fs');`,
    `const outcome = ${call};`,
    `console.log(JSON.stringify({ outcome, status: readFileSync('/proc/self/status', 'latin1') }));`,
  ].join('\n');
  const [program = '', ...args] = [...prefix, process.execPath, '--input-type=module', '-e', script];
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'latin1' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { outcome: unknown; status: string };
}

const DROP = `dropPrivileges({ uid: ${NOBODY}, gid: ${NOGROUP} }, loadAddon().addon)`;

describe.skipIf(!isRoot)('the user for workers (needs: root)', () => {
  it('is the one that was asked for', () => {
    const ids = { uid: NOBODY, gid: NOGROUP };
    expect(chooseWorkerUser('nobody')).toEqual({ kind: 'other', ids });
  });

  it('is unknown when nobody is called so', () => {
    expect(chooseWorkerUser('no-such-user')).toEqual({ kind: 'unknown', name: 'no-such-user' });
    expect(chooseWorkerUser('-u')).toEqual({ kind: 'unknown', name: '-u' });
  });

  it('is root when that was asked for', () => {
    const remark = 'Privileges not dropped: workers run as root.';
    expect(chooseWorkerUser('root')).toEqual({ kind: 'same', level: 'info', remark });
  });

  it('is hast unless another one is named; a system without is warned', () => {
    const remark = 'Privileges not dropped: there is no user hast (create it, or name another with --user).';
    const without = { kind: 'same', level: 'warning', remark };
    expect(chooseWorkerUser(null)).toMatchObject(hasUserHast ? { kind: 'other' } : without);
  });

  it('is our own when we are not root', () => {
    const { outcome } = inProcess("(process.seteuid(65534), chooseWorkerUser('root'))");
    const remark = 'Privileges not dropped: not running as root.';
    expect(outcome).toEqual({ kind: 'same', level: 'info', remark });
  });
});

describe.skipIf(!isRoot || process.platform !== 'linux')(
  'a process that drops privileges (needs: root, Linux)',
  () => {
    it('has neither ids nor groups nor capabilities of before', () => {
      const { outcome, status } = inProcess(DROP);
      expect(outcome).toBeNull();
      expect(status).toMatch(new RegExp(`^Uid:${`\\t${NOBODY}`.repeat(4)}$`, 'm'));
      expect(status).toMatch(new RegExp(`^Gid:${`\\t${NOGROUP}`.repeat(4)}$`, 'm'));
      expect(status).toMatch(new RegExp(`^Groups:\\t${NOGROUP} $`, 'm'));
      for (const set of ['CapPrm', 'CapEff', 'CapAmb'])
        expect(status).toMatch(new RegExp(`^${set}:\\t0+$`, 'm'));
    });

    it('cannot take them back', () => {
      const { outcome } = inProcess(
        `[${DROP}, (() => { try { process.setuid(0); } catch (e) { return e.code; } })()]`,
      );
      expect(outcome).toEqual([null, 'EPERM']);
    });

    it('does not go on with capabilities that the system lets it keep', () => {
      const { outcome } = inProcess(DROP, 'setpriv', '--securebits', '+no_setuid_fixup');
      expect(outcome).toBe('capabilities are left');
    });

    it('does not go on when it may not become another user', () => {
      const { outcome } = inProcess(DROP, 'setpriv', '--bounding-set', '-setuid');
      expect(outcome).toBe('Operation not permitted');
    });
  },
);
