/** The `setup` lines of a script: `name=value` words, each for something that is not as in DEFAULT_SETUP. */
import type { Setup } from './script.js';
import { DEFAULT_SETUP } from './script.js';
import type { Words } from './words.js';

/** As strings; what cannot be read gives null. */
interface Setting {
  /** What may follow the `=`. */
  readonly values: string;
  readonly read: (value: string, setup: Setup) => Setup | null;
  readonly print: (setup: Setup) => string;
}

function choice<K extends keyof Setup>(name: K, values: readonly (Setup[K] & string)[]): Setting {
  return {
    values: values.join(', '),
    read: (value, setup) => {
      const found = values.find((one) => one === value);
      return found === undefined ? null : { ...setup, [name]: found };
    },
    print: (setup) => String(setup[name]),
  };
}

interface Range {
  readonly min: number;
  readonly max: number;
  /** It is 512, 1024, 2048, ... */
  readonly isPowerOfTwo?: true;
}

function wholeNumber({ min, max, isPowerOfTwo }: Range): (value: string) => number | null {
  return (value) => {
    const number = Number(value);
    if (!/^\d+$/.test(value) || number < min || number > max) return null;
    return isPowerOfTwo && (number & (number - 1)) !== 0 ? null : number;
  };
}

function describe({ min, max, isPowerOfTwo }: Range): string {
  return `a ${isPowerOfTwo ? 'power of two' : 'whole number'}, ${String(min)} .. ${String(max)}`;
}

type NumberName = 'seed' | 'timeout' | 'extents' | 'extentBytes' | 'maxRequestBytes' | 'syncBytesPerS';

function amount(name: NumberName, range: Range): Setting {
  const parse = wholeNumber(range);
  return {
    values: describe(range),
    read: (value, setup) => {
      const number = parse(value);
      return number === null ? null : { ...setup, [name]: number };
    },
    print: (setup) => String(setup[name]),
  };
}

/** `3`, or `3/1`: of node a, and of node b. */
function perNode<T extends string | number>(
  values: string,
  parse: (value: string) => T | null,
  get: (setup: Setup) => Readonly<Record<'a' | 'b', T>>,
  set: (setup: Setup, both: { a: T; b: T }) => Setup,
): Setting {
  return {
    values: `${values}; X/Y when the nodes differ`,
    read: (value, setup) => {
      const [first = '', second = first, ...rest] = value.split('/');
      const [a, b] = [parse(first), parse(second)];
      return a === null || b === null || rest.length > 0 ? null : set(setup, { a, b });
    },
    print: (setup) => {
      const { a, b } = get(setup);
      return a === b ? String(a) : `${String(a)}/${String(b)}`;
    },
  };
}

function yesOrNo(get: (setup: Setup) => boolean, set: (setup: Setup, on: boolean) => Setup): Setting {
  return {
    values: 'yes, no',
    read: (value, setup) => (value === 'yes' || value === 'no' ? set(setup, value === 'yes') : null),
    print: (setup) => (get(setup) ? 'yes' : 'no'),
  };
}

const CORES = ['own', 'freebsd-12.1', 'protocol-1'] as const;
/** Four images of it have to fit into the memory of a test. */
const MAX_DEVICE_BYTES = 1 << 26;
const UINT32_MAX = 0xffff_ffff;
const KEEPDIRTY = { min: 1, max: 4096 };

const SETTINGS: ReadonlyMap<string, Setting> = new Map([
  ['seed', amount('seed', { min: 0, max: UINT32_MAX })],
  ['replication', choice('replication', ['fullsync', 'memsync', 'async'])],
  ['checksum', choice('checksum', ['none', 'crc32', 'sha256'])],
  ['compression', choice('compression', ['none', 'hole', 'lzf'])],
  ['timeout', amount('timeout', { min: 1, max: 2_147_483_647 })],
  ['extents', amount('extents', { min: 1, max: 4095 })],
  ['extent-bytes', amount('extentBytes', { min: 512, max: 1 << 21, isPowerOfTwo: true })],
  ['max-request', amount('maxRequestBytes', { min: 512, max: 1 << 20, isPowerOfTwo: true })],
  ['sync-rate', amount('syncBytesPerS', { min: 0, max: UINT32_MAX })],
  ['ties', choice('ties', ['sequence', 'random', 'priority'])],
  [
    'keepdirty',
    perNode(
      describe(KEEPDIRTY),
      wholeNumber(KEEPDIRTY),
      (setup) => setup.keepdirty,
      (setup, keepdirty) => ({ ...setup, keepdirty }),
    ),
  ],
  [
    'core',
    perNode(
      CORES.join(', '),
      (value) => CORES.find((core) => core === value) ?? null,
      (setup) => setup.cores,
      (setup, cores) => ({ ...setup, cores }),
    ),
  ],
  [
    'takeover',
    yesOrNo(
      (setup) => setup.takeover,
      (setup, takeover) => ({ ...setup, takeover }),
    ),
  ],
  [
    'cached',
    yesOrNo(
      (setup) => setup.cached,
      (setup, cached) => ({ ...setup, cached }),
    ),
  ],
]);

/** The rest of a `setup` line, added to `before`. */
export function parseSetup(words: Words, before: Setup): Setup {
  let setup = before;
  do {
    const word = words.take('name=value');
    const [, name = word, value = ''] = /^([^=]*)=(.*)$/.exec(word) ?? [];
    const setting = SETTINGS.get(name);
    const next = setting?.read(value, setup) ?? null;
    if (setting === undefined) {
      words.fail(`unknown setting "${name}"; there are: ${[...SETTINGS.keys()].join(', ')}`);
    } else if (next === null) {
      words.fail(`"${word}": expected ${name}=VALUE, where VALUE is ${setting.values}`);
    } else {
      setup = next;
    }
  } while (!words.atEnd);
  if (setup.extents * setup.extentBytes > MAX_DEVICE_BYTES) {
    words.fail(
      `extents times extent-bytes is more than ${String(MAX_DEVICE_BYTES)}: make one of them smaller`,
    );
  }
  return setup;
}

/** A `setup` line with what differs from DEFAULT_SETUP, or nothing. */
export function printSetup(setup: Setup): string {
  const parts: string[] = [];
  for (const [name, { print }] of SETTINGS) {
    const value = print(setup);
    if (value !== print(DEFAULT_SETUP)) parts.push(`${name}=${value}`);
  }
  return parts.length === 0 ? '' : `setup ${parts.join(' ')}\n`;
}
