/**
 * The directory of hastd's sockets and pidfile (`--run-dir`). One that is made here is open to its owner and group alone;
 * one that exists stays as it is, and nobody else may be able to put sockets of his own in place of ours.
 */
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import type { PortError } from '../core/ports/error.js';
import { portError } from '../core/ports/error.js';
import { portErrorOf } from './errors.js';
import { systemText } from './text.js';

const MODE = 0o750;
const WRITABLE_BY_OTHERS = 0o002;
/** In a directory with this bit names belong to whoever made them. */
const STICKY = 0o1000;

/** Makes the directory unless it is there; why it cannot be used. */
export function prepareRunDirectory(path: string): PortError | null {
  const directory = systemText(path);
  try {
    mkdirSync(directory, { recursive: true, mode: MODE });
    const { mode } = statSync(directory);
    if ((mode & WRITABLE_BY_OTHERS) === 0 || (mode & STICKY) !== 0) return null;
    return portError('EPERM', 'everybody may replace files in it (chmod o-w)');
  } catch (error) {
    return portErrorOf(error);
  }
}

/** Null when `path` is a directory that belongs to us. A link, or another user's, could lead anywhere at any time. */
export function checkOwnDirectory(path: string): PortError | null {
  const stat = lstatSync(systemText(path));
  if (!stat.isDirectory()) return portError('ENOTDIR', 'it is not a directory; remove it');
  if (stat.uid === process.geteuid?.()) return null;
  return portError('EPERM', `it belongs to user ${stat.uid}; remove it`);
}
