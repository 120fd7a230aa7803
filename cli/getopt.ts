/**
 * getopt(3)'s rules for options that are declared with commander: options end at the first operand or at `--`,
 * letters may be joined, a value may be joined to its letter. Long options are ours; an unknown one is reported as
 * getopt does, which sees an option `-`.
 */
import { InvalidArgumentError } from 'commander';
import type { Command, Option } from 'commander';

/** What ended the reading of options early. */
export type Refusal =
  /** `-h`, or getopt's own line. */
  | { readonly kind: 'usage'; readonly complaint: string | null }
  /** A value that its option refused (InvalidArgumentError). */
  | { readonly kind: 'value'; readonly complaint: string }
  /** `--help` */
  | { readonly kind: 'help' };

/** Sets the options of `command` that `args` begin with; the operands, or why there is no use in going on. */
export function readOptions(command: Command, args: readonly string[]): readonly string[] | Refusal {
  const rest = [...args];
  for (let arg = rest[0]; arg?.startsWith('-') && arg !== '-'; arg = rest[0]) {
    rest.shift();
    if (arg === '--') break;
    const refusal = arg.startsWith('--') ? readLong(command, arg, rest) : readLetters(command, arg, rest);
    if (refusal !== null) return refusal;
  }
  return rest;
}

export function isRefusal(value: readonly string[] | Refusal): value is Refusal {
  return 'kind' in value;
}

/** `-abc`, `-cvalue`, `-c value` */
function readLetters(command: Command, arg: string, rest: string[]): Refusal | null {
  for (let i = 1; i < arg.length; i++) {
    const letter = arg.charAt(i);
    if (letter === 'h') return { kind: 'usage', complaint: null };
    const option = command.options.find(({ short }) => short === `-${letter}`);
    if (option === undefined) return { kind: 'usage', complaint: `illegal option -- ${letter}` };
    if (!option.required) {
      set(command, option, '');
      continue;
    }
    const value = i + 1 < arg.length ? arg.slice(i + 1) : rest.shift();
    if (value === undefined) return { kind: 'usage', complaint: `option requires an argument -- ${letter}` };
    return set(command, option, value);
  }
  return null;
}

/** `--json`, `--node name`, `--node=name` */
function readLong(command: Command, arg: string, rest: string[]): Refusal | null {
  const [, name, joined] = /^(--[^=]*)(?:=([^]*))?$/.exec(arg) ?? [];
  if (name === '--help') return { kind: 'help' };
  const option = command.options.find(({ long }) => long === name);
  if (option === undefined || (joined !== undefined && !option.required)) {
    return { kind: 'usage', complaint: 'illegal option -- -' };
  }
  const value = option.required ? (joined ?? rest.shift()) : '';
  if (value === undefined)
    return { kind: 'usage', complaint: `option requires an argument -- ${option.name()}` };
  return set(command, option, value);
}

function set(command: Command, option: Option, text: string): Refusal | null {
  const key = option.attributeName();
  const previous: unknown = command.getOptionValue(key);
  const plain = option.required ? text : true;
  try {
    const value: unknown = option.parseArg === undefined ? plain : option.parseArg(text, previous);
    command.setOptionValueWithSource(key, value, 'cli');
    return null;
  } catch (error) {
    if (error instanceof InvalidArgumentError) return { kind: 'value', complaint: error.message };
    throw error;
  }
}
