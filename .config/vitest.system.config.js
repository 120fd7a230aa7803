import { defineConfig } from 'vitest/config';

// Real programs, processes and devices: slow, and one at a time.
export default defineConfig({
  test: {
    include: ['dist/test/system/**/*.test.js'],
    pool: 'threads',
    disableConsoleIntercept: true,
    reporters: ['default', 'json'],
    outputFile: { json: 'dist/test-report.json' },
    fileParallelism: false,
    // `npm run system -- soak` takes its time.
    env: { HAST_SOAK_S: process.argv.includes('soak') ? '600' : '120' },
    testTimeout: 180_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
