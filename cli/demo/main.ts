/** `npm run demo`: shows what HAST does, then leaves the pair running to play with until Ctrl-C. `--once` ends instead. */
import { EX_OK, EX_SOFTWARE, EX_USAGE } from '../exit-codes.js';
import { RESOURCE, Site } from './site.js';
import { Stage } from './stage.js';
import { Story } from './story.js';

const HELP =
  'usage: npm run demo [-- --once]\n\n  --once  end after the demonstration instead of waiting for Ctrl-C\n';

const A_DAY_MS = 86_400_000;

/** Resolves with the first signal that asks us to end; further ones do not disturb the cleaning up. */
function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, resolve);
    // Waiting for a signal alone does not keep Node running.
    setInterval(() => undefined, A_DAY_MS);
  });
}

function invite(stage: Stage, site: Site, seconds: number): void {
  stage.title(`That took ${seconds} seconds. The pair goes on running; now it is yours.`);
  stage.text(
    '',
    'The commands above work in another terminal after',
    '',
    `    cd ${site.folder}`,
    `    PATH=$PWD/bin:$PATH`,
    '',
    'Node b is primary. Its device is the NBD export on the socket b/hast/' + RESOURCE + ', for example:',
    '',
    '    nbdinfo nbd+unix:///?socket=b/hast/' + RESOURCE,
    '    qemu-img info nbd+unix:///?socket=b/hast/' + RESOURCE,
    '    nbd-client -unix b/hast/' + RESOURCE + ' /dev/nbd0      (as root; then mkfs and mount /dev/nbd0)',
    '',
    'Ask how it is, kill what you like, bring it back:',
    '',
    `    hastctl list ${site.options('b')}`,
    `    kill -9 $(pgrep -f 'hastd: ${RESOURCE} .primary')`,
    `    hastctl role ${site.options('b')} init ${RESOURCE}`,
    '',
    'Ctrl-C here stops both nodes and removes everything.',
  );
}

async function main(args: readonly string[]): Promise<number> {
  const once = args.includes('--once');
  if (args.some((arg) => arg !== '--once')) {
    process.stderr.write(HELP);
    return EX_USAGE;
  }
  const stage = new Stage();
  const site = await Site.open();
  const signal = interrupted();
  const startedMs = performance.now();
  try {
    const told = new Story(stage, site).tell().then(() => null);
    if ((await Promise.race([told, signal])) !== null) return EX_SOFTWARE;
    const seconds = Math.round((performance.now() - startedMs) / 1000);
    if (once) {
      stage.title(`Nothing was lost. That took ${seconds} seconds.`);
    } else {
      invite(stage, site, seconds);
      await signal;
    }
    return EX_OK;
  } catch (error) {
    stage.text('');
    stage.bad(`The demonstration failed: ${error instanceof Error ? error.message : String(error)}`);
    return EX_SOFTWARE;
  } finally {
    stage.text('', 'Stopping both nodes and removing their files ...');
    await site.close();
  }
}

process.exit(await main(process.argv.slice(2)));
