/**
 * Interop kind `metadata`: components as `hastctl create` leaves them, and every state of a life that the reference
 * left on disk: our codec reads it, our dump prints it, and writing it again gives the same bytes.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeMetadata, encodeMetadata } from '../../core/metadata/codec.js';
import { METADATA_BYTES } from '../../core/metadata/geometry.js';
import { isPortError } from '../../core/ports/error.js';
import { tsCodecs } from '../../core/wire/codecs.js';
import type { Created, Dumped } from './create-differences.js';
import { bytesOfHex, filesUnder, hexOf, readJson } from './files.js';
import { runHastctl } from '../cli/run-hastctl.js';
import type { Setting } from '../cli/run-hastctl.js';
import type { Kind } from './kind.js';
import type { Case, Report } from './report.js';
import { leavesOf } from './significant.js';
import type { Significant } from './significant.js';

const codecs = tsCodecs((data) => createHash('sha256').update(data).digest());

/** A component: its bytes before user data, zeros left out, and what dump said. */
interface State {
  readonly file_size: number;
  readonly dump_stdout: string;
  readonly dump_stderr: string;
  readonly dump_exit: number;
  readonly metadata: readonly { readonly offset: number; readonly hex: string }[];
  readonly metadata_nv: readonly { readonly name: string; readonly value: string | number }[];
}

interface Creation extends Partial<State> {
  readonly case: string;
  readonly resource: string;
  readonly provider_size: number;
  readonly argv: readonly string[];
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Life {
  readonly resource: string;
  readonly states: readonly (State & { readonly node: string; readonly label: string })[];
}

export const metadata: Kind = {
  name: 'metadata',

  async run(folder: string, report: Report): Promise<void> {
    for (const file of creations(folder)) await replayCreate(readJson<Creation>(folder, file), report);
    for (const file of lives(folder)) await replayLife(file, readJson<Life>(folder, file), report);
  },

  significant(folder: string): Significant[] {
    const ofCreation =
      /^(exit|stdout|stderr|file_size|dump_(stdout|stderr|exit)|metadata\.[01]\.(offset|hex))$/;
    const ofState = /^states\.\d+\.(dump_(stdout|stderr|exit)|metadata_nv\.\d+\.value)$/;
    return [
      ...creations(folder).flatMap((file) => leavesOf(folder, file, ofCreation)),
      ...lives(folder).flatMap((file) => [...leavesOf(folder, file, ofState), ...blockRuns(folder, file)]),
    ];
  },
};

function creations(folder: string): string[] {
  return filesUnder(folder, 'metadata', '.json').filter((file) => file.startsWith('metadata/create-'));
}

function lives(folder: string): string[] {
  return filesUnder(folder, 'metadata', '.json').filter((file) => /^metadata\/(lifecycle|crash)-/.test(file));
}

/** The recorded runs of metadata blocks; those of maps are judged where the core runs. */
function blockRuns(folder: string, file: string): Significant[] {
  const { states } = readJson<Life>(folder, file);
  return states.flatMap(({ metadata: runs }, state) =>
    runs.flatMap(({ offset }, run) =>
      offset < METADATA_BYTES
        ? leavesOf(folder, file, new RegExp(`^states\\.${state}\\.metadata\\.${run}\\.(offset|hex)$`))
        : [],
    ),
  );
}

async function replayCreate(recorded: Creation, report: Report): Promise<void> {
  const test = report.case(`create-${recorded.case}`);
  const { resource, argv, provider_size, exit, stdout, stderr } = recorded;
  const path = `/mnt/hast/m-${recorded.case}/a.img`;
  const area = areaOf(recorded.metadata ?? []);
  const file_size = recorded.file_size ?? provider_size;
  await inSetting(resource, async (setting, component) => {
    writeFileSync(component, '');
    truncateSync(component, provider_size);
    const run = await runHastctl(argv, setting);
    const request = { resource, argv, provider_size };
    const created: Created = { ...request, exit, stdout, stderr, file_size, metadata: hexOf(area) };
    test.same(exit < 0 ? 'abort' : 'created', created, {
      ...request,
      ...run,
      stderr: run.stderr.replaceAll(component, path),
      file_size: statSync(component).size,
      metadata: hexOf(startOf(component, area.length)),
    });
    if (recorded.dump_stdout === undefined) return;
    // What the reference wrote, whether we would write it or not.
    writeFileSync(component, area);
    truncateSync(component, file_size);
    const { dump_stdout, dump_stderr = '', dump_exit = 0 } = recorded;
    const dumped: Dumped = { path, file_size, exit: dump_exit, stdout: dump_stdout, stderr: dump_stderr };
    const dump = await runHastctl(['dump'], setting);
    test.same('dumped', dumped, {
      path,
      file_size,
      ...dump,
      stderr: dump.stderr.replaceAll(component, path),
    });
  });
}

async function replayLife(file: string, { resource, states }: Life, report: Report): Promise<void> {
  const life = file.replace(/^metadata\/(.*)\.json$/, '$1');
  for (const [i, state] of states.entries()) {
    const test = report.case(`${life}: ${i + 1}, ${state.label}`);
    const area = areaOf(state.metadata);
    checkCodec(test, resource, state, area.subarray(0, METADATA_BYTES));
    await inSetting(resource, async (setting, component) => {
      writeFileSync(component, area);
      truncateSync(component, state.file_size);
      const dumped = await runHastctl(['dump'], setting);
      test.same('dump_stdout', state.dump_stdout, dumped.stdout);
      test.same('dump_stderr', state.dump_stderr, dumped.stderr);
      test.same('dump_exit', state.dump_exit, dumped.exit);
    });
  }
}

function checkCodec(test: Case, resource: string, state: State, block: Uint8Array): void {
  const ours = decodeMetadata(block, { resource, mediaSize: state.file_size, sectorSize: 512 }, codecs);
  if (isPortError(ours)) return test.fail(ours.message);
  const { localoff, incomplete: _, localBad: __, ...rest } = ours;
  const fields: Readonly<Record<string, unknown>> = { ...rest, offset: localoff };
  for (const { name, value } of state.metadata_nv) {
    const field = fields[name];
    test.same(name, String(value), String(field));
  }
  // Ours ends in a checksum; what comes before is the reference's.
  const encoded = encodeMetadata(ours, codecs);
  const length = block.findLastIndex((byte) => byte !== 0) + 1;
  test.same('metadata', hexOf(block.subarray(0, length)), hexOf(encoded.subarray(0, length)));
}

/** The bytes before user data: the metadata block and as much of the map as is not zero. */
function areaOf(runs: State['metadata']): Uint8Array {
  const end = Math.max(METADATA_BYTES, ...runs.map(({ offset, hex }) => offset + hex.length / 2));
  const area = new Uint8Array(end);
  for (const { offset, hex } of runs) area.set(bytesOfHex(hex), offset);
  return area;
}

/** The first `length` bytes, zeros where the file is shorter. */
function startOf(path: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const fd = openSync(path, 'r');
  readSync(fd, bytes);
  closeSync(fd);
  return bytes;
}

async function inSetting(
  resource: string,
  use: (setting: Setting, component: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'hast-metadata-'));
  const component = join(folder, 'a.img');
  try {
    await use({ folder, control: join(folder, 'ctl'), components: { [resource]: component } }, component);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
