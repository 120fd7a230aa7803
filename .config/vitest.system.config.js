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
    testTimeout: 180_000,
    hookTimeout: 60_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
