import { DEFAULT_SYNCRATE } from '../../core/config/defaults.js';
import fc from 'fast-check';

import { expect, test } from 'vitest';
import { systemDefaults } from '../../core/config/defaults.js';
import { isConfigError } from '../../core/config/config-error.js';
import { isWord, tokenize } from '../../core/config/lexer.js';
import { parseConfig } from '../../core/config/parser.js';
import { printConfig } from '../../core/config/printer.js';
import type { Config, ResourceConfig } from '../../core/config/types.js';

const SYSTEM = systemDefaults('/var/run', { ipv4: true, ipv6: true });
const WORD_CHARACTERS = [...'ABYZabyz0189.-_/:[]'];

const word = (maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...WORD_CHARACTERS), minLength: 1, maxLength }).filter(isWord);

const resource: fc.Arbitrary<ResourceConfig> = fc.record({
  name: word(254),
  provname: word(254),
  localpath: word(1023),
  remoteaddr: fc.oneof(word(40), fc.constant('none')),
  sourceaddr: fc.oneof(word(40), fc.constant('')),
  replication: fc.constantFrom('fullsync', 'memsync', 'async'),
  checksum: fc.constantFrom('none', 'crc32', 'sha256'),
  compression: fc.constantFrom('none', 'hole', 'lzf'),
  timeout: fc.integer({ min: 1, max: 2_147_483_647 }),
  exec: fc.oneof(word(40), fc.constant('')),
  metaflush: fc.boolean(),
  syncrate: fc
    .tuple(fc.integer({ min: 2 ** 16, max: 2 ** 40 }), fc.integer({ min: 0, max: 2 ** 40 }), fc.boolean())
    .map(([leastPerS, more, isLimited]) =>
      isLimited ? { leastPerS, mostPerS: leastPerS + more } : DEFAULT_SYNCRATE,
    ),
});

const config: fc.Arbitrary<Config> = fc.record({
  control: word(40),
  pidfile: word(40),
  listen: fc.array(word(40), { minLength: 1, maxLength: 4 }),
  resources: fc.uniqueArray(resource, { selector: ({ name }) => name, maxLength: 4 }),
});

test('a printed configuration reads back as it was', () => {
  fc.assert(
    fc.property(config, word(40), (value, node) => {
      expect(parseConfig(printConfig(value, node), { kind: 'named', name: node }, SYSTEM)).toEqual(value);
    }),
  );
});

test('white space, comments and unknown bytes between words change nothing', () => {
  const separator = fc.constantFrom(' ', '\t', '\n', ' # x {\n', '"', ';', '\r\n', '\u0000', '\u00e9');
  fc.assert(
    fc.property(config, word(40), fc.infiniteStream(separator), (value, node, separators) => {
      const words = tokenize(printConfig(value, node)).map(({ text }) => text);
      const text = words.map((token) => `${separators.next().value ?? ' '}${token}`).join('');
      expect(parseConfig(text, { kind: 'named', name: node }, SYSTEM)).toEqual(value);
    }),
  );
});

test('any text gives a configuration or an error with a line of the file', () => {
  const pieces = fc.constantFrom(
    'on',
    'resource',
    'listen',
    'remote',
    'none',
    'local',
    '{',
    '}',
    'h',
    '7',
    '\n',
    '#',
    '"',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 60 }), (parts) => {
      const text = parts.join(' ');
      const result = parseConfig(text, { kind: 'named', name: 'h' }, SYSTEM);
      if (!isConfigError(result)) return;
      expect(result.line).toBeGreaterThanOrEqual(1);
      expect(result.line).toBeLessThanOrEqual(text.split('\n').length);
    }),
  );
});
