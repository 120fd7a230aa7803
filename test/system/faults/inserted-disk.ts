/** An NBD server's export as a file on a host, by nbdfuse. */
import { existsSync } from 'node:fs';
import { eventually } from '../../e2e/cluster.js';
import type { Host } from '../lab/host.js';

/** Where a disk called `name` is on every host: the component for hast.conf. */
export function insertedPath(name: string): string {
  return `/run/disks/${name}/nbd`;
}

/** Offers what will listen at the Unix socket as the file `insertedPath(name)`, as long as the host is on. */
export async function insert(host: Host, name: string, socket: string): Promise<void> {
  const folder = `/run/disks/${name}`;
  await eventually(`the server of disk ${name}`, () => existsSync(socket));
  await host.run(`mkdir -p ${folder}`);
  const nbdfuse = host.start(`disk-${name}`, `nbdfuse ${folder} 'nbd+unix:///?socket=${socket}'`);
  await eventually(`disk ${name} of ${host.name}`, () => {
    if (!nbdfuse.isRunning) throw new Error(nbdfuse.log);
    return existsSync(host.inside(insertedPath(name)));
  });
}
