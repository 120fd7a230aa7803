/** What people and programs are shown. */
import { formatBytes } from '../../core/base/human.js';
import type { Ceilings } from './ceilings.js';
import type { GrowthRow } from './growth.js';
import { MOST_DISTURBANCE, resyncGoal, type Disturbance, type ResyncRow } from './resync.js';
import type { Row } from './rounds.js';

export interface Report {
  readonly ceilings: Ceilings;
  readonly works: readonly Row[];
  /** After random writes all over a large device: the extents that the disk marks as dirty, at once and later. */
  readonly coldBitsLeft: string | null;
  readonly resync: readonly ResyncRow[];
  readonly disturbance: Disturbance | null;
  readonly growth: readonly GrowthRow[];
  /** Of the primary's and the secondary's worker, after all loads. */
  readonly residentBytes: readonly number[];
}

/** One object; `works` by work and system. */
export function jsonOf(report: Report): string {
  const works: Record<string, Record<string, Omit<Row, 'work' | 'system'>>> = {};
  for (const { work, system, ...figures } of report.works) (works[work] ??= {})[system] = figures;
  return JSON.stringify({ ...report, works });
}

export function textOf(report: Report): string {
  const { ceilings, resync, disturbance, growth } = report;
  const rate = (bytes: number): string => `${formatBytes(Math.round(bytes))}/s`;
  const lines = [
    '',
    `TCP on loopback: ${us(ceilings.pingPongUs)} there and back, ${rate(ceilings.tcpBytesPerS)}`,
    `Filesystem: 4 KiB ${us(ceilings.write4kUs)}, ${rate(ceilings.writeBytesPerS)}, 4 KiB synced ${us(ceilings.syncedWriteUs)}`,
    '',
    ...table(
      ['work', 'system', 'op/s', 'spread', 'ratio', 'goal', 'CPU/op', 'goal', 'p50', 'p99'],
      report.works.map((row) => [
        ...[row.work, row.system, row.perSecond.toFixed(0), `${(row.spread * 100).toFixed(0)} %`],
        ...[row.ratio.toFixed(2), row.goal === null ? '' : `>= ${row.goal.toFixed(2)}`],
        ...[
          us(row.cpuUs),
          row.goalCpuUs === null ? '' : `<= ${us(row.goalCpuUs)}`,
          us(row.p50Us),
          us(row.p99Us),
        ],
      ]),
    ),
  ];
  if (report.coldBitsLeft !== null) lines.push('', `Dirty after the cold writes: ${report.coldBitsLeft}`);
  if (report.residentBytes.length > 0)
    lines.push(
      '',
      `Memory of the workers: ${report.residentBytes.map((bytes) => formatBytes(bytes)).join(', ')}`,
    );
  for (const { rttMs, bytes, bytesPerS } of resync) {
    const way = rttMs === 0 ? 'on loopback' : `over a round trip of ${String(rttMs)} ms`;
    const goal = rate(resyncGoal(rttMs, ceilings));
    lines.push('', `Synchronisation of ${formatBytes(bytes)} ${way}: ${rate(bytesPerS)} (goal >= ${goal})`);
  }
  if (disturbance !== null) {
    const { p50AloneUs, p50Us, p99AloneUs, p99Us, bytesPerS } = disturbance;
    const times = (during: number, alone: number): string =>
      `${us(during)}, ${(during / alone).toFixed(1)} times ${us(alone)}`;
    lines.push(
      `Application during it: p99 ${times(p99Us, p99AloneUs)} without (goal <= ${MOST_DISTURBANCE.toFixed(1)}),`,
      `  p50 ${times(p50Us, p50AloneUs)}; the synchronisation gets ${rate(bytesPerS)}`,
    );
  }
  if (growth.length > 0) {
    const rows = growth.map((row) => [
      row.name,
      '',
      ...[row.perSecond.toFixed(0), us(row.cpuUs), formatBytes(row.residentBytes)],
    ]);
    lines.push('', ...table(['4k random writes', '', 'op/s', 'CPU/op', 'largest process'], rows));
  }
  return lines.join('\n');
}

function us(value: number): string {
  return value < 10
    ? `${value.toFixed(1)} us`
    : value < 10_000
      ? `${value.toFixed(0)} us`
      : `${(value / 1000).toFixed(1)} ms`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) =>
        column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}
