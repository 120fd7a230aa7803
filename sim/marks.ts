/**
 * *Sometimes* marks: situations that a good set of seeds must have been in. A judge that never fails proves little if what it
 * judges never happened. Everything is recognised from outside: by what was done, what the nodes logged and reported, and what is on
 * their disks at that moment. Cheap: a line of the log is looked up by its first characters.
 */
import type { ReplicationMode } from '../core/config/types.js';
import type { Metadata } from '../core/metadata/codec.js';
import type { LogLevel } from '../core/ports/log.js';
import { ACTION_MARKS, actionMarks } from './nemesis/action-marks.js';
import {
  otherNode,
  BLOCK_BYTES,
  type Action,
  type NodeName,
  type Request,
  type Setup,
} from './script/script.js';

/** What the disk of a node says, as the next process would read it; null: it cannot be read. */
export type Disks = (node: NodeName) => Metadata | null;

/** As the node's log tells. */
interface Standing {
  role: 'init' | 'primary' | 'secondary';
  mode: ReplicationMode;
  /** A primary with a session. */
  connected: boolean;
  /** A primary that copies: which way. */
  syncing: 'to' | 'from' | null;
  created: boolean;
  /** Created, and not connected since. */
  virgin: boolean;
  /** Connected to a virgin, and nothing is known yet about what it gets. */
  adopting: boolean;
  /** Extents that one worker was asked to write: a bit each. */
  written: number;
  restarting: boolean;
  /** Its session ended while its copy was out of date. */
  outOfDate: boolean;
  /** A write failed here: the metadata may tell of bytes that only the peer has. */
  suspect: boolean;
  localBad: boolean;
  powered: boolean;
}

export class Marks {
  readonly reached = new Set<string>();
  readonly #setup: Setup;
  readonly #disks: Disks;
  readonly #nodes: Readonly<Record<NodeName, Standing>>;

  constructor(setup: Setup, disks: Disks) {
    this.#setup = setup;
    this.#disks = disks;
    this.#nodes = { a: newStanding(setup.replication), b: newStanding(setup.replication) };
  }

  /** A step is about to be taken. */
  action(action: Action): void {
    switch (action.kind) {
      case 'request':
        this.#request(action.node, action.request);
        return;
      case 'create':
        this.#nodes[action.node].virgin = true;
        if (this.#nodes[action.node].created) break;
        this.#nodes[action.node].created = true;
        return;
      case 'reload':
        for (const node of ['a', 'b'] as const) {
          if (action.node === null || action.node === node) this.#nodes[node].mode = action.replication;
        }
        break;
      case 'role':
        if (action.role === 'primary') this.#promoted(action.node);
        break;
      case 'power':
        this.#nodes[action.node].powered = action.on;
        if (!action.on && !this.#nodes[otherNode(action.node)].powered)
          this.#reach('both nodes without power');
        break;
      default:
        break;
    }
    for (const mark of actionMarks(action, (node) => this.#nodes[node].role)) this.#reach(mark);
  }

  /** `exec` hook of a node, with its arguments: `connect r0`. */
  event(node: NodeName, args: readonly string[]): void {
    const standing = this.#nodes[node];
    switch (args[0]) {
      case 'split-brain':
      case 'mismatch':
        this.#reach(`handshake: ${args[0]}`);
        break;
      case 'dual-primary':
        this.#reach('two primaries meet');
        break;
      case 'syncstart':
        this.#syncStarted(node);
        break;
      case 'syncdone':
        if (standing.syncing !== null)
          this.#reach(`synchronisation ${standing.syncing} the secondary complete`);
        standing.syncing = null;
        break;
      case 'syncintr':
        this.#interrupted(standing);
        break;
      default:
        break;
    }
  }

  logged(node: NodeName, level: LogLevel, text: string): void {
    // One for each request.
    if (level === 'debug2') return;
    const known = KNOWN_LINES.get(text.slice(0, KEY_LENGTH));
    if (known === undefined) {
      // It begins with a number.
      if (level === 'warning' && text.includes(OVERWRITTEN)) this.#reach('lost writes reported');
      return;
    }
    for (const { begins, contains, means } of known) {
      if (!text.startsWith(begins) || (contains !== undefined && !text.includes(contains))) continue;
      if (typeof means === 'string') this.#reach(means);
      else this.#told(node, means.news, text);
    }
  }

  #reach(mark: string): void {
    this.reached.add(mark);
  }

  #told(node: NodeName, news: News, text: string): void {
    const standing = this.#nodes[node];
    switch (news) {
      case 'role':
        this.#interrupted(standing);
        standing.role = roleIn(text);
        standing.connected = standing.restarting = standing.outOfDate = false;
        break;
      case 'restart':
        this.#interrupted(standing);
        standing.connected = false;
        standing.restarting = true;
        break;
      case 'device':
        if (standing.restarting && this.#setup.takeover) this.#reach('device taken over');
        standing.restarting = false;
        standing.written = 0;
        break;
      case 'connected':
        this.#connected(node);
        break;
      case 'disconnected':
        standing.connected = false;
        standing.outOfDate = this.#disks(node)?.incomplete === true;
        if (standing.outOfDate) this.#reach('source lost while out of date');
        break;
      case 'write-failed':
        standing.suspect = true;
        break;
      case 'in-sync':
        if (standing.adopting) this.#reach('handshake: two virgins');
        standing.adopting = false;
        break;
    }
    this.#lookForBadData(node, standing);
  }

  /** The verdict as the counters of both disks explain it (core/handshake/verdict.ts). */
  #connected(node: NodeName): void {
    const peer = otherNode(node);
    const standing = this.#nodes[node];
    standing.connected = true;
    standing.virgin = standing.outOfDate = false;
    if (this.#nodes[peer].virgin) {
      this.#nodes[peer].virgin = false;
      standing.adopting = true;
      return;
    }
    const [ours, theirs] = [this.#disks(node), this.#disks(peer)];
    if (ours === null || theirs === null) return;
    const peerAhead = theirs.localcnt > ours.remotecnt;
    const weAhead = ours.localcnt > theirs.remotecnt;
    if (theirs.localcnt < ours.remotecnt || ours.localcnt < theirs.remotecnt) return;
    if (peerAhead && !weAhead) this.#reach('handshake: primary out of date');
    else if (weAhead && !peerAhead) this.#reach('handshake: secondary out of date');
    else if (!weAhead) this.#reach('handshake: in sync');
  }

  #syncStarted(node: NodeName): void {
    const standing = this.#nodes[node];
    standing.syncing = this.#disks(node)?.incomplete === true ? 'from' : 'to';
    this.#reach(`synchronisation ${standing.syncing} the secondary`);
    if (standing.adopting) this.#reach('handshake: virgin secondary');
    standing.adopting = false;
  }

  #interrupted(standing: Standing): void {
    if (standing.syncing !== null)
      this.#reach(`synchronisation ${standing.syncing} the secondary interrupted`);
    standing.syncing = null;
  }

  #lookForBadData(node: NodeName, standing: Standing): void {
    if (!standing.suspect || standing.role !== 'primary') return;
    const bad = (this.#disks(node)?.localBad.length ?? 0) > 0;
    if (bad) this.#reach('data only the peer has');
    else if (standing.localBad) this.#reach('bad data mended');
    standing.localBad = bad;
  }

  #promoted(node: NodeName): void {
    const other = this.#nodes[otherNode(node)];
    if (other.role === 'primary') this.#reach('second primary');
    if (other.syncing !== null) this.#reach('promotion during synchronisation');
  }

  #request(node: NodeName | null, request: Request): void {
    const where = node ?? (this.#nodes.a.role === 'primary' ? 'a' : 'b');
    const standing = this.#nodes[where];
    if (standing.role !== 'primary') return;
    if (!standing.connected && standing.outOfDate) this.#reach('request while out of date');
    if (request.kind === 'flush') return;
    if (request.kind === 'read') {
      if (standing.syncing === 'from') this.#reach('read while out of date');
      return;
    }
    this.#reach(WRITE_MARKS[standing.mode][standing.connected ? 'together' : 'alone']);
    if (standing.syncing !== null) {
      this.#reach(`${request.kind} during synchronisation ${standing.syncing} the secondary`);
    }
    this.#wrote(standing, request.block, request.count, this.#setup.keepdirty[where]);
  }

  #wrote(standing: Standing, block: number, count: number, keepdirty: number): void {
    const blocks = this.#setup.extentBytes / BLOCK_BYTES;
    const last = Math.floor((block + count - 1) / blocks);
    for (let extent = Math.floor(block / blocks); extent <= last; extent++)
      standing.written |= 1 << (extent & 31);
    let extents = 0;
    for (let left = standing.written; left !== 0; left &= left - 1) extents++;
    if (extents > keepdirty && standing.connected) this.#reach('keepdirty eviction');
  }
}

function newStanding(mode: ReplicationMode): Standing {
  return {
    role: 'init',
    mode,
    connected: false,
    syncing: null,
    created: false,
    virgin: false,
    adopting: false,
    written: 0,
    restarting: false,
    outOfDate: false,
    suspect: false,
    localBad: false,
    powered: true,
  };
}

function roleIn(text: string): Standing['role'] {
  if (text.includes('primary')) return 'primary';
  return text.includes('secondary') ? 'secondary' : 'init';
}

/** Said at each write, so the words are not put together each time. */
const WRITE_MARKS = {
  fullsync: { together: 'fullsync: write to both', alone: 'fullsync: write alone' },
  memsync: { together: 'memsync: write to both', alone: 'memsync: write alone' },
  async: { together: 'async: write to both', alone: 'async: write alone' },
} as const;

/** What changes the standing of a node. */
type News = 'role' | 'restart' | 'device' | 'connected' | 'disconnected' | 'in-sync' | 'write-failed';

interface KnownLine {
  readonly begins: string;
  readonly contains?: string;
  readonly means: string | { readonly news: News };
}

const LINES: readonly KnownLine[] = [
  { begins: 'Role changed to ', means: { news: 'role' } },
  { begins: 'Changing resource role back to init', means: { news: 'role' } },
  { begins: 'Changing resource role back to init', means: 'primary falls back to init' },
  { begins: 'Restarting worker process', means: { news: 'restart' } },
  { begins: 'Restarting worker process', means: 'worker restarted' },
  { begins: 'Device hast/', means: { news: 'device' } },
  { begins: 'Connected to ', means: { news: 'connected' } },
  { begins: 'Successfully reconnected to ', means: { news: 'connected' } },
  { begins: 'Disconnected from ', means: { news: 'disconnected' } },
  { begins: 'Disconnected from ', contains: 'does not answer', means: 'silent peer given up' },
  { begins: 'Nodes are in sync', means: { news: 'in-sync' } },
  { begins: 'Synchronization complete', means: { news: 'in-sync' } },
  { begins: 'Synchronization of extent ', means: 'chunk failed' },
  { begins: 'Increasing localcnt to ', means: 'counter raised' },
  { begins: 'Handshake with ', means: 'handshake given up' },
  { begins: 'Handshake with ', contains: 'wrote alone during', means: 'handshake: wrote alone meanwhile' },
  { begins: 'Handshake with ', contains: 'is incomplete', means: 'handshake: not the source' },
  { begins: 'Handshake with ', contains: 'unable to store', means: 'handshake: could not be stored' },
  { begins: 'The counters of both nodes', means: 'handshake: impossible counters' },
  { begins: 'We act as ', contains: 'as primary', means: 'handshake refused by a primary' },
  { begins: 'We act as ', contains: 'as init', means: 'handshake refused by role init' },
  { begins: 'Local copy is incomplete; no device', means: 'incomplete copy not offered' },
  { begins: 'Local copy is incomplete; it is used', means: 'incomplete copy forced' },
  { begins: 'Local request failed', contains: 'READ', means: 'local read failed' },
  { begins: 'Local request failed', contains: 'WRITE', means: 'local write failed' },
  { begins: 'Local request failed', contains: 'WRITE', means: { news: 'write-failed' } },
  { begins: 'Local request failed', contains: 'FLUSH', means: 'local flush failed' },
  { begins: 'Remote request failed', contains: 'WRITE', means: 'remote write failed' },
  { begins: 'Remote request failed', contains: 'FLUSH', means: 'remote flush failed' },
  { begins: 'Unable to write metadata', means: 'metadata not stored' },
  { begins: 'Unable to store the activemap', means: 'map not stored' },
  { begins: 'Unable to read the activemap', means: 'map not read' },
  { begins: 'Unable to clear the activemap', means: 'map not cleared' },
];

const OVERWRITTEN = 'extents written here while primary are overwritten';
const KEY_LENGTH = 8;
const KNOWN_LINES: ReadonlyMap<string, readonly KnownLine[]> = byKey(LINES);

function byKey(lines: readonly KnownLine[]): Map<string, KnownLine[]> {
  const known = new Map<string, KnownLine[]>();
  for (const line of lines) {
    const key = line.begins.slice(0, KEY_LENGTH);
    const same = known.get(key);
    if (same === undefined) known.set(key, [line]);
    else same.push(line);
  }
  return known;
}

/** Those that the classes above reach by themselves. */
const SEEN: readonly string[] = [
  ...Object.values(WRITE_MARKS).flatMap(({ together, alone }) => [together, alone]),
  ...(['to', 'from'] as const).flatMap((way) => [
    `synchronisation ${way} the secondary`,
    `synchronisation ${way} the secondary complete`,
    `synchronisation ${way} the secondary interrupted`,
    `write during synchronisation ${way} the secondary`,
    `delete during synchronisation ${way} the secondary`,
  ]),
  'handshake: in sync',
  'handshake: secondary out of date',
  'handshake: primary out of date',
  'handshake: split-brain',
  'handshake: mismatch',
  'handshake: virgin secondary',
  'handshake: two virgins',
  'two primaries meet',
  'second primary',
  'promotion during synchronisation',
  'both nodes without power',
  'device taken over',
  'source lost while out of date',
  'request while out of date',
  'read while out of date',
  'data only the peer has',
  'bad data mended',
  'keepdirty eviction',
  'lost writes reported',
];

/** Every mark that the default profile can reach, in the order of reports. */
export const MARKS: readonly string[] = [
  ...SEEN,
  ...new Set(LINES.flatMap(({ means }) => (typeof means === 'string' ? [means] : []))),
  ...ACTION_MARKS,
];
