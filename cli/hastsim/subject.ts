/** What a command is about: a seed, whose script is generated, or a file that holds a script. */
import { readFileSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { Argument } from 'commander';
import type { Script } from '../../sim/script/script.js';
import { isScriptError, parseScript } from '../../sim/script/parse.js';
import { EX_DATAERR, EX_NOINPUT } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { choiceOf } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { parseSeed } from './options.js';
import type { Simulator, SimulatorModule } from './simulator-port.js';

export type Subject =
  { readonly kind: 'seed'; readonly seed: number } | { readonly kind: 'file'; readonly path: string };

export function subjectArgument(): Argument {
  return new Argument('<seed|file>', 'a seed, or a file with a script').argParser(parseSubject);
}

/** Digits alone are a seed; a file with such a name is `./42`. */
export function parseSubject(text: string): Subject {
  return /^\d+$/.test(text) ? { kind: 'seed', seed: parseSeed(text) } : { kind: 'file', path: text };
}

/** The script of a file. Throws a Failure that says which line is wrong, and why. */
export function readScript(path: string): Script {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(EX_NOINPUT, `Unable to read ${path}: ${error instanceof Error ? error.message : ''}.`);
  }
  return parsed(text, path);
}

/** The script in `text`, which came from `path`. Throws a Failure. */
export function parsed(text: string, path: string): Script {
  const script = parseScript(text, path);
  if (isScriptError(script)) throw new Failure(EX_DATAERR, script.message);
  return script;
}

/** The subject's script, and what runs it. Throws a Failure. */
export async function openSubject(
  subject: Subject,
  options: ChoiceOptions,
  module: string,
): Promise<{ readonly script: Script; readonly simulator: Simulator }> {
  const { openSimulator } = (await import(module)) as SimulatorModule;
  if (subject.kind === 'seed') {
    const simulator = await openSimulator(choiceOf(options, []));
    return { script: simulator.generate(subject.seed), simulator };
  }
  const script = readScript(subject.path);
  const simulator = await openSimulator(choiceOf(options, [script]));
  return { script: simulator.played(script), simulator };
}

export function subjectName(subject: Subject): string {
  return subject.kind === 'seed' ? `seed ${String(subject.seed)}` : subject.path;
}

/** The command line that does `command` with the subject, as it is typed here. */
export function commandFor(command: string, subject: Subject, options: readonly string[]): string {
  const what = subject.kind === 'seed' ? String(subject.seed) : subject.path;
  return commandLine(command, what, ...options);
}

/** hastsim with these arguments, as it is typed here. */
export function commandLine(...argv: readonly string[]): string {
  return [programName(), ...argv.map(quoted)].join(' ');
}

function programName(): string {
  const path = process.argv[1] ?? 'hastsim';
  return basename(path).endsWith('.js') ? `node ${quoted(relative('', path))}` : 'hastsim';
}

function quoted(text: string): string {
  return /^[\w./@%+=:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
