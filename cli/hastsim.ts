#!/usr/bin/env node
/** hastsim: the deterministic simulator of whole clusters (sim/README.md). */
import { ignoreClosedTerminal } from '../native/log.js';
import { hastsim } from './hastsim/main.js';

ignoreClosedTerminal();
process.exitCode = await hastsim(process.argv.slice(2), process, process);
