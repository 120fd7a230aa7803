/**
 * Interop kind `hastctl`: our client in the place of the reference's. It must ask what the reference's client asked,
 * and print what that printed when it got the recorded reply.
 */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import type { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { isPortError } from '../../core/ports/error.js';
import { HEADER_BYTES, decodeHeader, encodeFrame } from '../../core/wire/frame.js';
import { decodeNv } from '../../core/wire/nv-list.js';
import { encodeNv, nv } from '../../core/wire/nv.js';
import { bytesOfHex, filesUnder, hexOf, readJsonLines } from './files.js';
import { runHastctl } from '../cli/run-hastctl.js';
import type { Setting } from '../cli/run-hastctl.js';
import type { Kind } from './kind.js';
import type { Case, Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

interface Call {
  readonly case: string;
  readonly node: string;
  readonly argv: readonly string[];
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  /** What went to the daemon and came back, if it was asked. */
  readonly request_hex?: string;
  readonly reply_hex?: string;
  readonly reply_nv?: readonly { readonly name: string; readonly value: string | number }[];
}

export const hastctl: Kind = {
  name: 'hastctl',

  async run(folder: string, report: Report): Promise<void> {
    const printed = new Set(readdirSync(join(folder, 'hastctl')).filter((file) => /\.(out|err)$/.test(file)));
    for (const file of filesUnder(folder, 'control', '.jsonl')) {
      const scenario = basename(file, '.jsonl');
      // Calls without arguments are requests that no hastctl made.
      const calls = readJsonLines<Call>(folder, file).filter(({ argv }) => argv !== undefined);
      for (const call of calls) await replay(folder, scenario, call, report, printed);
    }
    for (const file of printed) report.case(file).fail('no recorded call printed this');
  },

  significant(folder: string): Significant[] {
    const calls = filesUnder(folder, 'control', '.jsonl').flatMap((file) =>
      readJsonLines<Call>(folder, file).flatMap(({ argv }, line) =>
        argv === undefined ? [] : [{ file, line }],
      ),
    );
    const ofCall = calls.flatMap(({ file, line }) =>
      leavesOf(
        folder,
        file,
        new RegExp(`^${line}\\.(exit|stdout|stderr|request_hex|reply_hex|reply_nv\\.\\d+\\.value)$`),
      ),
    );
    const outputs = [...filesUnder(folder, 'hastctl', '.out'), ...filesUnder(folder, 'hastctl', '.err')];
    return [...ofCall, ...outputs.flatMap((file) => leavesOf(folder, file, /^\d+$/))];
  },
};

async function replay(
  folder: string,
  scenario: string,
  call: Call,
  report: Report,
  printed: Set<string>,
): Promise<void> {
  const [command = ''] = call.argv;
  const test = report.case(`${scenario}: ${command} on ${call.node}, ${call.case}`);
  const work = mkdtempSync(join(tmpdir(), 'hast-hastctl-'));
  const control = join(work, 'ctl');
  const daemon = new FakeDaemon(bytesOfHex(call.reply_hex ?? ''));
  try {
    if (call.request_hex !== undefined) await daemon.listen(control);
    else if (call.stderr.includes('Connection refused')) await leaveStaleSocket(control);
    const ours = await runHastctl(call.argv, {
      folder: work,
      control,
      components: components(work, call.stdout),
    });
    test.same('exit', call.exit, ours.exit);
    test.same('stdout', call.stdout, ours.stdout);
    const renamed = ours.stderr.replaceAll(control, `/mnt/hast/${scenario}/ctl.${call.node}`);
    test.same('stderr', call.stderr, renamed);
    test.same('request_hex', call.request_hex ?? '', hexOf(daemon.request));
    checkReply(test, call);

    const name = `${scenario}.${command}-${call.node}-${call.case.replaceAll(/[^A-Za-z0-9]+/g, '-')}`;
    for (const [suffix, text] of [
      ['out', ours.stdout],
      ['err', renamed],
    ] as const) {
      const file = `${name}.${suffix}`;
      if (!printed.delete(file)) continue;
      test.same(file, readFileSync(join(folder, 'hastctl', file), 'latin1'), text);
    }
  } finally {
    daemon.close();
    rmSync(work, { recursive: true });
  }
}

/** The recorded reply means what was recorded, and our encoder would write the same bytes. */
function checkReply(test: Case, { reply_hex, reply_nv }: Call): void {
  if (reply_hex === undefined) return;
  const bytes = bytesOfHex(reply_hex);
  const list = decodeNv(bytes.subarray(HEADER_BYTES));
  if (isPortError(list)) return test.fail(list.message);
  const pairs = list.pairs();
  const values = pairs.map(({ name, value }) => ({
    name,
    value: typeof value === 'bigint' ? String(value) : value,
  }));
  test.same(
    'reply_nv',
    reply_nv?.map(({ name, value }) => ({ name, value })),
    values,
  );
  test.same('reply_hex', reply_hex, hexOf(encodeFrame(decodeHeader(bytes).version, pairs)));
}

/** Answers one request and remembers it. */
class FakeDaemon {
  request = new Uint8Array(0);
  readonly #server: Server;

  constructor(reply: Uint8Array) {
    this.#server = createServer((socket) => {
      socket.on('data', (chunk) => {
        this.request = Buffer.concat([this.request, chunk]);
        if (this.request.length < HEADER_BYTES) return;
        if (this.request.length >= HEADER_BYTES + decodeHeader(this.request).listBytes) socket.end(reply);
      });
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  close(): void {
    this.#server.close();
  }
}

/** A socket that nobody listens on any more. */
async function leaveStaleSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.live`, resolve));
  renameSync(`${path}.live`, path);
  await new Promise((resolve) => server.close(resolve));
}

/** Components for every resource that a dump shows, so that ours can show it too. */
function components(folder: string, dumped: string): Setting['components'] {
  const resources = dumped.split(/^(?=resource: )/m).filter((text) => text.startsWith('resource: '));
  return Object.fromEntries(
    resources.map((text) => {
      const field = (name: string): string => new RegExp(`^ *${name}: (\\S+)`, 'm').exec(text)?.[1] ?? '';
      const path = join(folder, `${field('resource')}.img`);
      writeFileSync(path, metadataOf(field));
      truncateSync(path, Number(field('datasize')) + Number(field('localoff')));
      return [field('resource'), path];
    }),
  );
}

/** A reference block with the values that the dump shows. */
function metadataOf(field: (name: string) => string): Uint8Array {
  const pairs = [
    nv.string('resource', field('resource')),
    nv.uint64('datasize', BigInt(field('datasize'))),
    nv.uint32('extentsize', Number(field('extentsize'))),
    nv.uint32('keepdirty', Number(field('keepdirty'))),
    nv.uint64('offset', BigInt(field('localoff'))),
    nv.uint64('resuid', BigInt(field('resuid'))),
    nv.uint64('localcnt', BigInt(field('localcnt'))),
    nv.uint64('remotecnt', BigInt(field('remotecnt'))),
    nv.string('prevrole', field('prevrole')),
  ];
  return encodeNv(pairs);
}
