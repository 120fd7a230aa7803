/** A script as text; `parseScript` makes the same script of it. The language: README.md. */
import { unreachable } from '../../core/base/assert.js';
import { printDuration } from './quantities.js';
import {
  otherNode,
  type Action,
  type Condition,
  type DiskPlace,
  type Expectation,
  type NodeName,
  type Request,
  type Script,
  type Step,
  type Way,
  type When,
} from './script.js';
import { printSetup } from './setup-text.js';

/** One line for each step, behind at most one `setup` line; every line ends with a newline. */
export function printScript({ setup, steps }: Script): string {
  return printSetup(setup) + steps.map((step) => `${printStep(step)}\n`).join('');
}

export function printStep({ when, action }: Step): string {
  if (action.kind === 'nothing' && when.kind === 'after') return `wait ${printDuration(when.ms)}`;
  return printWhen(when) + printAction(action);
}

function printWhen({ kind, ms }: When): string {
  if (kind === 'at') return `at ${printDuration(ms)} `;
  return ms === 0 ? '' : `+${printDuration(ms)} `;
}

/** An action without its time. */
export function printAction(action: Action): string {
  switch (action.kind) {
    case 'request':
      return `${action.node === null ? '' : `on ${action.node} `}${printRequest(action.request)}`;
    case 'create':
    case 'start':
    case 'stop':
    case 'stick':
    case 'lie':
    case 'snapshot':
    case 'restore':
    case 'move':
      return `${action.kind} ${action.node}`;
    case 'role':
      return `role ${action.node} ${action.role}${action.force ? ' force' : ''}`;
    case 'reload':
      return `reload${suffix(action.node)} replication=${action.replication}`;
    case 'kill':
      return `kill ${domain(action.what)}${action.node}`;
    case 'pause':
      return `pause ${domain(action.what)}${action.node} ${printDuration(action.ms)}`;
    case 'power':
      return `power ${action.on ? 'on' : 'off'} ${action.node}`;
    case 'repair':
      return `repair${suffix(action.node)}`;
    case 'nothing':
    case 'heal':
    case 'settle':
    case 'reset':
      return action.kind;
    case 'until':
    case 'await':
      return `${action.kind} ${printCondition(action.condition)} within ${printDuration(action.withinMs)}`;
    case 'expect':
      return `expect ${printExpectation(action.expectation)}`;
    default:
      return printFault(action);
  }
}

type Fault = Extract<
  Action,
  {
    kind:
      | 'cut'
      | 'cut-after'
      | 'cut-channel'
      | 'mend'
      | 'mend-channel'
      | 'refuse'
      | 'latency'
      | 'bandwidth'
      | 'spikes'
      | 'batch'
      | 'fragment'
      | 'delay-close'
      | 'fail'
      | 'slow'
      | 'corrupt'
      | 'damage'
      | 'misdirect'
      | 'shorten';
  }
>;

function printFault(action: Fault): string {
  switch (action.kind) {
    case 'cut':
    case 'mend':
      return `${action.kind}${ways(action.from)}`;
    case 'cut-after': {
      const verb = action.how === 'silence' ? 'cut' : 'reset';
      return `${verb}${ways(action.from)} after ${String(action.bytes)} bytes`;
    }
    case 'cut-channel':
      return `cut${ways(action.from)} channel ${String(action.channel)}`;
    case 'mend-channel':
      return `mend${ways(action.from)} channel ${String(action.channel)}`;
    case 'refuse':
      return `${action.on ? 'refuse' : 'accept'} ${action.node}`;
    case 'latency':
      return `latency${ways(action.from)} ${printDuration(action.minMs)}..${printDuration(action.maxMs)}`;
    case 'bandwidth':
      return `bandwidth${ways(action.from)} ${String(action.bytesPerMs)}kB/s`;
    case 'spikes':
    case 'batch':
      return `${action.kind}${ways(action.from)} ${printDuration(action.ms)}`;
    case 'fragment':
      return `fragment${ways(action.from)}${action.on ? '' : ' no'}`;
    case 'delay-close':
      return `delay-close ${action.from} ${printDuration(action.ms)}`;
    case 'fail': {
      const place = printPlace(action.place);
      const code = action.code === 'EIO' ? '' : ` ${action.code}`;
      return `fail ${action.node} ${action.operation} ${printTimes(action.times)}${place}${code}`;
    }
    case 'slow':
      return `slow ${action.node} ${action.operation} ${printDuration(action.delayMs)}`;
    case 'corrupt': {
      const bit = action.bit === null ? '' : ` bit ${String(action.bit)}`;
      return `corrupt ${action.node} ${String(action.block)}${bit}`;
    }
    case 'damage':
      return `corrupt ${action.node} ${action.place} bit ${String(action.bit)}`;
    case 'misdirect':
      return `misdirect ${action.node} ${String(action.block)} to ${String(action.to)}`;
    case 'shorten':
      return `shorten ${action.node} ${String(action.blocks)}`;
    default:
      return unreachable(action);
  }
}

function printRequest(request: Request): string {
  if (request.kind === 'flush') return 'flush';
  const label = request.kind === 'write' && request.label !== null ? ` = ${request.label}` : '';
  return `${request.kind} ${printBlocks(request)}${label}`;
}

function printCondition(condition: Condition): string {
  switch (condition.kind) {
    case 'in-sync':
    case 'idle':
      return condition.kind;
    case 'device': {
      const where = condition.node === null ? '' : ` on ${condition.node}`;
      return `${condition.present ? '' : 'no '}device${where}`;
    }
    case 'worker':
      return `${condition.present ? '' : 'no '}worker on ${condition.node}`;
    case 'connected':
      return condition.present ? 'connected' : 'not connected';
    case 'role':
      return `role ${condition.node} ${condition.role}`;
    case 'event':
      return `event ${condition.node} ${condition.event}`;
    case 'log':
      return `log ${condition.node} "${condition.text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
    case 'incomplete':
      return `${condition.present ? 'incomplete' : 'complete'} ${condition.node}`;
    case 'counts':
      return `counts ${condition.node}(${String(condition.local)},${String(condition.remote)})`;
    default:
      return unreachable(condition);
  }
}

export function printExpectation(expectation: Expectation): string {
  switch (expectation.kind) {
    case 'block': {
      const where = expectation.node === null ? '' : ` on ${expectation.node}`;
      return `block ${String(expectation.block)}${where} = ${expectation.label}`;
    }
    case 'read':
      return `read ${String(expectation.block)} = ${expectation.label}`;
    case 'equal':
      return 'equal';
    case 'answer':
      return `answer ${expectation.ok ? 'ok' : 'error'}`;
    case 'count': {
      const times = expectation.times === 0 ? 'never' : printTimes(expectation.times);
      return `event ${expectation.node} ${expectation.event} ${times}`;
    }
    default:
      return printCondition(expectation);
  }
}

function printBlocks({ block, count }: { block: number; count: number }): string {
  return count === 1 ? String(block) : `${String(block)}+${String(count)}`;
}

function printPlace(place: DiskPlace): string {
  if (place.kind === 'all') return '';
  return place.kind === 'blocks' ? ` blocks ${printBlocks(place)}` : ` ${place.kind}`;
}

function printTimes(times: number | null): string {
  if (times === null) return 'always';
  return times === 1 ? 'once' : `${String(times)} times`;
}

function domain(what: 'worker' | 'daemon' | 'all'): string {
  return what === 'all' ? '' : `${what} `;
}

function suffix(node: NodeName | null): string {
  return node === null ? '' : ` ${node}`;
}

function ways(from: Way): string {
  return from === null ? '' : ` ${from}->${otherNode(from)}`;
}
