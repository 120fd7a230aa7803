/**
 * Runs a script again and tells what happened: a timeline, a sequence diagram, or JSON; and, when an invariant is violated in
 * a block, the story of that block on both copies up to there.
 */
import { unreachable } from '../../core/base/assert.js';
import { printScript } from '../script/print.js';
import type { Script } from '../script/script.js';
import type { RunResult, Violation } from '../world/result.js';
import type { RunOptions } from '../world/run.js';
import { Chronicle, covers, type Happening, type Moment } from './chronicle.js';
import { storyAsMermaid } from './explain-mermaid.js';
import { storyAsText } from './explain-text.js';
import { runStruck, type Strike } from './strikes.js';

/** So many steps are not told one by one. */
const LONG_SCRIPT = 40;

export type ExplainFormat = 'text' | 'mermaid' | 'json';

export interface ExplainOptions extends RunOptions {
  /** Everything, not only what seems to matter. */
  readonly verbose?: boolean;
  /** The block whose story is told; by default that of the first violation. */
  readonly block?: number;
  /** What is done to the world besides the script. */
  readonly strikes?: readonly Strike[];
}

export interface Story {
  readonly script: Script;
  readonly result: RunResult;
  /** The one it is all about. */
  readonly violation: Violation | null;
  readonly block: number | null;
  readonly verbose: boolean;
  readonly happenings: readonly Happening[];
  /** What happened to the block, on both copies. */
  readonly moments: readonly Moment[];
}

export function explain(script: Script, format: ExplainFormat, options: ExplainOptions = {}): string {
  const story = tell(script, options);
  switch (format) {
    case 'text':
      return storyAsText(story);
    case 'mermaid':
      return storyAsMermaid(story);
    case 'json':
      return storyAsJson(story);
    default:
      return unreachable(format);
  }
}

/** The happenings that matter, or all of them. */
export function tell(script: Script, options: ExplainOptions = {}): Story {
  const { verbose = false, strikes = [], ...runOptions } = options;
  const block = options.block ?? runStruck(script, strikes, runOptions).violations[0]?.block ?? null;
  const chronicle = new Chronicle(block);
  const result = runStruck(script, strikes, { ...runOptions, witness: chronicle });
  const violation = result.violations[0] ?? null;
  const { happenings, moments } = chronicle;
  const story = { script, result, violation, block, verbose, happenings, moments };
  if (verbose) return story;
  const end = happenings.findIndex(({ kind }) => kind === 'violation') + 1 || happenings.length;
  const momentsEnd =
    moments.findIndex(({ happening }) => happening.kind === 'violation') + 1 || moments.length;
  const isLong = script.steps.length > LONG_SCRIPT;
  return {
    ...story,
    happenings: happenings.slice(0, end).filter((happening) => matters(happening, block, isLong)),
    moments: moments.slice(0, momentsEnd).filter(({ happening }) => !isEcho(happening)),
  };
}

/** Of a block's story all that concerns the block, of a long one nothing that concerns only some blocks. */
function matters(happening: Happening, block: number | null, isLong: boolean): boolean {
  if (happening.minor || isEcho(happening)) return false;
  if (happening.blocks !== null) return block === null ? !isLong : covers(happening, block);
  return !isLong || !FLUSHES.has(happening.kind);
}

/** Without blocks these are about flushes. */
const FLUSHES: ReadonlySet<Happening['kind']> = new Set(['flush', 'request', 'answer']);

/** A message that arrives is told of once. */
function isEcho({ kind, arrivesMs }: Happening): boolean {
  return kind === 'sent' && arrivesMs !== null;
}

function storyAsJson({ script, result, violation, block, happenings, moments }: Story): string {
  const { hash, events, virtualMs, violations } = result;
  const story = {
    script: printScript(script),
    ...{ hash, events, virtualMs, violation, violations, happenings },
    block: block === null ? null : { block, moments },
  };
  return `${JSON.stringify(story, null, 2)}\n`;
}
