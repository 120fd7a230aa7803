/**
 * Five short histories worth being interrupted anywhere: a pair that meets for the first time, one at work, and the three ways
 * in which a node comes back. They are scripts as text, as a person would write them.
 */

/** Requests of every kind, on extents that are clean, dirty or being copied. */
const LOAD = `
write 3+9
+3ms write 40
+3ms read 3+9
+3ms write 8+16
+3ms delete 40+2
+3ms flush
+3ms write 100+4
+3ms write 101
+3ms read 100+4
+3ms write 120+8
+3ms flush
+3ms write 3
`;

const EVERYWHERE = Array.from({ length: 8 }, (_, extent) => `write ${String(extent * 16)}+9`).join('\n');

/** By name; crash points come after the last `until`. Every mode has its turn. */
export const CRASH_SCRIPTS: Readonly<Record<string, string>> = {
  'first-contact': `
setup replication=async timeout=5 extents=8
create a b
start a b
+50ms role b secondary
role a primary
await device within 5s
${LOAD}`,

  'writes-and-flushes': `
setup replication=memsync timeout=5 extents=8
pair
${EVERYWHERE}
+5ms ${LOAD.trim()}
wait 6s
`,

  'return-of-the-secondary': `
setup replication=async timeout=5 extents=8
pair
kill b
+1s ${EVERYWHERE}
until idle
start b
+50ms role b secondary
until worker on b
${LOAD}`,

  'new-disk-of-the-secondary': `
setup replication=fullsync timeout=5 extents=8
pair
${EVERYWHERE}
until idle
flush
until idle
kill b
create b
start b
+50ms role b secondary
until worker on b
${LOAD}`,

  failback: `
setup replication=memsync timeout=5 extents=8
pair
${EVERYWHERE}
until idle
kill a
until no worker on b
role b primary
until device on b
${EVERYWHERE}
until idle
role b secondary
start a
+50ms role a primary
until event a connect
${LOAD}`,
};
