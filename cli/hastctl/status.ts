/** `hastctl status` and `hastctl list` (core/spec/cli.md section 4): one question, two ways to print the answer. */
import { formatBytes, formatDuration } from '../../core/base/human.js';
import type { Config } from '../../core/config/types.js';
import { decodeStatusReply } from '../../core/control/replies.js';
import type { ResourceError, StatusEntry } from '../../core/control/replies.js';
import type { ResourceNames } from '../../core/control/requests.js';
import { EX_OK } from '../exit-codes.js';
import { ask, refusal } from './control-client.js';
import { resourceLog } from './output.js';
import type { Output } from './output.js';

type Entry = StatusEntry | ResourceError;
export type StatusFormat = 'status' | 'list' | 'json';

/** Asks for `names`, prints; the exit status is the first error of a resource. */
export async function status(
  config: Config,
  names: ResourceNames,
  format: StatusFormat,
  { print, log }: Output,
): Promise<number> {
  const reply = decodeStatusReply(await ask(config.control, { kind: 'status', names }));
  if (reply.error !== 0) throw refusal(reply.error);
  print(statusText(reply.entries, format));
  for (const entry of reply.entries) {
    if (entry.kind === 'error') continue;
    const warning = copyWarning(entry);
    if (warning !== null) resourceLog(log, entry.resource).write('warning', warning);
  }
  return reply.entries.find((entry) => entry.kind === 'error')?.error ?? EX_OK;
}

function statusText(entries: readonly Entry[], format: StatusFormat): string {
  switch (format) {
    case 'status':
      return entries.length === 0 ? '' : HEADER + entries.map(statusLine).join('');
    case 'list':
      return entries.map((entry) => listLines(entry).join('\n') + '\n').join('');
    case 'json':
      return `${JSON.stringify({ resources: entries.map(plain) }, null, 2)}\n`;
  }
}

/** Ours (W8): the copy cannot be used alone, or no device is offered; null when all is well. */
function copyWarning({ resource, localCopy, exported }: StatusEntry): string | null {
  if (localCopy === 'complete' && exported) return null;
  const copy = localCopy === 'complete' ? 'Local copy may be outdated' : 'Local copy is incomplete';
  if (exported) return `${copy}.`;
  const way = `'hastctl role -f primary ${resource}' offers it as it is`;
  return `${copy}: no device is offered until the node with the newer data connects (${way}).`;
}

const HEADER = 'Name\tStatus\t Role\t\tComponents\n';

function statusLine(entry: Entry): string {
  if (entry.kind === 'error') return `${entry.resource}\tERR${entry.error}\n`;
  const state = (entry.status ?? '-').padEnd(9) + entry.role.padEnd(15);
  return `${entry.resource}\t${state}${entry.localpath}\t${entry.remoteaddr}\n`;
}

function listLines(entry: Entry): string[] {
  if (entry.kind === 'error') return [`${entry.resource}:`, `  error: ${entry.error}`];
  const { counters } = entry;
  return [
    `${entry.resource}:`,
    `  role: ${entry.role}`,
    `  provname: ${entry.provname}`,
    `  localpath: ${entry.localpath}`,
    `  extentsize: ${withSize(counters.extentsize)}`,
    `  keepdirty: ${counters.keepdirty}`,
    `  remoteaddr: ${entry.remoteaddr}`,
    ...(entry.sourceaddr === null ? [] : [`  sourceaddr: ${entry.sourceaddr}`]),
    `  replication: ${entry.replication}`,
    ...(entry.status === null ? [] : [`  status: ${entry.status}`]),
    ...(entry.localCopy === 'complete' ? [] : [`  localcopy: ${entry.localCopy}`]),
    ...(counters.syncLeft === 0
      ? []
      : [`  synchronization: ${describeSync(counters.syncLeft, counters.syncRate)}`]),
    ...(entry.workerpid === 0 ? [] : [`  workerpid: ${entry.workerpid}`]),
    `  dirty: ${withSize(counters.dirty)}`,
    '  statistics:',
    `    reads: ${counters.reads}`,
    `    writes: ${counters.writes}`,
    `    deletes: ${counters.deletes}`,
    `    flushes: ${counters.flushes}`,
    `    activemap updates: ${counters.activemapUpdates}`,
    `    local errors: read: ${counters.readErrors}, write: ${counters.writeErrors}, ` +
      `delete: ${counters.deleteErrors}, flush: ${counters.flushErrors}`,
    `    queues: local: ${counters.localQueue}, send: ${counters.sendQueue}, recv: ${counters.recvQueue}, ` +
      `done: ${counters.doneQueue}, idle: ${counters.idleQueue}`,
  ];
}

/** Ours. Nothing is said about the time while the rate is not known. */
function describeSync(left: number, rate: number): string {
  const toGo = `${formatBytes(left)} to go (${formatBytes(rate)}/sec)`;
  return rate === 0 ? toGo : `${toGo}, ${formatDuration((left / rate) * 1000)} left`;
}

function withSize(bytes: number): string {
  return `${bytes} (${formatBytes(bytes)})`;
}

/** One flat object; which keys there are depends only on whether there was an error. */
function plain(entry: Entry): Readonly<Record<string, unknown>> {
  if (entry.kind === 'error') return { resource: entry.resource, error: entry.error };
  const { kind: _, counters, ...texts } = entry;
  return { ...texts, ...counters };
}
