/** `npm run install-system`: the command line, and what to do next. */
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, CommanderError, Option } from 'commander';
import { EX_OK, EX_SOFTWARE, EX_USAGE } from '../exit-codes.js';
import { Failure } from '../failure.js';
import { install, uninstall } from './apply.js';
import type { Destination } from './apply.js';
import { systemItems } from './items.js';
import type { SystemName } from './items.js';

/** From dist/cli/install-system. */
const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

interface Streams {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
}

interface RawOptions {
  readonly prefix: string;
  readonly destdir: string;
  readonly os: SystemName | undefined;
  readonly uninstall?: true;
}

/** Runs `install-system ARGV`; the exit status. */
export function installSystem(argv: readonly string[], { stdout, stderr }: Streams): number {
  const command = declare(stdout, stderr);
  try {
    command.parse(argv, { from: 'user' });
    const options = command.opts<RawOptions>();
    if (!isAbsolute(options.prefix)) {
      throw new Failure(
        EX_USAGE,
        `--prefix ${options.prefix}: expected an absolute path, such as /usr/local`,
      );
    }
    stdout.write(carryOut(options));
    return EX_OK;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EX_OK : EX_USAGE;
    if (!(error instanceof Failure)) throw error;
    stderr.write(`install-system: ${error.message}\n`);
    return error.exitCode;
  }
}

function declare(
  stdout: { write(text: string): unknown },
  stderr: { write(text: string): unknown },
): Command {
  return new Command('install-system')
    .description('Installs hastd, hastctl, hastsim, their manual pages, services and fail-over scripts.')
    .requiredOption('--prefix <dir>', 'where programs will run from, such as /usr/local')
    .option('--destdir <dir>', 'put everything below this directory, to make a package', '')
    .addOption(
      new Option('--os <name>', 'whose services to install (default: this system)').choices([
        'linux',
        'freebsd',
      ]),
    )
    .option('--uninstall', 'remove what was installed with this prefix')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
    });
}

function carryOut(options: RawOptions): string {
  const destination: Destination = {
    prefix: resolve(options.prefix),
    root: options.destdir === '' ? '' : resolve(options.destdir),
  };
  if (options.uninstall === true) {
    return `Removed ${uninstall(destination)} files from ${destination.root}${destination.prefix}.\n`;
  }
  const system = options.os ?? thisSystem();
  const items = systemItems(PROJECT, destination.prefix, system);
  const { written, unchanged, removed } = install(items, destination);
  const counts = `${written} written, ${unchanged} unchanged, ${removed} removed`;
  return `Installed in ${destination.root}${destination.prefix}: ${counts}.\n${advice(destination.prefix, system)}`;
}

function thisSystem(): SystemName {
  const { platform } = process;
  if (platform === 'linux' || platform === 'freebsd') return platform;
  throw new Failure(
    EX_SOFTWARE,
    `there are no services for ${platform}: choose those of another system with --os`,
  );
}

function advice(prefix: string, system: SystemName): string {
  const share = `${prefix}/lib/hast/share`;
  const lines =
    system === 'linux'
      ? [
          `systemd-sysusers ${prefix}/lib/sysusers.d/hast.conf     the user that workers become`,
          prefix === '/usr' || prefix === '/usr/local'
            ? 'systemctl daemon-reload'
            : `systemctl link ${prefix}/lib/systemd/system/hastd.service`,
          'systemctl enable --now hastd',
        ]
      : ['sysrc hastd_enable=YES', 'service hastd start'];
  const steps = [...lines, `fail-over: ${share}/README.md`];
  return `Next, with /etc/hast.conf in place:\n${steps.map((line) => `  ${line}\n`).join('')}`;
}
