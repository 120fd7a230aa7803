#!/usr/bin/env node
/** Installs what `npm run build` made, for everybody on this machine; or takes it away again. */
import { installSystem } from './install-system/main.js';

process.exitCode = installSystem(process.argv.slice(2), process);
