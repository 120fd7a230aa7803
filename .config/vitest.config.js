import { defineConfig } from 'vitest/config';

// Tests run on the compiled dist/: the code that ships, and the only way c8 counts truthfully.
export default defineConfig({
  test: {
    include: ['dist/{test,properties}/**/*.test.js'],
    exclude: ['dist/test/system/**'],
    pool: 'threads',
    reporters: ['default', 'json'],
    outputFile: { json: 'dist/test-report.json' },
    testTimeout: 30_000,
    hookTimeout: 30_000,
    server: { deps: { external: [/\/dist\//] } },
  },
});
