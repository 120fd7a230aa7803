/**
 * Where a provider's clients connect: the Unix socket `<run-dir>/hast/<provider>`. Its directory is for hastd's user
 * alone, which is all the access control NBD has. The main daemon owns the listening socket, and passes every
 * connection to the worker that has the device.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { PortError } from '../../core/ports/error.js';
import { portError } from '../../core/ports/error.js';

/** `sun_path` without the final zero byte. */
const MAX_PATH_BYTES = process.platform === 'linux' ? 107 : 103;

/** The path of a provider's socket, or why there cannot be one. */
export function exportPath(runDir: string, provider: string): string | PortError {
  const path = join(runDir, 'hast', provider);
  const bytes = Buffer.byteLength(path);
  if (provider === '' || provider === '.' || provider === '..' || provider.includes('/')) {
    return portError('EINVAL', `Provider name "${provider}" cannot be a file name: set another "name".`);
  }
  if (bytes > MAX_PATH_BYTES) {
    return portError(
      'ENAMETOOLONG',
      `Socket path ${path} has ${bytes.toString()} bytes, ${MAX_PATH_BYTES.toString()} are possible: ` +
        `use a shorter --run-dir or provider name.`,
    );
  }
  return path;
}

/** The socket's address as hast.conf spells addresses. */
export function exportAddress(path: string): string {
  return `uds://${path}`;
}

/** Makes the directory of the sockets, mode 0700; the reason when it cannot. */
export function prepareExportDirectory(runDir: string): PortError | null {
  const directory = join(runDir, 'hast');
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    chmodSync(directory, 0o700);
    return null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
    return portError(code, `Unable to create directory ${directory}: ${code}.`);
  }
}
