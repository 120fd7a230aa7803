/**
 * `hastctl stop` (core/spec/cli.md section 6): TERM to the daemon that holds the pidfile, then wait until it is gone.
 * Works with every hastd, because there is no such request in the control protocol.
 */
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseAddress } from '../../core/config/address.js';
import type { Config } from '../../core/config/types.js';
import { isPortError } from '../../core/ports/error.js';
import { loadAddon } from '../../native/addon.js';
import { errorText } from '../../native/errors.js';
import { lockExclusive } from '../../native/lock.js';
import { EX_OK, EX_OSERR, EX_TEMPFAIL } from '../exit-codes.js';
import { systemText } from '../../native/text.js';
import { Failure } from '../failure.js';

/** A daemon that drains its workers may take a while. */
const PATIENCE_MS = 60_000;
/** For a process to end that has removed its socket. */
const LINGER_MS = 1_000;
const POLL_MS = 20;

export async function stop({ control, pidfile }: Config): Promise<number> {
  const pid = runningPid(pidfile);
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    throw new Failure(EX_OSERR, `Unable to stop hastd (pid ${pid}): ${errorText(error)}.`);
  }
  await untilGone(pid, control);
  return EX_OK;
}

/** The socket is the last thing that hastd removes; a process that nobody waited for looks alive for ever. */
async function untilGone(pid: number, control: string): Promise<void> {
  const address = parseAddress(control);
  const socket = !isPortError(address) && address.kind === 'unix' ? address.path : null;
  let lingersMs = 0;
  for (let waitedMs = 0; isAlive(pid) && lingersMs < LINGER_MS; waitedMs += POLL_MS) {
    if (waitedMs >= PATIENCE_MS) {
      throw new Failure(EX_TEMPFAIL, `hastd (pid ${pid}) did not stop within ${PATIENCE_MS / 1000} seconds.`);
    }
    await delay(POLL_MS);
    if (socket !== null && !existsSync(systemText(socket))) lingersMs += POLL_MS;
  }
}

/** The process that holds the pidfile. Without the lock nobody does, and the number may be somebody else's by now. */
function runningPid(pidfile: string): number {
  let text: string;
  let fd: number;
  try {
    text = readFileSync(systemText(pidfile), 'latin1');
    fd = openSync(systemText(pidfile), 'r+');
  } catch (error) {
    throw new Failure(EX_OSERR, `Unable to read pidfile ${pidfile}: ${errorText(error)}. Is hastd running?`);
  }
  const lock = lockExclusive(fd, loadAddon().addon);
  closeSync(fd);
  if (lock === null) throw new Failure(EX_OSERR, `hastd is not running: nobody holds pidfile ${pidfile}.`);
  if (!/^[1-9][0-9]{0,9}\s*$/.test(text))
    throw new Failure(EX_OSERR, `Pidfile ${pidfile} holds no process id.`);
  return Number(text);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
