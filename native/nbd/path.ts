/**
 * Where a provider's clients connect: the Unix socket `<run-dir>/hast/<provider>`. Its directory is for hastd's user
 * alone, which is all the access control NBD has. The main daemon owns the listening socket, and passes every
 * connection to the worker that has the device.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import type { PortError } from '../../core/ports/error.js';
import { portError } from '../../core/ports/error.js';
import { portErrorOf } from '../errors.js';
import { checkOwnDirectory } from '../run-directory.js';
import { systemText } from '../text.js';

/** Longest path of a Unix socket on every system we know, in bytes. */
const MAX_PATH_BYTES = 103;

/** The address, as hast.conf spells them, of a provider's socket; or why there cannot be one. */
export function exportAddress(runDir: string, provider: string): string | PortError {
  if (provider === '' || provider === '.' || provider === '..' || provider.includes('/')) {
    return portError('EINVAL', `Provider name "${provider}" cannot be a file name: set another "name".`);
  }
  const path = `${directoryOf(runDir)}/${provider}`;
  if (path.length > MAX_PATH_BYTES) {
    return portError(
      'ENAMETOOLONG',
      `Path ${path} of the provider's socket has ${path.length.toString()} bytes, ` +
        `${MAX_PATH_BYTES.toString()} are possible: use a shorter --run-dir or provider name.`,
    );
  }
  return `uds://${path}`;
}

/** Makes the directory of the sockets, mode 0700; the reason when it cannot. */
export function prepareExportDirectory(runDir: string): PortError | null {
  const directory = systemText(directoryOf(runDir));
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const foreign = checkOwnDirectory(directoryOf(runDir));
    if (foreign !== null) return unusable(runDir, foreign);
    // Whoever made it before may have been more generous.
    chmodSync(directory, 0o700);
    return null;
  } catch (error) {
    return unusable(runDir, portErrorOf(error));
  }
}

function unusable(runDir: string, { code, message }: PortError): PortError {
  return portError(code, `Unable to create directory ${directoryOf(runDir)}: ${message}.`);
}

function directoryOf(runDir: string): string {
  return `${runDir}/hast`;
}
