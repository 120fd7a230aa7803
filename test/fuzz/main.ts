/** Runs random stories: `node dist/test/fuzz/main.js [first seed] [how many]`. Prints what each failing one did. */
import { Story } from '../../sim/story.js';

const first = Number(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 1000);
let failures = 0;
let acknowledged = 0;
for (let seed = first; seed < first + count; seed++) {
  const result = new Story(seed).run();
  acknowledged += result.acknowledged;
  if (result.violations.length === 0) continue;
  failures++;
  console.log(`seed ${String(seed)}`);
  for (const violation of result.violations.slice(0, 3)) console.log(`  ${violation}`);
  if (count > 1) continue;
  for (const line of result.script) console.log(`    ${line}`);
  for (const node of result.nodes) {
    console.log(`  ${node.name}: ${node.hooks.join(', ')}`);
    for (const { level, text } of node.lines) console.log(`    ${level} ${text}`);
  }
}
console.log(
  `${String(count)} stories, ${String(failures)} failed, ${String(acknowledged)} requests acknowledged`,
);
process.exitCode = failures === 0 ? 0 : 1;
