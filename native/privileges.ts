/**
 * Workers stop being root once they have opened what only root may open (core/spec/integration.md section 2). FreeBSD's
 * jail and Capsicum have no counterpart here, and a chroot would take the ground from under Node; what is left
 * is the user: supplementary groups, group, user, and no way back.
 */
import { execFileSync } from 'node:child_process';
import type { Addon } from './addon.js';
import { errorText } from './errors.js';

export type Privileges =
  | { readonly kind: 'dropped' }
  /** Nothing to drop, or nobody to become: the worker goes on as it is. */
  | { readonly kind: 'kept'; readonly reason: string }
  /** Half dropped, or not at all although it should have been possible: the worker must not go on. */
  | { readonly kind: 'failed'; readonly reason: string };

/** Makes this process `user`'s for good. Without the addon, programs it starts could still gain privileges. */
export function dropPrivileges(user: string, addon: Addon | null): Privileges {
  if (process.geteuid?.() !== 0) return { kind: 'kept', reason: 'not running as root' };
  const uid = idOf('-u', user);
  const gid = idOf('-g', user);
  if (uid === null || gid === null) return { kind: 'kept', reason: `there is no user ${user}` };
  try {
    process.setgroups?.([gid]);
    process.setgid?.(gid);
    process.setuid?.(uid);
    addon?.noNewPrivileges();
  } catch (error) {
    return { kind: 'failed', reason: errorText(error) };
  }
  return isOnly(uid, gid)
    ? { kind: 'dropped' }
    : { kind: 'failed', reason: 'ids are not what they were set to' };
}

/** id(1) asks every source of users that the system has; null when none knows `user`. */
function idOf(which: '-u' | '-g', user: string): number | null {
  try {
    return Number(execFileSync('id', [which, '--', user], { stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    return null;
  }
}

function isOnly(uid: number, gid: number): boolean {
  const users = [process.getuid?.(), process.geteuid?.()];
  const groups = [process.getgid?.(), process.getegid?.(), ...(process.getgroups?.() ?? [])];
  return users.every((id) => id === uid) && groups.every((id) => id === gid);
}
