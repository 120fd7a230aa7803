/** `hastctl role` (core/spec/cli.md section 3). */
import type { Config } from '../../core/config/types.js';
import { decodeRoleReply } from '../../core/control/replies.js';
import type { ResourceNames } from '../../core/control/requests.js';
import type { Log } from '../../core/ports/log.js';
import type { Role } from '../../core/resource/types.js';
import { EX_OK } from '../exit-codes.js';
import { ask, refusal } from './control-client.js';
import { resourceLog } from './output.js';

/** Asks for the change; the exit status is the first error of a resource. `force`: see `hastctl help role`. */
export async function setRole(
  config: Config,
  role: Role,
  names: ResourceNames,
  force: boolean,
  log: Log,
): Promise<number> {
  const reply = decodeRoleReply(await ask(config.control, { kind: 'setrole', role, force, names }));
  if (reply.error !== 0) throw refusal(reply.error);
  for (const entry of reply.entries) {
    const resource = resourceLog(log, entry.resource);
    if (entry.kind === 'error') resource.write('warning', `Received error ${entry.error} from hastd.`);
    else if (entry.previous === role) resource.write('debug2', `Role unchanged (${role}).`);
    else resource.write('debug1', `Role changed from ${entry.previous} to ${role}.`);
  }
  return reply.entries.find((entry) => entry.kind === 'error')?.error ?? EX_OK;
}
