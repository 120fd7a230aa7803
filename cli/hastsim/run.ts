/** `hastsim run` and `hastsim replay`: one history, without and with everything that happens in it. */
import { Command } from 'commander';
import type { RunResult } from '../../sim/world/result.js';
import { asOption, profileOption } from './choice.js';
import type { ChoiceOptions } from './choice.js';
import { jsonOption } from './options.js';
import { SIMULATOR } from './simulator-port.js';
import { openSubject, subjectArgument, subjectName } from './subject.js';
import type { Subject } from './subject.js';
import type { Terminal } from './terminal.js';
import { counted, indented, violationText } from './text.js';

interface RunCommandOptions extends ChoiceOptions {
  readonly json: boolean;
}

export function runCommand(terminal: Terminal): Command {
  return declare('run', 'Run one history; exit with 1 when it breaks an invariant.')
    .addHelpText(
      'after',
      `
Examples:
  hastsim run 42
  hastsim run 42 --profile network --json | jq .violations
  hastsim run test/scenarios/life-08-failback.hast
  hastsim run 42 --as freebsd-12.1         the same history of two nodes of the reference`,
    )
    .action((subject: Subject, options: RunCommandOptions) => run(subject, options, terminal));
}

export function replayCommand(terminal: Terminal): Command {
  return declare('replay', 'Run one history and print everything that happens in it.')
    .addHelpText(
      'after',
      `
Examples:
  hastsim replay 42
  hastsim replay hastsim-corpus/I8-default-42.hast | grep ' a '`,
    )
    .action((subject: Subject, options: RunCommandOptions) => replay(subject, options, terminal));
}

function declare(name: string, about: string): Command {
  return new Command(name)
    .description(about)
    .addArgument(subjectArgument())
    .addOption(profileOption())
    .addOption(asOption())
    .addOption(jsonOption());
}

async function run(subject: Subject, options: RunCommandOptions, terminal: Terminal): Promise<void> {
  const { script, simulator } = await openSubject(subject, options, SIMULATOR);
  tell(subject, simulator.run(script), options, terminal, {});
}

async function replay(subject: Subject, options: RunCommandOptions, terminal: Terminal): Promise<void> {
  const { script, simulator } = await openSubject(subject, options, SIMULATOR);
  const trace: string[] = [];
  const result = simulator.run(script, (line) => {
    if (options.json) trace.push(line);
    else terminal.print(line);
  });
  tell(subject, result, options, terminal, { trace });
}

function tell(
  subject: Subject,
  result: RunResult,
  { json, profile, as }: RunCommandOptions,
  terminal: Terminal,
  more: Readonly<Record<string, unknown>>,
): void {
  if (result.violations.length > 0) terminal.exitCode = 1;
  if (!json) {
    for (const line of linesOf(subject, result)) terminal.print(line);
    return;
  }
  const about =
    subject.kind === 'seed' ? { seed: subject.seed, profile } : { seed: null, file: subject.path };
  const marks = [...result.marks].sort();
  terminal.print(JSON.stringify({ ...about, as: as ?? null, ...result, marks, ...more }));
}

function linesOf(subject: Subject, result: RunResult): readonly string[] {
  const { events, virtualMs, requests, faults, hash, vacuous, excused, violations } = result;
  return [
    `${subjectName(subject)}: ${counted(events, 'event')} in ${(virtualMs / 1000).toFixed(3)} s of its time; ` +
      `${counted(requests.issued, 'request')}, ${String(requests.acknowledged)} acknowledged, ` +
      `${String(requests.failed)} failed; ${counted(faults, 'fault')}`,
    `hash: ${hash}`,
    `marks: ${[...result.marks].sort().join(', ')}`,
    ...(vacuous ? ['vacuous: fewer than half of the requests were acknowledged'] : []),
    ...(excused === null ? [] : [`excused: ${excused}`]),
    ...violations.map((violation) => indented(violationText(violation), '  ').trimStart()),
    counted(violations.length, 'violation'),
  ];
}
