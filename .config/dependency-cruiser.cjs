// core <- sim, core <- native, core + sim + native <- cli; properties sees core and sim; test sees all.
const only = (from, allowed) => ({
  name: `${from}-layer`,
  severity: 'error',
  from: { path: `^${from}/` },
  to: { path: '^(core|sim|native|cli|properties|test)/', pathNot: `^(${[from, ...allowed].join('|')})/` },
});
module.exports = {
  forbidden: [
    only('core', []),
    only('sim', ['core']),
    only('native', ['core']),
    only('cli', ['core', 'sim', 'native']),
    only('properties', ['core', 'sim']),
    { name: 'pure-core', severity: 'error', from: { path: '^core/' }, to: { pathNot: '^core/' } },
    { name: 'no-node-in-sim', severity: 'error', from: { path: '^sim/' }, to: { dependencyTypes: ['core'] } },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.mjs', '.cjs', '.json'] },
  },
};
