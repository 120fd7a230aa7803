/**
 * Addresses of hast.conf (core/spec/config.md section 3): `listen`, `remote`, `source`, `control`.
 * The parser of hast.conf takes any text; addresses are judged when they are used, as the reference does.
 */
import { portError } from '../ports/error.js';
import type { PortError } from '../ports/error.js';

export const DEFAULT_PORT = 8457;
/** `source` without a port: the system chooses one. */
export const ANY_PORT = 0;

/** Longest path of a Unix socket that FreeBSD can hold, in bytes. */
const MAX_UNIX_PATH = 103;
const MAX_HOST = 255;

export type Address =
  | { readonly kind: 'unix'; readonly path: string }
  /** `family` 0: whichever the name resolves to first. */
  | { readonly kind: 'tcp'; readonly family: 0 | 4 | 6; readonly host: string; readonly port: number };

/** Reads an address; EINVAL when it is none, ENAMETOOLONG when host or path is too long. */
export function parseAddress(text: string, defaultPort: number = DEFAULT_PORT): Address | PortError {
  const scheme = /^(uds|unix|tcp|tcp4|tcp6):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) {
    if (text.startsWith('/') && !text.includes('://')) return unixAddress(text, text);
    return tcpAddress(text, text, 0, defaultPort);
  }
  const rest = text.slice(scheme.length + '://'.length);
  switch (scheme) {
    case 'tcp4':
      return tcpAddress(text, rest, 4, defaultPort);
    case 'tcp6':
      return tcpAddress(text, rest, 6, defaultPort);
    case 'tcp':
      return tcpAddress(text, rest, 0, defaultPort);
    default:
      return unixAddress(text, rest);
  }
}

/** The one spelling of an address, so that equal addresses are equal texts. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return `uds://${address.path}`;
  const scheme = address.family === 0 ? 'tcp' : `tcp${address.family}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return address.port === ANY_PORT ? `${scheme}://${address.host}` : `${scheme}://${host}:${address.port}`;
}

function unixAddress(text: string, path: string): Address | PortError {
  if (path === '') return invalid(text, 'the path is missing');
  if (path.length > MAX_UNIX_PATH) return tooLong(text, `the path has more than ${MAX_UNIX_PATH} bytes`);
  return { kind: 'unix', path };
}

function tcpAddress(text: string, rest: string, family: 0 | 4 | 6, defaultPort: number): Address | PortError {
  const { host, port } = splitPort(rest);
  if (port !== null && !isPort(port)) {
    const hint = rest.startsWith('[') && rest.endsWith(']') ? ' (brackets need a port behind them)' : '';
    return invalid(text, `'${port}' is not a port between 1 and 65535${hint}`);
  }
  if (host === '') return invalid(text, 'the host is missing');
  if (host.length > MAX_HOST) return tooLong(text, `the host has more than ${MAX_HOST} bytes`);
  if (/[/[\]]/.test(host)) return invalid(text, `'${host}' is not a host`);
  if (family === 4 && host.includes(':')) return invalid(text, `'${host}' is not an IPv4 address`);
  if (family === 6 && /^[0-9.]+$/.test(host)) return invalid(text, `'${host}' is not an IPv6 address`);
  return { kind: 'tcp', family, host, port: port === null ? defaultPort : Number(port) };
}

/** One colon: a port follows it. More: only a text that starts with a bracket has one, behind the last colon. */
function splitPort(rest: string): { host: string; port: string | null } {
  const last = rest.lastIndexOf(':');
  const single = last !== -1 && rest.indexOf(':') === last;
  if (last === -1 || !(single || rest.startsWith('['))) return { host: rest, port: null };
  const host = rest.slice(0, last);
  const bracketed = host.startsWith('[') && host.endsWith(']');
  return { host: bracketed ? host.slice(1, -1) : host, port: rest.slice(last + 1) };
}

function isPort(text: string): boolean {
  return /^[0-9]{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535;
}

function invalid(text: string, why: string): PortError {
  return portError('EINVAL', `Address ${text} is not valid: ${why}`);
}

function tooLong(text: string, why: string): PortError {
  return portError('ENAMETOOLONG', `Address ${text} is too long: ${why}`);
}
