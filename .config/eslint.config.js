import js from '@eslint/js';
import tseslint from 'typescript-eslint';

// core/ and sim/ may touch nothing ambient: time, randomness, logging and I/O come in through ports.
const ambient = [
  'Date',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'Promise',
  'console',
  'process',
  'Buffer',
  'performance',
  'globalThis',
];

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      'native/build/',
      'test/ggate/kernel/build/',
      'node_modules/',
      'test/interop/reference/',
    ],
  },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 75, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
      ],
    },
  },
  {
    files: ['test/**', 'properties/**'],
    rules: { 'max-lines-per-function': 'off' },
  },
  {
    files: ['core/**', 'sim/**'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...ambient.map((name) => ({ name, message: 'Comes in through a port.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Use the Entropy port.' },
        { object: 'Math', property: 'log', message: 'Differs between engines.' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
        { selector: 'AwaitExpression', message: 'Completion callbacks only.' },
        { selector: 'FunctionDeclaration[async=true]', message: 'Completion callbacks only.' },
        {
          selector: 'AssignmentExpression[left.type="MemberExpression"] > ArrowFunctionExpression.right',
          message:
            'Use a field initializer, or a variable: V8 makes this closure in old space, where it keeps all that it knows alive.',
        },
        {
          selector: 'ObjectExpression > SpreadElement:first-child > ObjectExpression',
          message:
            'Name the properties: each object made like this gets a hidden class of its own, and is slow to use.',
        },
      ],
    },
  },
  {
    files: ['**/*.mjs', '**/*.js', '**/*.cjs'],
    languageOptions: {
      globals: { process: 'readonly', console: 'readonly', URL: 'readonly', module: 'writable' },
    },
    rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' },
  },
);
