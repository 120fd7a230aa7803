import { hostname } from 'node:os';
import { expect, test } from 'vitest';
import { hostIdentity, ipVersions } from '../../native/node-identity.js';

test('this host has a name, and a uuid and an id or none', () => {
  const identity = hostIdentity();
  expect(identity).toMatchObject({ kind: 'host', hostname: hostname() });
  if (identity.kind !== 'host') return;
  if (identity.hostuuid !== null) expect(identity.hostuuid).toMatch(/^[0-9a-f-]+$/i);
  if (identity.hostid !== null) expect(Number.isInteger(identity.hostid)).toBe(true);
});

test('this host has an IP version', () => {
  const { ipv4, ipv6 } = ipVersions();
  expect(ipv4 || ipv6).toBe(true);
});
