/**
 * What Node throws or emits, as the values of the ports, with the texts people know from the C library: log lines
 * end in `: STRERROR.` (core/spec/cli.md), and scripts match them.
 */
import { getSystemErrorMap } from 'node:util';
import type { PortError } from '../core/ports/error.js';

/** Where libuv's wording is not just the C library's in lower case. */
const C_LIBRARY_TEXTS: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: "Can't assign requested address",
  EBUSY: 'Device busy',
  EEXIST: 'File exists',
  EHOSTUNREACH: 'No route to host',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOMEM: 'Cannot allocate memory',
  ENOTSUP: 'Operation not supported',
  EOPNOTSUPP: 'Operation not supported',
  ETIMEDOUT: 'Operation timed out',
  ETXTBSY: 'Text file busy',
};

const TEXTS: ReadonlyMap<string, string> = new Map([
  ...[...getSystemErrorMap().values()].map(([code, text]): [string, string] => [code, capitalized(text)]),
  ...Object.entries(C_LIBRARY_TEXTS),
]);

/** What strerror(3) says of a POSIX error name; the name itself when it is not known. */
export function strerror(code: string): string {
  return TEXTS.get(code) ?? code;
}

/** Any error that a system call of Node's ended in. */
export function portErrorOf(error: unknown): PortError {
  if (!(error instanceof Error)) return { code: 'EIO', message: String(error) };
  const code = codeOf(error);
  return code === null ? { code: 'EIO', message: error.message } : { code, message: strerror(code) };
}

/** The part after the colon of a log line, without the dot. */
export function errorText(error: unknown): string {
  return portErrorOf(error).message;
}

function codeOf(error: Error): string | null {
  return 'code' in error && typeof error.code === 'string' && TEXTS.has(error.code) ? error.code : null;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
