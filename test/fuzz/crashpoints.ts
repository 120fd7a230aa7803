/**
 * Ends a node between any two events of short scripts: `node dist/test/fuzz/crashpoints.js [stride] [first]`. An event is a
 * message, a disk operation or a timer, so these are all crash points of core/spec/faults.md section 2. Then the node comes
 * back in its role, and the pair must become equal with nothing acknowledged missing.
 */
import type { ReplicationMode } from '../../core/config/types.js';
import type { SimNode } from '../../sim/node.js';
import { Scheduler } from '../../sim/scheduler.js';
import { EXTENT_SECTORS, Pair } from '../primary/pair.js';

interface Script {
  readonly name: string;
  /** Up to where crashes begin; the result is the primary. */
  begin(pair: Pair): SimNode;
  play(pair: Pair): void;
}

function writeEverywhere(pair: Pair): void {
  for (let extent = 0; extent < 8; extent++) pair.app.write(extent * EXTENT_SECTORS, 9);
}

function load(pair: Pair): void {
  for (let i = 0; i < 12; i++) {
    pair.app.act();
    pair.wait(3);
  }
}

const SCRIPTS: readonly Script[] = [
  {
    name: 'first contact',
    begin: (pair) => {
      for (const node of [pair.a, pair.b]) {
        node.create();
        node.start();
      }
      pair.wait(100);
      pair.b.setRole('secondary');
      pair.a.setRole('primary');
      return pair.a;
    },
    play: load,
  },
  {
    name: 'writes and flushes',
    begin: (pair) => {
      pair.begin();
      return pair.a;
    },
    play: (pair) => {
      writeEverywhere(pair);
      pair.wait(5);
      load(pair);
      pair.app.flush();
      pair.wait(6_000);
    },
  },
  {
    name: 'return of the secondary',
    begin: (pair) => {
      pair.begin();
      pair.b.killAll();
      pair.wait(1_000);
      writeEverywhere(pair);
      pair.settle();
      pair.revive(pair.b);
      pair.role(pair.b, 'secondary');
      pair.until(() => pair.b.hasWorker);
      return pair.a;
    },
    play: load,
  },
  {
    name: 'new disk of the secondary',
    begin: (pair) => {
      pair.begin();
      writeEverywhere(pair);
      pair.settle();
      pair.app.flush();
      pair.settle();
      pair.b.killAll();
      pair.b.create();
      for (const image of [pair.b.medium.visible, pair.b.medium.durable]) image.fill(0, Pair.at(0));
      pair.revive(pair.b);
      pair.role(pair.b, 'secondary');
      pair.until(() => pair.b.hasWorker);
      return pair.a;
    },
    play: load,
  },
  {
    name: 'failback',
    begin: (pair) => {
      pair.begin();
      writeEverywhere(pair);
      pair.settle();
      pair.a.killAll();
      pair.wait(25_000);
      pair.role(pair.b, 'primary');
      pair.wait(15_000);
      writeEverywhere(pair);
      pair.settle();
      pair.role(pair.b, 'secondary');
      pair.revive(pair.a);
      const lines = pair.a.lines.length;
      pair.role(pair.a, 'primary');
      pair.until(() => pair.a.lines.slice(lines).some(({ text }) => text.startsWith('Connected to')));
      return pair.a;
    },
    play: load,
  },
];

const ENDS = [
  'crash of P',
  'crash of S',
  'power of P',
  'power of S',
  'power of both',
  'worker of P',
] as const;

function end(pair: Pair, how: (typeof ENDS)[number]): void {
  const [p, s] = [pair.a, pair.b];
  if ((how === 'power of P' && !p.metadata().incomplete) || how === 'power of both')
    pair.app.history.powerLost();
  if (how === 'crash of P') p.killAll();
  if (how === 'crash of S') s.killAll();
  if (how === 'worker of P') p.killWorker();
  if (how === 'power of P' || how === 'power of both') p.losePower();
  if (how === 'power of S' || how === 'power of both') s.losePower();
}

/** True when the script was over before the point. */
function run(script: Script, mode: ReplicationMode, how: (typeof ENDS)[number], point: number): boolean {
  const scheduler = new Scheduler();
  let left = point;
  const pair = new Pair({ replication: mode, timeout: 5 }, point + 1, scheduler);
  const { violations } = pair.app;
  let over = false;
  try {
    const primary = script.begin(pair);
    scheduler.beforeEvent = () => {
      if (left-- === 0) end(pair, how);
    };
    script.play(pair);
    over = left >= 0;
    scheduler.beforeEvent = null;
    for (const node of [pair.a, pair.b]) {
      if (node.alive) continue;
      pair.revive(node);
      node.setRole(node === primary ? 'primary' : 'secondary');
    }
    // A primary hears of it when it next sends.
    pair.wait(25_000);
    pair.inSync(primary);
    pair.wait(1_000);
    const copy = pair.b.userData();
    if (pair.a.userData().some((byte, at) => byte !== copy[at])) violations.push('I9: copies differ');
    pair.app.checkImage(pair.a.userData(), 'a');
    if (pair.b.hooks.includes('split-brain r0')) violations.push('I13: split-brain');
    if (pair.a.metadata().incomplete || pair.b.metadata().incomplete) violations.push('W8: incomplete');
  } catch (error) {
    violations.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
  if (violations.length > 0) {
    failures++;
    console.log(
      `${script.name}, ${mode}, ${how} before event ${String(point)}: ${violations.slice(0, 2).join('; ')}`,
    );
  }
  return over;
}

const stride = Number(process.argv[2] ?? 7);
const first = Number(process.argv[3] ?? 0);
let failures = 0;
let runs = 0;
for (const script of SCRIPTS) {
  const before = runs;
  for (const mode of ['fullsync', 'memsync', 'async'] as const) {
    for (const how of ENDS) {
      for (let point = first; !run(script, mode, how, point); point += stride) runs++;
    }
  }
  console.log(`${script.name}: ${String(runs - before)} crash points`);
}
console.log(`${String(runs)} crash points, ${String(failures)} failed`);
process.exitCode = failures === 0 ? 0 : 1;
