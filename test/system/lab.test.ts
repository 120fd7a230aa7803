/** The laboratory itself: what the other system tests rely on. */
import { expect } from 'vitest';
import { story } from './lab/story.js';

story(
  'lab: a pair, its device as a block device, a cut cable, a power failure',
  { settings: 'timeout 5', needs: ['mkfs.ext4', 'e2fsck'] },
  async (lab) => {
    await lab.startPair();
    const { alpha, beta, network } = lab;
    expect(await alpha.run('hostname')).toBe('alpha\n');
    const device = await alpha.attach();
    await alpha.run(`mkfs.ext4 -q ${device.path} && mkdir -p /run/mnt && mount ${device.path} /run/mnt`);
    await alpha.run('echo hello >/run/mnt/greeting && sync -f /run/mnt');
    lab.say(`a file system is on ${device.path}`);
    await network.separate('alpha', 'beta');
    await alpha.until('degraded', ({ status }) => status === 'degraded');
    lab.say('a cut cable is noticed');
    await network.mend();
    await lab.inSync(alpha);
    lab.say('and that it is mended');
    await alpha.kill();
    lab.say('alpha is off');
    await beta.hastctl('role primary data');
    const other = await beta.attach();
    await beta.run(`e2fsck -p ${other.path} && mkdir -p /run/mnt && mount ${other.path} /run/mnt`);
    expect(await beta.run('cat /run/mnt/greeting')).toBe('hello\n');
    lab.say('beta has the file');
    await beta.run('umount /run/mnt');
    await other.detach();
  },
);
