/** A story as a Mermaid sequence diagram. */
import type { Happening, Party } from './chronicle.js';
import type { Story } from './explain.js';

const PARTICIPANTS: readonly (readonly [Party, string, string])[] = [
  ['application', 'app', 'application'],
  ['disk a', 'da', 'disk of a'],
  ['a', 'a', 'a'],
  ['b', 'b', 'b'],
  ['disk b', 'db', 'disk of b'],
];

export function storyAsMermaid({ happenings, violation }: Story): string {
  const lines = [
    'sequenceDiagram',
    ...PARTICIPANTS.map(([, id, title]) => `  participant ${id} as ${title}`),
    ...happenings.map((happening) => `  ${arrow(happening)}`),
  ];
  if (violation !== null) lines.push(`  Note over app,db: violated: ${escaped(violation.invariant)}`);
  return `${lines.join('\n')}\n`;
}

function arrow(happening: Happening): string {
  const { kind, from, to, atMs } = happening;
  const text = escaped(happening.text);
  if (from === 'script') return `Note over app,db: ${(atMs / 1000).toFixed(3)} s: ${text}`;
  if (from === to) return `Note over ${idOf(from)}: ${text}`;
  return `${idOf(from)}${lineOf(kind, happening.arrivesMs)}${idOf(to)}: ${text}`;
}

function lineOf(kind: Happening['kind'], arrivesMs: number | null): string {
  if (kind === 'sent' && arrivesMs === null) return '-x';
  return kind === 'answer' || kind === 'device' ? '-->>' : '->>';
}

function idOf(party: Party): string {
  return PARTICIPANTS.find(([name]) => name === party)?.[1] ?? 'app';
}

/** Mermaid ends a statement at a semicolon and begins an entity with a number sign. */
function escaped(text: string): string {
  return text
    .replaceAll('#', '#35;')
    .replaceAll(/;(?<!#35;)/g, ',')
    .replaceAll('\n', ' ');
}
