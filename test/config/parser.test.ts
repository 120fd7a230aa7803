import { describe, expect, test } from 'vitest';
import { describeConfigError, isConfigError } from '../../core/config/config-error.js';
import { systemDefaults } from '../../core/config/defaults.js';
import type { NodeIdentity } from '../../core/config/node-identity.js';
import { parseConfig } from '../../core/config/parser.js';
import type { Config } from '../../core/config/types.js';

const HOST: NodeIdentity = {
  kind: 'host',
  hostname: 'hasta.example.org',
  hostuuid: '4c4c4544-0034-ABCD-0000-000000000001',
  hostid: 2_163_821_230,
};
const SYSTEM = systemDefaults('/var/run', { ipv4: true, ipv6: true });

function accepted(text: string, identity = HOST): Config {
  const config = parseConfig(text, identity, SYSTEM);
  if (isConfigError(config)) throw new Error(config.text);
  return config;
}

/** What a person would see, for a file called `f`. */
function refusal(text: string, identity = HOST): string {
  const config = parseConfig(text, identity, SYSTEM);
  return isConfigError(config) ? `${config.exitCode} ${describeConfigError(config, 'f')}` : 'accepted';
}

const NODE = 'on hasta { remote none local /x }';

describe('effective values', () => {
  test('an empty file gives the defaults', () => {
    expect(accepted('')).toEqual({
      control: '/var/run/hastctl',
      pidfile: '/var/run/hastd.pid',
      listen: ['tcp4://0.0.0.0:8457', 'tcp6://[::]:8457'],
      resources: [],
    });
  });

  test('a resource that says little gets the rest', () => {
    expect(accepted(`resource a { ${NODE} }`).resources).toEqual([
      {
        name: 'a',
        provname: 'a',
        localpath: '/x',
        remoteaddr: 'none',
        sourceaddr: '',
        replication: 'memsync',
        checksum: 'none',
        compression: 'hole',
        timeout: 20,
        exec: '',
        metaflush: true,
        syncrate: { leastPerS: 2 ** 20, mostPerS: null },
      },
    ]);
  });

  test('resource values win over global ones, node values over both, wherever they stand', () => {
    const config = accepted(`
      timeout 5
      resource a {
        on hasta { metaflush on name inner local /inner remote h source s }
        metaflush off  name outer  local /outer  checksum crc32  timeout 6
      }
      resource b { local /outer name outer ${'on hasta { remote h }'} }
      metaflush off checksum sha256 compression lzf exec /hook replication async timeout 7`);
    expect(config.resources).toEqual([
      {
        name: 'a',
        provname: 'inner',
        localpath: '/inner',
        remoteaddr: 'h',
        sourceaddr: 's',
        replication: 'async',
        checksum: 'crc32',
        compression: 'lzf',
        timeout: 6,
        exec: '/hook',
        metaflush: true,
        syncrate: { leastPerS: 2 ** 20, mostPerS: null },
      },
      expect.objectContaining({ provname: 'outer', localpath: '/outer', checksum: 'sha256', timeout: 7 }),
    ]);
    expect(config.resources[1]).toMatchObject({ metaflush: false });
  });

  test('listen addresses of the file and of this node add up; control and pidfile of the node win', () => {
    const config = accepted(`
      on hasta { control /node pidfile /node.pid listen b }
      control /global pidfile /global.pid listen a
      on other { control /other pidfile /other.pid listen c }
      listen a`);
    expect(config).toMatchObject({ control: '/node', pidfile: '/node.pid', listen: ['b', 'a', 'a'] });
  });

  test('the run directory is in the defaults only', () => {
    const system = systemDefaults('/tmp/run', { ipv4: true, ipv6: false });
    expect(parseConfig('', HOST, system)).toMatchObject({
      control: '/tmp/run/hastctl',
      pidfile: '/tmp/run/hastd.pid',
      listen: ['tcp4://0.0.0.0:8457'],
    });
    expect(parseConfig('control /c pidfile /p', HOST, system)).toMatchObject({
      control: '/c',
      pidfile: '/p',
    });
  });

  test('a long provider name is cut outside node blocks and refused in them', () => {
    const name = 'n'.repeat(300);
    expect(accepted(`resource a { name ${name} ${NODE} }`).resources[0]?.provname).toBe('n'.repeat(254));
    expect(refusal(`resource a { on hasta { name ${name} } }`)).toContain(
      '78 name argument is too long. (f:1:',
    );
    expect(refusal(`resource a { on other { name ${name} } ${NODE} }`)).toBe('accepted');
  });
});

describe('lexical rules', () => {
  test('bytes that the format does not know separate words and are dropped', () => {
    expect(
      accepted('replication=fullsync; resource a { on hasta { remote none; local "/x" } }\r\n'),
    ).toMatchObject({
      resources: [{ replication: 'fullsync', localpath: '/x' }],
    });
    expect(refusal('exec /a+b')).toBe(
      "78 Unable to parse configuration file at line 0 near 'b': syntax error " +
        '(f:1: expected control, pidfile, listen, replication, checksum, compression, timeout, exec, metaflush, syncrate, on, resource)',
    );
  });

  test('a comment may end the file without a newline', () => {
    expect(refusal('# c')).toBe('accepted');
    expect(refusal('timeout 7#8')).toBe('accepted');
  });

  test('on is a value and a block', () => {
    expect(accepted('metaflush on on hasta { listen 127.0.0.1 }').listen).toEqual(['127.0.0.1']);
  });

  test('leading zeros are harmless', () => {
    expect(accepted(`timeout 020 resource a { ${NODE} }`).resources[0]?.timeout).toBe(20);
  });
});

describe('which node this is', () => {
  const uuid = '4C4C4544-0034-abcd-0000-000000000001';
  test.each(['hasta', 'hasta.example.org', uuid, 'hostid2163821230'])('%s is this host', (label) => {
    expect(refusal(`resource a { on ${label} { remote none local /x } }`)).toBe('accepted');
  });

  test.each(['HASTA', 'hasta.example', 'hostid', 'Hostid2163821230'])('%s is not', (label) => {
    expect(refusal(`resource a { on ${label} { remote none local /x } }`)).toBe(
      '78 No resource a configuration for this node (acceptable node names: hasta, hasta.example.org, ' +
        '4c4c4544-0034-ABCD-0000-000000000001, hostid2163821230). (f:1: expected an on block for this node)',
    );
  });

  test('a given name replaces the host', () => {
    const identity: NodeIdentity = { kind: 'named', name: 'a' };
    expect(refusal('resource r { on a { remote none local /x } }', identity)).toBe('accepted');
    expect(refusal(`resource r { ${NODE} }`, identity)).toContain('(acceptable node names: a).');
  });

  test('a host without uuid and id has names only', () => {
    const identity: NodeIdentity = { kind: 'host', hostname: 'h', hostuuid: null, hostid: null };
    expect(refusal('resource r { on hostidnull { } }', identity)).toContain('(acceptable node names: h).');
  });
});

describe('errors', () => {
  // core/spec/config.md section 6, parser facts.
  test.each([
    ['foo', "at line 0 near 'foo': syntax error (f:1: expected control,"],
    ['\n\nresource x {\n', "at line 3 near '': syntax error (f:4: expected replication,"],
    ['resource 12 {}', "at line 0 near '12': syntax error (f:1: expected a resource name)"],
    ['metaflush yes', "at line 0 near 'yes': syntax error (f:1: expected on, off)"],
    ['exec none', "at line 0 near 'none': syntax error (f:1: expected a name, path or address"],
    ['resource a\non x', "at line 1 near 'on': syntax error (f:2: expected {)"],
  ])('%j', (text, message) => {
    expect(refusal(text)).toContain(`78 Unable to parse configuration file ${message}`);
  });

  test.each([
    ['resource a {}', '78 No resource a configuration for this node'],
    ['resource a { on hasta { local /x } }', '78 Remote address not configured for resource a.'],
    ['resource a { on hasta { remote none } }', '78 Path to local component not configured for resource a.'],
    [
      `resource a { ${NODE} }\nresource a {`,
      '78 Resource a configured more than once. (f:2: expected another name)',
    ],
    ['timeout 0', '78 Negative or zero timeout. (f:1: expected 1 to 2147483647 seconds)'],
    ['timeout 2147483648', '78 Negative or zero timeout.'],
    ['timeout 4294967297', '78 Negative or zero timeout.'],
    ['timeout 99999999999999999999999', '78 Negative or zero timeout.'],
    [`listen ${'x'.repeat(1024)}`, '78 listen argument is too long. (f:1: expected at most 1023 bytes)'],
    [`on other { listen ${'x'.repeat(1024)} }`, '78 listen argument is too long.'],
    [`exec /${'x'.repeat(1023)}`, '78 Exec path is too long.'],
    [`resource ${'x'.repeat(255)} {`, '78 Resource name is too long.'],
  ])('%j', (text, message) => {
    expect(refusal(text)).toContain(message);
  });

  test('limits are exact', () => {
    expect(refusal(`timeout 2147483647 listen ${'x'.repeat(1023)} exec ${'x'.repeat(1023)}`)).toBe(
      'accepted',
    );
    expect(refusal(`on other { control ${'x'.repeat(1024)} }`)).toBe('accepted');
    expect(refusal(`resource ${'x'.repeat(254)} { ${NODE} }`)).toBe('accepted');
  });

  test('the first error is the one reported', () => {
    expect(refusal('timeout 0 foo')).toContain('Negative or zero timeout.');
  });

  test('a system without IP needs an address', () => {
    const system = systemDefaults('/var/run', { ipv4: false, ipv6: false });
    expect(parseConfig('', HOST, system)).toMatchObject({ exitCode: 75, text: 'No address to listen on.' });
    expect(parseConfig('listen /socket', HOST, system)).toMatchObject({ listen: ['/socket'] });
  });
});

describe('syncrate, which is ours', () => {
  const rates = (text: string): unknown => accepted(text).resources.map(({ syncrate }) => syncrate);
  const resource = (inside: string): string => `resource a { ${inside} on hasta { remote none local /x } }`;

  test('stands where replication may stand', () => {
    const limited = { leastPerS: 2 ** 20, mostPerS: 10 * 2 ** 20 };
    expect(rates(`syncrate 10M\n${resource('')}`)).toEqual([limited]);
    expect(rates(`syncrate 1G\n${resource('syncrate 10M')}`)).toEqual([limited]);
    expect(rates(`syncrate 1G\n${resource('syncrate 1048576-10485760')}`)).toEqual([limited]);
  });

  test('is no keyword: what was a name before is one', () => {
    const config = accepted('resource syncrate { on hasta { remote none local syncrate } }');
    expect(config.resources[0]).toMatchObject({ name: 'syncrate', localpath: 'syncrate' });
  });

  test('says what it takes', () => {
    expect(refusal(`syncrate fast\n${resource('')}`)).toContain(
      "near 'fast': syntax error (f:1: expected adaptive, MOST or",
    );
    expect(refusal(`constructor fast\n${resource('')}`)).toContain("near 'constructor': syntax error");
  });
});
