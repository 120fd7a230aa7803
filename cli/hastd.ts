#!/usr/bin/env node
/** hastd: the daemon of a HAST node (core/spec/cli.md sections 8 to 11). */
import '../native/no-inspector.js';
import { loadAddon } from '../native/addon.js';
import { ignoreClosedTerminal } from '../native/log.js';
import { byteText } from '../native/text.js';
import { HastdHost } from './hastd/host.js';
import type { HastdOptions } from './hastd/options.js';
import { parseOptions } from './hastd/options.js';
import { isLaunched, launch, launcherOf, TERMINAL } from './hastd/startup.js';
import type { Starter } from './hastd/startup.js';
import { realSystem } from './hastd/system.js';

function host(options: HastdOptions, starter: Starter): void {
  new HastdHost(options, starter, realSystem(loadAddon())).run();
}

const launched = isLaunched();
const options = parseOptions(process.argv.slice(2).map(byteText));
ignoreClosedTerminal();
if ('exitCode' in options) {
  process.stdout.write(options.stdout);
  process.stderr.write(options.stderr);
  process.exitCode = options.exitCode;
} else if (options.foreground) {
  host(options, TERMINAL);
} else if (launched) {
  host(options, launcherOf());
} else {
  process.exit(await launch());
}
