/** Plays the acts of lessons, and writes down for each page what happened and what the disks hold then. */
import { assert } from '../../core/base/assert.js';
import type { Metadata } from '../../core/metadata/codec.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import { otherNode } from '../../sim/script/script.js';
import type { NodeName, Script, Step } from '../../sim/script/script.js';
import { Chronicle } from '../../sim/tools/chronicle.js';
import type { Happening } from '../../sim/tools/chronicle.js';
import { World } from '../../sim/world/world.js';
import type { Act } from './lessons/lesson.js';

/** A page with what it shows: lines for a terminal. */
export interface PlayedPage {
  readonly text: string;
  /** The steps, without what the author expects of them. */
  readonly steps: readonly string[];
  readonly happenings: readonly string[];
  readonly disks: readonly string[];
  readonly look: string;
}

/** Told at once when nothing is hidden. */
const SHOWN: ReadonlySet<Happening['kind']> = new Set([
  'request',
  'answer',
  'arrived',
  'written',
  'metadata',
  'map',
  'flush',
  'power',
  'worker',
  'device',
  'event',
]);
const WHERE_COLUMNS = 10;
const PAGE_BREAK: Step = { when: { kind: 'after', ms: 0 }, action: { kind: 'nothing' } };

/** A violation, also of what the act expects, is a bug of the lesson. */
export function playAct({ setup, before = '', pages }: Act): readonly PlayedPage[] {
  const texts = [before, ...pages.map(({ script }) => script)];
  const scripts = texts.map((text) => scriptOf(setup, text));
  const firstSteps: number[] = [];
  let count = 0;
  for (const { steps } of scripts) {
    firstSteps.push(count);
    count += steps.length;
  }
  const observer = new Observer(firstSteps);
  const settings = scripts[0]?.setup;
  assert(settings !== undefined, 'an act has pages');
  const { violations } = new World(settings, { witness: observer }).run(
    scripts.flatMap(({ steps }) => steps),
  );
  assert(violations.length === 0, `a lesson holds: ${violations[0]?.text ?? ''}`);
  observer.endPage();
  return pages.map((page, index): PlayedPage => {
    const seen = observer.pages[index + 1];
    assert(seen !== undefined, 'each page has been played');
    const happenings =
      page.brief === true ? [] : seen.happenings.filter(isShown).map((h) => line(h, seen.beganMs));
    const steps = [...(index === 0 ? before.split('\n') : []), ...page.script.split('\n')].filter(
      (step) => step !== '' && !step.startsWith('expect'),
    );
    return { text: page.text, steps, happenings, disks: seen.disks, look: page.look };
  });
}

function scriptOf(setup: string, script: string): Script {
  const parsed = parseScript(`setup ${setup}\n${script}`);
  assert(!isScriptError(parsed), isScriptError(parsed) ? parsed.message : '');
  // A page begins when the one before has ended, not after the time that its first step waits.
  return { ...parsed, steps: [PAGE_BREAK, ...parsed.steps] };
}

function isShown({ kind, minor, text, arrivesMs }: Happening): boolean {
  if (kind === 'log') return /^(warning|error): /.test(text);
  if (kind === 'sent') return arrivesMs === null && !minor;
  return SHOWN.has(kind) && !minor;
}

function line({ atMs, kind, from, to, text, arrivesMs }: Happening, beganMs: number): string {
  const time = `${(atMs - beganMs).toFixed(2).padStart(10)} ms`;
  const end = kind === 'sent' && arrivesMs === null ? ', never arrives' : '';
  return `${time}  ${where(from, to).padEnd(WHERE_COLUMNS)}  ${text}${end}`;
}

function where(from: string, to: string): string {
  if (to.startsWith('disk')) return to;
  return from === to ? from : `${from} > ${to}`.replace('application', 'app');
}

interface Seen {
  readonly beganMs: number;
  readonly happenings: readonly Happening[];
  readonly disks: readonly string[];
}

class Observer extends Chronicle {
  readonly pages: Seen[] = [];
  readonly #firstSteps: readonly number[];
  #world: World | null = null;
  #beganMs = 0;
  #told = 0;

  /** `firstSteps`: of each page. */
  constructor(firstSteps: readonly number[]) {
    super(null);
    this.#firstSteps = firstSteps;
  }

  override attend(world: World): void {
    super.attend(world);
    this.#world = world;
  }

  override step(index: number, step: Step): void {
    if (index > 0 && this.#firstSteps.includes(index)) this.endPage();
    super.step(index, step);
  }

  endPage(): void {
    assert(this.#world !== null, 'there is a world');
    const disks = diskLines(this.#world);
    this.pages.push({ beganMs: this.#beganMs, happenings: this.happenings.slice(this.#told), disks });
    this.#told = this.happenings.length;
    this.#beganMs = this.#world.scheduler.nowMs;
  }
}

/** One line for each node: role, counters, dirty bits, contents. */
function diskLines(world: World): readonly string[] {
  const { extents } = world.view;
  const heading = `    role       counters  dirty${' '.repeat(Math.max(1, extents - 3))}copy`;
  return [heading, ...(['a', 'b'] as const).map((node) => diskLine(world, node))];
}

function diskLine({ view, nodes, client }: World, node: NodeName): string {
  const names = new Map([...client.labels].map(([label, write]) => [write, label]));
  const metadata = view.metadata(node);
  const extents = Array.from({ length: view.extents }, (_, extent) => {
    const blocks = Array.from({ length: view.blocksPerExtent }, (_unused, index) => {
      const block = extent * view.blocksPerExtent + index;
      const name = names.get(view.visible(node, block)) ?? '.';
      return view.visible(node, block) === view.durable(node, block) ? name : name.toLowerCase();
    });
    return blocks.join('');
  });
  const bits = Array.from({ length: view.extents }, (_, extent) =>
    bitSign(view.visibleBit(node, extent), view.durableBit(node, extent)),
  );
  const state = nodes[node].alive ? view.role(node) : 'down';
  const remark = metadata?.incomplete === true ? '  incomplete' : '';
  return `${node}   ${state.padEnd(10)} ${counters(metadata, node).padEnd(9)} ${bits.join('').padEnd(6)} ${extents.join('|')}${remark}`;
}

function bitSign(visible: boolean, durable: boolean): string {
  if (visible) return durable ? '#' : '+';
  return durable ? '-' : '.';
}

function counters(metadata: Metadata | null, node: NodeName): string {
  if (metadata === null) return '?';
  const { localcnt, remotecnt } = metadata;
  return `${node}${String(localcnt)} ${otherNode(node)}${String(remotecnt)}`;
}
