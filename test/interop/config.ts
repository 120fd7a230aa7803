/** Interop kind `config`: hast.conf files that the reference accepts or refuses, and what they mean. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isConfigError } from '../../core/config/config-error.js';
import type { ConfigError } from '../../core/config/config-error.js';
import { systemDefaults } from '../../core/config/defaults.js';
import { parseConfig } from '../../core/config/parser.js';
import type { Config } from '../../core/config/types.js';
import { filesUnder, readJson } from './files.js';
import type { Kind } from './kind.js';
import type { Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

interface Recording {
  readonly hostname: string;
  readonly hostuuid: string;
  readonly hostid: number;
  readonly verdict: 'accept' | 'reject';
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly effective?: unknown;
}

export const config: Kind = {
  name: 'config',

  run(folder: string, report: Report): void {
    for (const file of recordings(folder)) replay(folder, file, report);
  },

  significant(folder: string): Significant[] {
    const deciding = /^(verdict|exit|stdout|stderr|effective\..*)$/;
    return recordings(folder).flatMap((file) => leavesOf(folder, file, deciding));
  },
};

function recordings(folder: string): string[] {
  return [...filesUnder(folder, 'config/accept', '.json'), ...filesUnder(folder, 'config/reject', '.json')];
}

function replay(folder: string, file: string, report: Report): void {
  const test = report.case(file.replace(/^config\/(.*)\.json$/, '$1'));
  const recorded = readJson<Recording>(folder, file);
  const text = readFileSync(join(folder, file.replace(/json$/, 'conf')), 'latin1');
  const { hostname, hostuuid, hostid } = recorded;
  const identity = { kind: 'host' as const, hostname, hostuuid, hostid };
  const ours = parseConfig(text, identity, systemDefaults('/var/run', { ipv4: true, ipv6: true }));
  const { verdict, exit, stderr } = recorded;
  // A comment without a newline is all that makes the reference echo this character.
  test.same(
    recorded.stdout.includes('#') ? 'comment at the end' : 'outcome',
    { verdict, exit, stderr },
    outcome(ours),
  );
  // The parser has no way to print anything.
  test.same('stdout', recorded.stdout, '');
  if (recorded.effective !== undefined)
    test.same('effective', recorded.effective, isConfigError(ours) ? null : effective(ours));
}

function outcome(ours: Config | ConfigError): Pick<Recording, 'verdict' | 'exit' | 'stderr'> {
  return isConfigError(ours)
    ? { verdict: 'reject', exit: ours.exitCode, stderr: `[ERROR] ${ours.text}\n` }
    : { verdict: 'accept', exit: 0, stderr: '' };
}

/** In the recording's terms; what is ours is not in it. */
function effective({ resources, ...global }: Config): unknown {
  return {
    ...global,
    resources: resources.map(({ localpath, remoteaddr, sourceaddr, syncrate: _, ...same }) => ({
      ...same,
      local: localpath,
      remote: remoteaddr,
      source: sourceaddr,
    })),
  };
}
