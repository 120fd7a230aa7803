/** What this host is called and which IP versions it has, for reading hast.conf (core/spec/config.md sections 2, 4). */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import type { NodeIdentity } from '../core/config/node-identity.js';

export function hostIdentity(): NodeIdentity {
  const onFreeBsd = process.platform === 'freebsd';
  return {
    kind: 'host',
    hostname: hostname(),
    hostuuid: onFreeBsd ? sysctl('kern.hostuuid') : machineId(),
    hostid: onFreeBsd ? numberOf(sysctl('kern.hostid')) : storedHostId(),
  };
}

export function ipVersions(): { readonly ipv4: boolean; readonly ipv6: boolean } {
  const families = Object.values(networkInterfaces()).flatMap(
    (each) => each?.map(({ family }) => family) ?? [],
  );
  return { ipv4: families.includes('IPv4'), ipv6: families.includes('IPv6') };
}

function sysctl(name: string): string | null {
  try {
    return execFileSync('/sbin/sysctl', ['-n', name], { encoding: 'latin1' }).trim();
  } catch {
    return null;
  }
}

function numberOf(text: string | null): number | null {
  return text === null || !/^[0-9]+$/.test(text) ? null : Number(text);
}

/** Linux: what every user may read; the SMBIOS UUID is for root only. */
function machineId(): string | null {
  try {
    return readFileSync('/etc/machine-id', 'latin1').trim() || null;
  } catch {
    return null;
  }
}

/** Linux: gethostid(3) would make one up from an address, but a name in a file for all nodes has to stay. */
function storedHostId(): number | null {
  try {
    return readFileSync('/etc/hostid').readUInt32LE(0);
  } catch {
    return null;
  }
}
