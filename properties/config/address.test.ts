import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatAddress, parseAddress } from '../../core/config/address.js';
import { isPortError } from '../../core/ports/error.js';

const piece = fc.constantFrom(
  'tcp://',
  'tcp4://',
  'TCP6://',
  'uds://',
  'unix://',
  '/',
  '::',
  ':',
  '[',
  ']',
  'h',
  '1',
  '80',
  '.',
);
const text = fc.oneof(
  fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
  fc.string(),
  fc.ipV6(),
  fc.ipV4(),
);

test('whatever is an address has one spelling that means the same', () => {
  fc.assert(
    fc.property(text, fc.constantFrom(0, 8457), (written, defaultPort) => {
      const address = parseAddress(written, defaultPort);
      if (isPortError(address)) {
        expect(['EINVAL', 'ENAMETOOLONG']).toContain(address.code);
        return;
      }
      const spelled = formatAddress(address);
      expect(parseAddress(spelled, defaultPort)).toEqual(address);
    }),
  );
});

test('every IP address with a port is understood', () => {
  const port = fc.integer({ min: 1, max: 65_535 });
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (host, number) => {
      const written = host.includes(':') ? `[${host}]:${number}` : `${host}:${number}`;
      expect(parseAddress(written)).toEqual({ kind: 'tcp', family: 0, host, port: number });
    }),
  );
});
