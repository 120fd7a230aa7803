/**
 * What hastctl asks hastd (core/spec/control.md sections 1 to 3): one request, one reply, then the connection is closed.
 * Framing and nv encoding are those of the replication wire.
 */
import { portError, type PortError } from '../ports/error.js';
import type { Role } from '../resource/types.js';
import type { NvList } from '../wire/nv-list.js';
import { nv, type NvPair } from '../wire/nv.js';

/** Longest nv list a daemon takes, in bytes. */
export const MAX_REQUEST_BYTES = 1_048_576;
/** Longest nv list a client takes, in bytes. */
export const MAX_REPLY_BYTES = 16_777_216;

/** Numbers in `error` and `error<i>`; worker problems add errno numbers. */
export const ERROR_NOENTRY = 1;
export const ERROR_INVALID = 2;
const ERROR_UNIMPLEMENTED = 4;
/** Ours: whoever asks may not (EACCES). */
export const ERROR_DENIED = 13;

/** Every configured resource, in configuration order, or these names in this order (at least one). */
export type ResourceNames = 'all' | readonly string[];

interface SetRoleRequest {
  readonly kind: 'setrole';
  readonly role: Role;
  /** Ours (W8), an extra field: promote even an incomplete copy. */
  readonly force: boolean;
  readonly names: ResourceNames;
}

interface StatusRequest {
  readonly kind: 'status';
  readonly names: ResourceNames;
}

export type ControlRequest = SetRoleRequest | StatusRequest;

/** A request that is answered with this global error and nothing else. */
export interface InvalidRequest {
  readonly kind: 'invalid';
  readonly error: number;
}

const SETROLE = 1;
const STATUS = 2;
const ROLES = [null, 'init', 'primary', 'secondary'] as const;

export function encodeControlRequest(request: ControlRequest): NvPair[] {
  const names = request.names === 'all' ? ['all'] : request.names;
  const resources = names.map((name, i) => nv.string(`resource${i}`, name));
  if (request.kind === 'status') return [nv.uint8('cmd', STATUS), ...resources];
  return [
    nv.uint8('cmd', SETROLE),
    nv.uint8('role', ROLES.indexOf(request.role)),
    ...(request.force ? [nv.uint8('force', 1)] : []),
    ...resources,
  ];
}

/** A PortError: the connection is closed without a reply. */
export function decodeControlRequest(list: NvList): ControlRequest | InvalidRequest | PortError {
  const cmd = list.number('cmd', 'uint8') ?? 0;
  if (cmd === 0) return portError('EINVAL', "control request: 'cmd' missing or 0");
  const names = namesIn(list);
  if (names === null) return { kind: 'invalid', error: ERROR_INVALID };
  if (cmd === STATUS) return { kind: 'status', names };
  if (cmd !== SETROLE) return { kind: 'invalid', error: ERROR_UNIMPLEMENTED };
  const role = ROLES[list.number('role', 'uint8') ?? 0] ?? null;
  if (role === null) return { kind: 'invalid', error: ERROR_INVALID };
  return { kind: 'setrole', role, force: list.number('force', 'uint8') === 1, names };
}

/** Null without `resource0`. The first missing index ends the list; `all` counts in first place only. */
function namesIn(list: NvList): ResourceNames | null {
  const names: string[] = [];
  for (let name = list.string('resource0'); name !== null; name = list.string(`resource${names.length}`))
    names.push(name);
  if (names.length === 0) return null;
  return names[0] === 'all' ? 'all' : names;
}
