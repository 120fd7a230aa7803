// Reads vitest's JSON report: `tests.mjs passed REPORT` prints a number, `tests.mjs failed REPORT [SKIPS]` a line for
// each test that failed or was skipped, unless its full name matches SKIPS (`none`: nothing may be skipped).
import { readFileSync } from 'node:fs';

const [, , what, path, skips = 'none'] = process.argv;
const { testResults } = JSON.parse(readFileSync(path, 'utf8'));
const tests = testResults.flatMap(({ assertionResults }) => assertionResults);

if (what === 'passed') {
  console.log(tests.filter(({ status }) => status === 'passed').length);
} else {
  for (const { name, status, assertionResults, message } of testResults) {
    const hasFailure = assertionResults.some((test) => test.status === 'failed');
    if (status === 'failed' && !hasFailure) console.log(`${name}: ${message.split('\n')[0]}`);
  }
  for (const { fullName, status } of tests) {
    if (status === 'failed') console.log(fullName);
    else if (status !== 'passed' && !(skips !== 'none' && fullName.includes(skips)))
      console.log(`${fullName} (${status})`);
  }
}
