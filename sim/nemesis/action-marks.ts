/** Which marks (sim/marks.ts) an action of a script reaches by itself: each way in which the nemesis and the operator can act. */
import type { Role } from '../../core/resource/types.js';
import type { Action, NodeName } from '../script/script.js';

const DOMAINS = ['worker', 'daemon', 'all'] as const;
const NODE_ROLES = ['init', 'primary', 'secondary'] as const;
const OPERATIONS = ['read', 'write', 'delete', 'flush'] as const;

/** `roleOf`: what the nodes are at that moment. */
export function actionMarks(action: Action, roleOf: (node: NodeName) => Role): readonly string[] {
  switch (action.kind) {
    case 'kill':
    case 'pause':
      return ofRole(`${action.kind} ${action.what}`, roleOf(action.node));
    case 'power':
      return action.on ? [] : ofRole('power off', roleOf(action.node));
    case 'stop':
      return ofRole('orderly stop', roleOf(action.node));
    case 'role':
      return [`role ${action.role}${action.force ? ' by force' : ''}`];
    case 'reload':
      return [`reload to ${action.replication}`];
    case 'create':
      return ['created anew'];
    case 'cut':
      return [action.from === null ? 'cut both ways' : `cut ${wayFrom(roleOf(action.from))}`];
    case 'cut-after':
      return [`${action.how} in a message`];
    case 'cut-channel':
      return ['one channel cut'];
    case 'refuse':
      return action.on ? ['connections refused'] : [];
    case 'reset':
      return ['connections reset'];
    case 'latency':
    case 'bandwidth':
    case 'spikes':
    case 'batch':
      return [`${action.kind} changed`];
    case 'fragment':
      return ['everything in pieces'];
    case 'delay-close':
      return ['close heard late'];
    case 'move':
      return ['address moved'];
    case 'fail':
      return failureMarks(action);
    case 'slow':
      return [`slow ${action.operation}`];
    case 'stick':
      return ['stuck disk'];
    case 'lie':
    case 'corrupt':
    case 'misdirect':
    case 'shorten':
    case 'restore':
      return [`hostile: ${action.kind}`];
    default:
      return [];
  }
}

/** A node without a role has nothing to lose. */
function ofRole(deed: string, role: Role): string[] {
  return role === 'init' ? [] : [`${deed} of ${role}`];
}

function wayFrom(role: Role): string {
  return role === 'primary' ? 'from the primary' : 'to the primary';
}

function failureMarks({ operation, code, place }: Extract<Action, { kind: 'fail' }>): string[] {
  if (code === 'EOPNOTSUPP') return [`disk without ${operation}`];
  if (operation === 'flush') return ['flush fails'];
  const where = place.kind === 'blocks' || place.kind === 'all' ? 'data' : place.kind;
  return [code === 'ENOSPC' ? 'no space' : `${operation} fails on ${where}`];
}

/** Of the actions that leave the data recoverable. */
export const ACTION_MARKS: readonly string[] = [
  ...DOMAINS.flatMap((what) =>
    NODE_ROLES.slice(1).flatMap((role) => [`kill ${what} of ${role}`, `pause ${what} of ${role}`]),
  ),
  ...NODE_ROLES.slice(1).flatMap((role) => [`power off of ${role}`, `orderly stop of ${role}`]),
  ...NODE_ROLES.map((role) => `role ${role}`),
  'role primary by force',
  ...(['fullsync', 'memsync', 'async'] as const).map((mode) => `reload to ${mode}`),
  'created anew',
  'cut both ways',
  'cut from the primary',
  'cut to the primary',
  'silence in a message',
  'reset in a message',
  'one channel cut',
  'connections refused',
  'connections reset',
  'latency changed',
  'bandwidth changed',
  'spikes changed',
  'batch changed',
  'everything in pieces',
  'close heard late',
  'address moved',
  ...(['data', 'metadata', 'map'] as const).flatMap((place) => [
    `read fails on ${place}`,
    `write fails on ${place}`,
  ]),
  'delete fails on data',
  'flush fails',
  'no space',
  'disk without delete',
  'disk without flush',
  ...OPERATIONS.map((operation) => `slow ${operation}`),
  'stuck disk',
];

/** Of the actions that nobody survives unharmed; only profile `hostile` takes them. */
export const HOSTILE_MARKS: readonly string[] = [
  'hostile: lie',
  'hostile: corrupt',
  'hostile: misdirect',
  'hostile: shorten',
  'hostile: restore',
];
