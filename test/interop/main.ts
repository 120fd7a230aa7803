/**
 * `npm run interop`: our code against the recorded behaviour of the reference. HAST_REFERENCE names another folder of
 * recordings; `--kind NAME` runs one kind. Exit status 1 when anything failed.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { KINDS, runKind } from './suite.js';

const { values } = parseArgs({ options: { kind: { type: 'string' } } });
const folder =
  process.env['HAST_REFERENCE'] ?? fileURLToPath(new URL('../../../test/interop/reference', import.meta.url));
const kinds = KINDS.filter((kind) => values.kind === undefined || kind.name === values.kind);
if (kinds.length === 0) {
  console.error(`no kind '${values.kind}'; there are: ${KINDS.map((kind) => kind.name).join(', ')}`);
  process.exit(64);
}

let passed = 0;
let failed = 0;
for (const kind of kinds) {
  const report = await runKind(kind, folder);
  for (const failure of report.failures()) console.error(failure);
  console.log(`${kind.name}: ${report.passed} passed, ${report.failed} failed`);
  passed += report.passed;
  failed += report.failed;
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
