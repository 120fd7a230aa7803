/** A story as lines of text, made for 130 columns. */
import { printScript } from '../script/print.js';
import type { NodeName } from '../script/script.js';
import type { BlockState, Happening, Moment } from './chronicle.js';
import type { Story } from './explain.js';

const NODES: readonly NodeName[] = ['a', 'b'];
const WHERE_COLUMNS = 16;
const STATE_COLUMNS = 14;
const TEXT_COLUMNS = 72;

export function storyAsText(story: Story): string {
  const { result, violation } = story;
  const { issued, acknowledged, failed } = result.requests;
  const told = [
    printScript(story.script).trimEnd(),
    '',
    // The story of a block has the rest in it.
    ...(story.block === null || story.verbose ? [...story.happenings.map(line), ''] : []),
    ...blockLines(story),
    `${seconds(result.virtualMs).trim()}, ${String(result.events)} events, ${String(issued)} requests, ` +
      `${String(acknowledged)} acknowledged, ${String(failed)} failed, hash ${result.hash}`,
    violation === null
      ? `No violation${result.excused === null ? '' : ` (${result.excused})`}.`
      : `${violation.invariant} is violated after ${seconds(violation.atMs).trim()}: ${violation.text}`,
  ];
  return `${told.join('\n')}\n`;
}

function line(happening: Happening): string {
  const { kind, atMs } = happening;
  if (kind === 'step') return `${seconds(atMs)}  > ${happening.text}`;
  if (kind === 'violation') return `${seconds(atMs)}  ! ${happening.text}`;
  return `${seconds(atMs)}    ${where(happening).padEnd(WHERE_COLUMNS)} ${what(happening)}`;
}

function where({ from, to, kind }: Happening): string {
  if (kind === 'request') return `${from} > ${to}`.replace('application', 'app');
  if (kind === 'answer') return `${from} > app`;
  if (to.startsWith('disk')) return to;
  return from === to ? from : `${from} > ${to}`.replace('application', 'app');
}

function what({ kind, text, arrivesMs, atMs }: Happening): string {
  if (kind !== 'sent') return text;
  return arrivesMs === null
    ? `${text}, never arrives`
    : `${text}, arrives ${(arrivesMs - atMs).toFixed(3)} ms later`;
}

/** What the disks held of the block after each moment: what READs see / what a power failure leaves, * for a dirty extent. */
function blockLines({ block, moments, script }: Story): readonly string[] {
  if (block === null || moments.length === 0) return [];
  const extent = Math.floor((block * 512) / script.setup.extentBytes);
  const heading = `Block ${String(block)} (extent ${String(extent)}): visible/durable, * dirty`;
  const columns = NODES.map((node) => `disk ${node}`.padEnd(STATE_COLUMNS)).join('');
  return [`${heading.padEnd(TEXT_COLUMNS + 2)}${columns.trimEnd()}`, ...moments.map(momentLine), ''];
}

function momentLine({ happening, states }: Moment, index: number, moments: readonly Moment[]): string {
  const before = moments[index - 1]?.states;
  const cells = NODES.map((node) => {
    const text = stateText(states[node]);
    return (before !== undefined && stateText(before[node]) === text ? '.' : text).padEnd(STATE_COLUMNS);
  });
  return `${line(happening).padEnd(TEXT_COLUMNS)}  ${cells.join('')}`.trimEnd();
}

function stateText({ visible, durable, dirty }: BlockState): string {
  return `${visible}/${durable}${dirty ? ' *' : ''}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(6).padStart(11)} s`;
}
