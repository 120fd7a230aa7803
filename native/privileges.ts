/**
 * Workers stop being root once they have opened what only root may open (core/spec/integration.md section 2). FreeBSD's
 * jail and Capsicum have no counterpart here, and a chroot would take the ground from under Node; what is left
 * is the user: supplementary groups, group, user, and no way back. Whom they become is decided once, by the main daemon.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Addon } from './addon.js';
import { errorText } from './errors.js';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

export type WorkerUser =
  | { readonly kind: 'other'; readonly ids: UserIds }
  /** Workers stay what the daemon is; `remark` is for its log. */
  | { readonly kind: 'same'; readonly level: 'info' | 'warning'; readonly remark: string }
  /** Nobody is called `name`, who was asked for. */
  | { readonly kind: 'unknown'; readonly name: string };

const DEFAULT_USER = 'hast';

/** The user for workers: `wanted`, or the one that is meant for them if the system has it (null). */
export function chooseWorkerUser(wanted: string | null): WorkerUser {
  if (process.geteuid?.() !== 0) {
    return { kind: 'same', level: 'info', remark: 'Privileges not dropped: not running as root.' };
  }
  const name = wanted ?? DEFAULT_USER;
  const ids = idsOf(name);
  if (ids === null) {
    if (wanted !== null) return { kind: 'unknown', name };
    const remark = `Privileges not dropped: there is no user ${name} (create it, or name another with --user).`;
    return { kind: 'same', level: 'warning', remark };
  }
  if (ids.uid === 0) {
    return { kind: 'same', level: 'info', remark: `Privileges not dropped: workers run as ${name}.` };
  }
  return { kind: 'other', ids };
}

/**
 * Makes this process another user's for good; null, or why it did not succeed: then the process must not go on. Without
 * the addon, programs it starts could still gain privileges.
 */
export function dropPrivileges({ uid, gid }: UserIds, addon: Addon | null): string | null {
  try {
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
    addon?.noNewPrivileges();
    if (!isOnly(uid, gid)) return 'ids are not what they were set to';
    return hasCapabilities() ? 'capabilities are left' : null;
  } catch (error) {
    return errorText(error);
  }
}

/** id(1) asks every source of users that the system has; null when none knows `user`. */
function idsOf(user: string): UserIds | null {
  const ask = (which: '-u' | '-g'): number =>
    Number(execFileSync('id', [which, '--', user], { stdio: ['ignore', 'pipe', 'ignore'] }));
  try {
    return { uid: ask('-u'), gid: ask('-g') };
  } catch {
    return null;
  }
}

function isOnly(uid: number, gid: number): boolean {
  const users = [process.getuid?.(), process.geteuid?.()];
  const groups = [process.getgid?.(), process.getegid?.(), ...(process.getgroups?.() ?? [])];
  return users.every((id) => id === uid) && groups.every((id) => id === gid);
}

/** Linux takes them away with the user id, unless it was told not to (capabilities(7), securebits). */
function hasCapabilities(): boolean {
  if (process.platform !== 'linux') return false;
  return /^Cap(?:Prm|Eff|Amb):\t0*[1-9a-f]/m.test(readFileSync('/proc/self/status', 'latin1'));
}
