/** The manual pages say what the programs do: nothing is missing, and nothing is there that the programs refuse. */
import { EventEmitter } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { hastctlCommand } from '../../../cli/hastctl/command-line.js';
import { hastdCommand } from '../../../cli/hastd/options.js';
import * as exitCodes from '../../../cli/exit-codes.js';
import { hastsimCommand } from '../../../cli/hastsim/main.js';
import { EX_INTERRUPTED, Terminal } from '../../../cli/hastsim/terminal.js';
import { KEYWORDS } from '../../../core/config/lexer.js';
import { parseConfig } from '../../../core/config/parser.js';
import * as workerCodes from '../../../core/resource/types.js';
import { RESOURCE_EVENTS } from '../../../core/resource/types.js';
import { parseScript } from '../../../sim/script/parse.js';
import { logMessages } from './log-messages.js';
import {
  diagnostics,
  displays,
  items,
  options,
  readPage,
  section,
  subsections,
  withoutNames,
  wordsAfter,
} from './page.js';
import type { Lines } from './page.js';

const project = fileURLToPath(new URL('../../../../', import.meta.url));

const HASTD = readPage('hastd.8');
const HASTCTL = readPage('hastctl.8');
const HASTSIM = readPage('hastsim.1');
const HAST_CONF = readPage('hast.conf.5');

const silent = { write: () => true };
const streams = { stdout: silent, stderr: silent };

/** What getopt and commander understand without a declaration. */
const HELP = ['--help', '-h'];

function declared(command: Command): string[] {
  const names = command.options.flatMap(({ short, long }) => [short, long]);
  return names.filter((name) => typeof name === 'string').sort();
}

function sources(...paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (path.endsWith('.ts')) return [readFileSync(join(project, path), 'utf8')];
    return readdirSync(join(project, path), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => readFileSync(join(project, path, name), 'utf8'));
  });
}

/** Values of the exit codes that are named in the sources. */
function statuses(...paths: readonly string[]): number[] {
  const names = new Set(sources(...paths).flatMap((text) => text.match(/\bEX_[A-Z]+\b/g) ?? []));
  return Object.entries(exitCodes).flatMap(([name, value]) => (names.has(name) ? [value] : []));
}

function numbers(lines: Lines): number[] {
  return items(lines)
    .filter((head) => /^\d+$/.test(head))
    .map(Number);
}

function ascending(values: Iterable<number>): number[] {
  return [...new Set(values)].sort((a, b) => a - b);
}

function withoutPunctuation(text: string): string {
  return text.replace(/^[^a-z]+|[^a-z0-9]+$/gi, '');
}

/** Whether a text, or both halves of it, are in the sources. */
function isPutTogether(text: string, written: string): boolean {
  const words = text.split(' ');
  return words.some((_, i) =>
    [words.slice(0, i), words.slice(i)].every((half) => written.includes(withoutPunctuation(half.join(' ')))),
  );
}

/** Statuses of hast.conf's parser, which is in the core. */
const CONFIG_STATUSES = [exitCodes.EX_CONFIG, exitCodes.EX_TEMPFAIL];

describe('hastd(8)', () => {
  it('has the options of hastd', () => {
    expect(options(HASTD)).toEqual([...declared(hastdCommand()), ...HELP].sort());
    expect(options(section(HASTD, 'SYNOPSIS'))).toEqual(options(HASTD));
    const explained = HASTD.filter((line) => line.startsWith('.It Fl'));
    expect(options(explained)).toEqual(options(HASTD));
  });

  it('has the exit statuses of the daemon and of its workers', () => {
    const [daemon, workers] = section(HASTD, 'EXIT STATUS').join('\n').split('.El');
    const ofDaemon = statuses('cli/hastd.ts', 'cli/hastd', 'cli/config-file.ts');
    expect(numbers(daemon?.split('\n') ?? [])).toEqual(ascending([...ofDaemon, ...CONFIG_STATUSES]));
    const ofWorkers = Object.entries(workerCodes).flatMap(([name, value]) =>
      name.startsWith('EXIT_') && typeof value === 'number' ? [value] : [],
    );
    expect(numbers(workers?.split('\n') ?? [])).toEqual(ascending([...ofWorkers, exitCodes.EX_OSFILE]));
  });

  it('explains everything that hastd and its workers log', () => {
    const explained = new Set(diagnostics(HASTD));
    const logged = logMessages(['core', 'native', 'cli/hastd'].map((folder) => join(project, folder)));
    const unexplained = logged.filter(
      ({ level, text }) => !['*', 'debug2'].includes(level) && !explained.has(withoutNames(text)),
    );
    expect(logged.length).toBeGreaterThan(80);
    expect(unexplained).toEqual([]);
  });
});

describe('hastctl(8)', () => {
  const commands = hastctlCommand().commands;
  const [first] = commands;
  const common = declared(first ?? hastctlCommand()).filter((name) =>
    commands.every((command) => declared(command).includes(name)),
  );

  it('has the common options', () => {
    expect(options(section(HASTCTL, 'Common options'))).toEqual([...common, ...HELP].sort());
  });

  it('has the commands', () => {
    const names = commands.map((command) => command.name());
    expect(subsections(section(HASTCTL, 'DESCRIPTION'))).toEqual(['Common options', ...names, 'help']);
    const synopsis = wordsAfter(section(HASTCTL, 'SYNOPSIS'), 'Cm');
    for (const name of [...names, 'help']) expect(synopsis).toContain(name);
  });

  it.each(commands.map((command) => [command.name(), command] as const))(
    'has the options of %s',
    (name, command) => {
      const own = declared(command).filter((option) => !common.includes(option));
      expect(options(section(HASTCTL, name))).toEqual(own);
    },
  );

  it('speaks of no others', () => {
    const known = commands.flatMap(declared);
    expect(options(HASTCTL).filter((name) => ![...known, ...HELP].includes(name))).toEqual([]);
  });

  it('has the exit statuses', () => {
    const [ofResource, ofDump] = [1, 255];
    const used = statuses('cli/hastctl.ts', 'cli/hastctl', 'cli/config-file.ts');
    const expected = ascending([...used, ...CONFIG_STATUSES, ofResource, ofDump]);
    expect(numbers(section(HASTCTL, 'EXIT STATUS'))).toEqual(expected);
  });

  it('explains everything that hastctl logs', () => {
    const explained = new Set(diagnostics(HASTCTL));
    const logged = logMessages([join(project, 'cli/hastctl')]).filter(({ level }) => level !== '*');
    expect(logged.length).toBeGreaterThan(4);
    expect(logged.filter(({ text }) => !explained.has(withoutNames(text)))).toEqual([]);
  });
});

describe('hastsim(1)', () => {
  const terminal = new Terminal(streams, new EventEmitter());
  const { commands } = hastsimCommand(terminal, streams);

  it('has the commands', () => {
    const names = commands.map((command) => command.name());
    expect(subsections(section(HASTSIM, 'DESCRIPTION'))).toEqual(['Common options', ...names, 'help']);
  });

  it.each(commands.map((command) => [command.name(), command] as const))(
    'has the options of %s',
    (name, command) => {
      expect(options(section(HASTSIM, name))).toEqual(declared(command));
    },
  );

  it('speaks of no others, and explains each', () => {
    const known = [...commands.flatMap(declared), ...HELP];
    expect(options(HASTSIM).filter((name) => !known.includes(name))).toEqual([]);
    const explained = options(HASTSIM.filter((line) => line.startsWith('.It Fl')));
    expect(explained).toEqual([...new Set(known)].sort());
  });

  it('has the exit statuses', () => {
    const used = statuses('cli/hastsim.ts', 'cli/hastsim');
    expect(numbers(section(HASTSIM, 'EXIT STATUS'))).toEqual(ascending([...used, 1, EX_INTERRUPTED]));
  });

  it('has a script that is one', () => {
    const scripts = displays(section(HASTSIM, 'EXAMPLES')).filter((text) => text.includes('setup'));
    expect(scripts).toHaveLength(1);
    expect(parseScript(scripts[0] ?? '')).toHaveProperty('steps');
  });
});

describe('hast.conf(5)', () => {
  const hooks = items(section(HAST_CONF, 'HOOKS'));
  const heads = ['NODES', 'THE DAEMON', 'RESOURCES'].flatMap((title) => items(section(HAST_CONF, title)));

  /** Words that are understood where they stand, and are no keywords: they may be names, as ever. */
  const OURS = ['syncrate', 'adaptive'];

  it('has all words of the language, and no others', () => {
    const spoken = new Set(wordsAfter(HAST_CONF, 'Cm'));
    expect([...KEYWORDS].filter((word) => !spoken.has(word) && word !== 'off')).toEqual([]);
    expect(heads).toContain('Cm metaflush Cm on | off');
    const explained = heads.filter((head) => head.startsWith('Cm ')).map((head) => head.split(' ')[1] ?? '');
    expect(explained.filter((word) => !KEYWORDS.has(word))).toEqual(OURS);
  });

  it('has all events of the hook, and no others', () => {
    const events = hooks.map((head) => head.split(' ')[1]);
    expect(events.sort()).toEqual(['role', ...RESOURCE_EVENTS].sort());
  });

  it('has examples that can be used, on either node', () => {
    const files = displays(HAST_CONF).filter((text) => text.includes('resource'));
    expect(files).toHaveLength(2);
    for (const file of files) {
      for (const name of ['alpha', 'beta']) {
        const system = { control: '/c', pidfile: '/p', listen: ['tcp4://0.0.0.0'] };
        expect(parseConfig(file, { kind: 'named', name }, system)).toHaveProperty('resources');
      }
    }
  });
});

describe('the manual pages', () => {
  const pages: readonly (readonly [string, Lines])[] = [
    ['hastd.8', HASTD],
    ['hastctl.8', HASTCTL],
    ['hastsim.1', HASTSIM],
    ['hast.conf.5', HAST_CONF],
  ];

  it.each(pages)('quote no message that is not in the sources: %s', (_name, page) => {
    const written = sources('core', 'native', 'cli').map(withoutNames).join('\n');
    const parts = diagnostics(page).flatMap((message) => message.split('*').map(withoutPunctuation));
    expect(parts.filter((part) => !isPutTogether(part, written))).toEqual([]);
  });

  it('have the environment variables', () => {
    const read = sources('native', 'cli/hastd', 'cli/hastctl', 'cli/hastsim').flatMap((text) =>
      [...text.matchAll(/process\.env\['(\w+)'\]/g)].map(([, name = '']) => name),
    );
    expect(read.length).toBeGreaterThan(0);
    const explained = wordsAfter(
      HASTD.filter((line) => line.startsWith('.It')),
      'Ev',
    );
    expect(read.filter((name) => !explained.includes(name))).toEqual([]);
  });

  it.each(pages)('refer to pages that there are: %s', (_name, page) => {
    const references = page
      .filter((line) => line.startsWith('.Xr hast'))
      .map((line) => line.split(' ').slice(1, 3).join('.'));
    expect(references.length).toBeGreaterThan(0);
    expect(references.filter((name) => !existsSync(join(project, 'cli/share/man', name)))).toEqual([]);
  });
});
