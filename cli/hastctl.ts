#!/usr/bin/env node
/** hastctl(8): control utility of hastd (core/spec/cli.md). */
import { ignoreClosedTerminal } from '../native/log.js';
import { byteText } from '../native/text.js';
import { hastctl } from './hastctl/main.js';

ignoreClosedTerminal();
process.exitCode = await hastctl(process.argv.slice(2).map(byteText), process);
