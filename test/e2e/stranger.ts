/**
 * Somebody else on the machine of a daemon: becomes user UID, having loaded everything, and runs hastctl with ARGUMENTS, or
 * opens COUNT connections to PATH and keeps them until its input ends.
 *
 *   stranger.js UID hastctl ARGUMENTS...
 *   stranger.js UID hold PATH COUNT
 */
import { connect } from 'node:net';
import { setRole } from '../../cli/hastctl/role.js';
import { hastctl } from '../../cli/hastctl/main.js';
import { status } from '../../cli/hastctl/status.js';

// What hastctl loads when it needs it may not be readable any more by then.
const LOADED = [setRole, status];

function become(uid: number): void {
  process.setgroups?.([]);
  process.setegid?.(uid);
  process.seteuid?.(uid);
}

function hold(path: string, count: number): void {
  let settled = 0;
  const settle = (): void => {
    if (++settled === count) process.stdout.write('connected\n');
  };
  // The backlog is short: some are turned away by the system.
  for (let i = 0; i < count; i++) connect(path).once('connect', settle).once('error', settle);
  process.stdin.on('end', () => process.exit()).resume();
}

const [uid, what, ...args] = process.argv.slice(2);
if (LOADED.length > 0) become(Number(uid));
if (what === 'hastctl') process.exitCode = await hastctl(args, process);
else hold(args[0] ?? '', Number(args[1]));
