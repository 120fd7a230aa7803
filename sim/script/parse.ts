/**
 * Text in, script out. A script is lines: `setup` first, then one step each, `at 2s cut b->a`; the language is in README.md. One
 * function per verb, each reads the rest of its line; the first error ends the reading.
 */
import type { ReplicationMode } from '../../core/config/types.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { RESOURCE_EVENTS, type Role } from '../../core/resource/types.js';
import {
  DEFAULT_SETUP,
  BLOCK_BYTES,
  type Action,
  type Condition,
  type DiskOperation,
  type DiskPlace,
  type Expectation,
  type NodeName,
  type Request,
  type Script,
  type Setup,
  type Step,
  type When,
} from './script.js';
import { AT_ONCE, fillSteps, loadSteps, pairSteps, PATIENCE_MS } from './shorthand.js';
import { parseSetup } from './setup-text.js';
import { splitWords, Words } from './words.js';

/** Why a text is no script. */
export interface ScriptError {
  /** As editors count, from 1. */
  readonly line: number;
  /** `FILE:LINE: what is wrong, and what would have been right`. */
  readonly message: string;
}

export function isScriptError(value: Script | ScriptError): value is ScriptError {
  return 'message' in value;
}

/** `fileName` is for messages only. */
export function parseScript(text: string, fileName = 'script'): Script | ScriptError {
  let setup = DEFAULT_SETUP;
  const steps: Step[] = [];
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const words = new Words(splitWords(line), blocksOf(setup));
    if (words.atEnd) continue;
    if (words.accept('setup')) {
      setup = parseSetup(words, setup);
      if (steps.length > 0) words.fail('setup comes before the first step');
    } else {
      steps.push(...parseSteps(words, setup, steps.length));
    }
    words.end();
    if (words.error !== null) {
      return { line: index + 1, message: `${fileName}:${String(index + 1)}: ${words.error}` };
    }
  }
  return { setup, steps };
}

function blocksOf({ extents, extentBytes }: Setup): number {
  return (extents * extentBytes) / BLOCK_BYTES;
}

/** `before`: the number of steps so far. */
function parseSteps(words: Words, setup: Setup, before: number): Step[] {
  const when = parseWhen(words);
  if (when === AT_ONCE && words.accept('wait')) {
    return [{ when: { kind: 'after', ms: words.duration() }, action: { kind: 'nothing' } }];
  }
  if (words.accept('pair')) return pairSteps(when);
  if (words.accept('fill')) return fillSteps(when, setup);
  if (words.accept('load')) {
    const requests = words.integer('a number of requests', 1, MAX_LOAD);
    words.expect('requests');
    words.expect('within');
    return loadSteps(when, setup, requests, words.duration(), `after ${String(before)}`);
  }
  const verb = words.take('an action');
  const sentence = Object.hasOwn(SENTENCES, verb) ? SENTENCES[verb] : undefined;
  if (sentence === undefined) {
    const isWait = verb === 'wait' ? ' (wait says itself how long: it takes no time before it)' : '';
    words.fail(`unknown action "${verb}"${isWait}; there are: ${VERBS.join(', ')}`);
    return [];
  }
  return sentence(words).map((action, index) => ({ when: index === 0 ? when : AT_ONCE, action }));
}

function parseWhen(words: Words): When {
  if (words.accept('at')) return { kind: 'at', ms: words.duration() };
  if (!words.peek().startsWith('+')) return AT_ONCE;
  return { kind: 'after', ms: words.delay() };
}

/** Each of them is a step of the script. */
const MAX_LOAD = 100_000;

type Sentence = (words: Words) => readonly Action[];

function one(parse: (words: Words) => Action): Sentence {
  return (words) => [parse(words)];
}

/** For verbs that are followed by a node only. */
function ofNode(make: (node: NodeName) => Action): Sentence {
  return (words) => [make(words.node())];
}

/** The same for one node or several: `start a b`. */
function ofNodes(make: (node: NodeName) => Action): Sentence {
  return (words) => {
    const actions = [make(words.node())];
    while (!words.atEnd) actions.push(make(words.node()));
    return actions;
  };
}

/** How much of them is there whatever the size of the device. */
const FRONT_BITS = { metadata: METADATA_BYTES * 8, map: BLOCK_BYTES * 8 };

const ROLES: readonly [Role, ...Role[]] = ['init', 'primary', 'secondary'];
const MODES: readonly [ReplicationMode, ...ReplicationMode[]] = ['fullsync', 'memsync', 'async'];
const OPERATIONS: readonly [DiskOperation, ...DiskOperation[]] = ['read', 'write', 'delete', 'flush'];
const EVENTS = ['role', ...RESOURCE_EVENTS] as const;

const SENTENCES: Readonly<Record<string, Sentence>> = {
  write: one((words) => toDevice(null, parseRequest(words, 'write'))),
  read: one((words) => toDevice(null, parseRequest(words, 'read'))),
  delete: one((words) => toDevice(null, parseRequest(words, 'delete'))),
  flush: one((words) => toDevice(null, parseRequest(words, 'flush'))),
  on: one((words) => {
    const node = words.node();
    return toDevice(node, parseRequest(words, words.choice('a request', OPERATIONS)));
  }),
  create: ofNodes((node) => ({ kind: 'create', node })),
  start: ofNodes((node) => ({ kind: 'start', node })),
  stop: ofNodes((node) => ({ kind: 'stop', node })),
  role: one((words) => {
    const node = words.node();
    const role = words.choice('a role', ROLES);
    return { kind: 'role', node, role, force: words.accept('force') };
  }),
  reload: one((words) => {
    const node = words.maybeNode();
    return { kind: 'reload', node, replication: words.assignment('replication', MODES) };
  }),
  kill: one((words) => ({ kind: 'kill', ...parseProcess(words) })),
  crash: ofNode((node) => ({ kind: 'kill', what: 'all', node })),
  pause: one((words) => ({ kind: 'pause', ...parseProcess(words), ms: words.duration() })),
  power: one((words) => {
    const on = words.choice('on or off', ['on', 'off']) === 'on';
    return { kind: 'power', node: words.node(), on };
  }),
  cut: one(parseCut),
  mend: one((words) => {
    const from = words.maybeWay();
    if (from === null || !words.accept('channel')) return { kind: 'mend', from };
    return { kind: 'mend-channel', from, channel: words.integer('a channel', 0) };
  }),
  reset: one((words) => {
    const from = words.maybeWay();
    return from === null
      ? { kind: 'reset' }
      : { kind: 'cut-after', from, bytes: parseAfter(words), how: 'reset' };
  }),
  refuse: ofNode((node) => ({ kind: 'refuse', node, on: true })),
  accept: ofNode((node) => ({ kind: 'refuse', node, on: false })),
  latency: one((words) => ({ kind: 'latency', from: words.maybeWay(), ...words.durations() })),
  bandwidth: one((words) => ({ kind: 'bandwidth', from: words.maybeWay(), bytesPerMs: words.bandwidth() })),
  spikes: one((words) => ({ kind: 'spikes', from: words.maybeWay(), ms: words.duration() })),
  batch: one((words) => ({ kind: 'batch', from: words.maybeWay(), ms: words.duration() })),
  fragment: one((words) => ({ kind: 'fragment', from: words.maybeWay(), on: !words.accept('no') })),
  'delay-close': one((words) => ({ kind: 'delay-close', from: words.node(), ms: words.duration() })),
  move: ofNode((node) => ({ kind: 'move', node })),
  fail: one(parseFail),
  slow: one((words) => {
    const node = words.node();
    return {
      kind: 'slow',
      node,
      operation: words.choice('an operation', OPERATIONS),
      delayMs: words.duration(),
    };
  }),
  stick: ofNode((node) => ({ kind: 'stick', node })),
  lie: ofNode((node) => ({ kind: 'lie', node })),
  corrupt: one((words) => {
    const node = words.node();
    const place = words.accept('metadata') ? 'metadata' : words.accept('map') ? 'map' : null;
    if (place !== null) {
      words.expect('bit');
      return { kind: 'damage', node, place, bit: words.integer('a bit', 0, FRONT_BITS[place] - 1) };
    }
    const block = words.block();
    const bit = words.accept('bit') ? words.integer('a bit', 0, BLOCK_BYTES * 8 - 1) : null;
    return { kind: 'corrupt', node, block, bit };
  }),
  misdirect: one((words) => {
    const [node, block] = [words.node(), words.block()];
    words.expect('to');
    return { kind: 'misdirect', node, block, to: words.block() };
  }),
  shorten: one((words) => ({ kind: 'shorten', node: words.node(), blocks: words.integer('blocks', 1) })),
  snapshot: ofNode((node) => ({ kind: 'snapshot', node })),
  restore: ofNode((node) => ({ kind: 'restore', node })),
  repair: one((words) => ({ kind: 'repair', node: words.maybeNode() })),
  nothing: one(() => ({ kind: 'nothing' })),
  until: one((words) => ({ kind: 'until', ...parseWaiting(words) })),
  await: one((words) => ({ kind: 'await', ...parseWaiting(words) })),
  heal: one(() => ({ kind: 'heal' })),
  settle: one(() => ({ kind: 'settle' })),
  expect: one((words) => ({ kind: 'expect', expectation: parseExpectation(words) })),
};

const VERBS = ['pair', 'fill', 'load', 'wait', ...Object.keys(SENTENCES)].sort();

function toDevice(node: NodeName | null, request: Request): Action {
  return { kind: 'request', node, request };
}

function parseWaiting(words: Words): { condition: Condition; withinMs: number } {
  const condition = parseCondition(words);
  return { condition, withinMs: words.accept('within') ? words.duration() : PATIENCE_MS };
}

function parseRequest(words: Words, kind: DiskOperation): Request {
  if (kind === 'flush') return { kind };
  if (kind !== 'write') return { kind, ...words.blocks() };
  return { kind, ...words.blocks(), label: words.accept('=') ? writtenLabel(words) : null };
}

function writtenLabel(words: Words): string {
  const label = words.label();
  if (label === 'zero')
    words.fail('"zero" stands for what was deleted or never written: use another label, or delete');
  if (label === 'error') words.fail('"error" stands for a READ that failed: use another label');
  return label;
}

function parseProcess(words: Words): { what: 'worker' | 'daemon' | 'all'; node: NodeName } {
  const what = words.accept('worker') ? 'worker' : words.accept('daemon') ? 'daemon' : 'all';
  return { what, node: words.node() };
}

function parseCut(words: Words): Action {
  const from = words.maybeWay();
  if (from === null || words.atEnd) return { kind: 'cut', from };
  if (words.accept('channel')) return { kind: 'cut-channel', from, channel: words.integer('a channel', 0) };
  return { kind: 'cut-after', from, bytes: parseAfter(words), how: 'silence' };
}

function parseAfter(words: Words): number {
  words.expect('after');
  const bytes = words.integer('a number of bytes', 0);
  words.expect('bytes');
  return bytes;
}

function parseFail(words: Words): Action {
  const node = words.node();
  const operation = words.choice('an operation', OPERATIONS);
  const times = words.accept('always') ? null : parseTimes(words, 'always, once, or a number and "times"');
  const place = parsePlace(words);
  const code = words.atEnd ? 'EIO' : words.choice('a place or an error', ['EIO', 'ENOSPC', 'EOPNOTSUPP']);
  return { kind: 'fail', node, operation, code, times, place };
}

function parseTimes(words: Words, what: string): number {
  if (words.accept('once')) return 1;
  const times = words.integer(what, 1);
  words.expect('times');
  return times;
}

function parsePlace(words: Words): DiskPlace {
  if (words.accept('metadata')) return { kind: 'metadata' };
  if (words.accept('map')) return { kind: 'map' };
  return words.accept('blocks') ? { kind: 'blocks', ...words.blocks() } : { kind: 'all' };
}

function parseCondition(words: Words): Condition {
  const word = words.choice('a condition', CONDITIONS);
  switch (word) {
    case 'in-sync':
    case 'idle':
      return { kind: word };
    case 'device':
      return parseDevice(words, true);
    case 'worker':
      return parseWorker(words, true);
    case 'no':
      return words.choice('what there is not', ['device', 'worker']) === 'device'
        ? parseDevice(words, false)
        : parseWorker(words, false);
    case 'connected':
      return { kind: 'connected', present: true };
    case 'not':
      words.expect('connected');
      return { kind: 'connected', present: false };
    case 'role':
      return { kind: 'role', node: words.node(), role: words.choice('a role', ROLES) };
    case 'event':
      return { kind: 'event', node: words.node(), event: words.choice('an event', EVENTS) };
    case 'log':
      return { kind: 'log', node: words.node(), text: words.quoted() };
    case 'complete':
    case 'incomplete':
      return { kind: 'incomplete', node: words.node(), present: word === 'incomplete' };
    case 'counts':
      return { kind: 'counts', ...words.counts() };
  }
}

const CONDITIONS = [
  'in-sync',
  'idle',
  'device',
  'worker',
  'no',
  'connected',
  'not',
  'role',
  'event',
  'log',
  'complete',
  'incomplete',
  'counts',
] as const;

function parseDevice(words: Words, present: boolean): Condition {
  return { kind: 'device', node: words.accept('on') ? words.node() : null, present };
}

function parseWorker(words: Words, present: boolean): Condition {
  words.expect('on');
  return { kind: 'worker', node: words.node(), present };
}

function parseExpectation(words: Words): Expectation {
  if (words.accept('equal')) return { kind: 'equal' };
  if (words.accept('answer')) {
    return { kind: 'answer', ok: words.choice('ok or error', ['ok', 'error']) === 'ok' };
  }
  if (words.accept('block')) {
    const block = words.block();
    const node = words.accept('on') ? words.node() : null;
    words.expect('=');
    return { kind: 'block', node, block, label: words.label() };
  }
  if (words.accept('read')) {
    const block = words.block();
    words.expect('=');
    return { kind: 'read', block, label: words.label() };
  }
  const condition = parseCondition(words);
  if (condition.kind !== 'event' || words.atEnd) return condition;
  const { node, event } = condition;
  const times = words.accept('never') ? 0 : parseTimes(words, 'never, once, or a number and "times"');
  return { kind: 'count', node, event, times };
}
