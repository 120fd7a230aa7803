import { describe, expect, it } from 'vitest';
import type { Device, DeviceRequest } from '../../core/ports/device.js';
import { portError } from '../../core/ports/error.js';
import { DeviceHost, SimDevices, type DeviceUser, type SimDevice } from '../../sim/devices.js';
import { SimProcess } from '../../sim/process.js';
import { Scheduler } from '../../sim/scheduler.js';
import { Pair } from '../primary/pair.js';

const GEOMETRY = { provider: 'r0', mediaSize: 65_536, sectorSize: 512 };
const request = (id: number): DeviceRequest => ({
  ...{ id, command: 'flush', offset: 0, length: 0, data: null },
});

class Kernel implements DeviceUser {
  readonly scheduler = new Scheduler();
  readonly seen: string[] = [];
  readonly host: DeviceHost;
  device: SimDevice | null = null;

  constructor(survives: boolean) {
    this.host = new DeviceHost(this.scheduler, this, survives);
  }

  deviceAppeared(device: SimDevice): void {
    this.seen.push('appeared');
    this.device = device;
  }

  deviceVanished(): void {
    this.seen.push('vanished');
    this.device = null;
  }

  answered(id: number, error: { code: string } | null): void {
    this.seen.push(`answer ${String(id)}${error === null ? '' : ` ${error.code}`}`);
  }

  worker(name: string, geometry = GEOMETRY): { process: SimProcess; device: Device } {
    const process = new SimProcess(name);
    const handler = {
      submitted: ({ id }: DeviceRequest) => this.seen.push(`${name} ${String(id)}`),
      gone: () => undefined,
    };
    const device = new SimDevices(this.host, process).create(geometry, handler);
    this.scheduler.runFor(1);
    return { process, device };
  }

  submit(...ids: number[]): void {
    for (const id of ids) this.device?.submit(request(id));
  }

  /** What was seen since the last time. */
  news(): string[] {
    this.scheduler.runFor(1);
    return this.seen.splice(0);
  }
}

describe.each([false, true])('device (survives its worker: %s)', (survives) => {
  it('passes requests and answers on, in order', () => {
    const kernel = new Kernel(survives);
    const { process, device } = kernel.worker('w1');
    kernel.submit(1, 2, 3);
    expect(kernel.news()).toEqual(['appeared', 'w1 1', 'w1 2', 'w1 3']);
    process.run(() => {
      device.complete(2, null);
      device.complete(1, portError('EIO', 'failed'));
      expect(kernel.news()).toEqual([]);
    });
    expect(kernel.news()).toEqual(['answer 2', 'answer 1 EIO']);
  });

  it('vanishes when it is closed, when its worker exits, and when the power fails', () => {
    const kernel = new Kernel(survives);
    const first = kernel.worker('w1');
    first.process.run(() => {
      first.device.close(() => kernel.seen.push('closed'));
    });
    expect(kernel.news()).toEqual(['appeared', 'vanished', 'closed']);
    const second = kernel.worker('w2');
    kernel.host.exited(second.process);
    second.process.kill();
    expect(kernel.news()).toEqual(['appeared', 'vanished']);
    kernel.worker('w3').process.losePower();
    expect(kernel.news()).toEqual(['appeared', 'vanished']);
  });

  it('waits for a worker that is stopped', () => {
    const kernel = new Kernel(survives);
    const { process } = kernel.worker('w1');
    kernel.news();
    const goOn = process.pause();
    kernel.submit(1, 2);
    expect(kernel.news()).toEqual([]);
    goOn();
    expect(kernel.news()).toEqual(['w1 1', 'w1 2']);
  });
});

describe('device that dies with its worker', () => {
  it('does not answer what it had', () => {
    const kernel = new Kernel(false);
    const { process } = kernel.worker('w1');
    kernel.submit(1);
    expect(kernel.news()).toEqual(['appeared', 'w1 1']);
    kernel.submit(2);
    process.kill();
    expect(kernel.news()).toEqual(['vanished']);
    kernel.worker('w2');
    expect(kernel.news()).toEqual(['appeared']);
  });
});

describe('device takeover', () => {
  it('repeats what the dead worker had not answered, in order, before what came later', () => {
    const kernel = new Kernel(true);
    const { process, device } = kernel.worker('w1');
    kernel.submit(1, 2, 3);
    expect(kernel.news()).toEqual(['appeared', 'w1 1', 'w1 2', 'w1 3']);
    kernel.submit(4);
    process.run(() => {
      device.complete(2, null);
    });
    process.kill();
    expect(kernel.news()).toEqual(['answer 2']);
    kernel.submit(5);
    expect(kernel.news()).toEqual([]);
    kernel.worker('w2');
    expect(kernel.news()).toEqual(['w2 1', 'w2 3', 'w2 4', 'w2 5']);
  });

  it('again, when the next worker dies in the middle', () => {
    const kernel = new Kernel(true);
    const first = kernel.worker('w1');
    kernel.submit(1, 2);
    kernel.scheduler.runFor(1);
    first.process.kill();
    const second = new SimProcess('w2');
    new SimDevices(kernel.host, second).create(GEOMETRY, {
      submitted: () => {
        second.kill();
      },
      gone: () => undefined,
    });
    kernel.news();
    kernel.worker('w3');
    expect(kernel.news()).toEqual(['w3 1', 'w3 2']);
  });

  it('is none when the geometry is another one', () => {
    const kernel = new Kernel(true);
    kernel.worker('w1').process.kill();
    kernel.news();
    kernel.worker('w2', { ...GEOMETRY, mediaSize: 32_768 });
    expect(kernel.news()).toEqual(['vanished', 'appeared']);
  });

  it('cannot happen any more when the device was removed', () => {
    const kernel = new Kernel(true);
    const { process } = kernel.worker('w1');
    kernel.host.removeOrphan();
    expect(kernel.news()).toEqual(['appeared']);
    process.kill();
    kernel.host.removeOrphan();
    kernel.host.removeOrphan();
    expect(kernel.news()).toEqual(['vanished']);
  });
});

describe('device takeover on a pair of nodes', () => {
  const begun = (): Pair => {
    const pair = new Pair({}, 3, new Scheduler(), { deviceSurvivesWorker: true });
    pair.begin();
    return pair;
  };

  it('the application sees one device, and every request is answered', () => {
    const pair = begun();
    const { device } = pair.app;
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 20; i++) pair.app.act();
      pair.wait(round);
      pair.a.killWorker();
      for (let i = 0; i < 5; i++) pair.app.act();
      pair.wait(500);
      expect(pair.app.device).toBe(device);
      pair.settle();
    }
    pair.inSync(pair.a);
    expect(pair.a.userData()).toEqual(pair.b.userData());
    expect([pair.app.failed, pair.app.violations]).toEqual([0, []]);
  });

  it('a demoted node keeps no device that nobody serves', () => {
    const pair = begun();
    pair.a.killWorker();
    pair.a.setRole('secondary');
    pair.until(() => pair.app.device === null);
    pair.b.setRole('primary');
    pair.until(() => pair.app.device !== null);
    pair.inSync(pair.b);
    expect(pair.app.violations).toEqual([]);
  });

  it('an orderly demotion takes it along', () => {
    const pair = begun();
    pair.role(pair.a, 'secondary');
    expect(pair.app.device).toBeNull();
  });

  it('a power failure, too, even of a machine whose processes are dead', () => {
    const pair = begun();
    pair.a.killAll();
    expect(pair.app.device).not.toBeNull();
    pair.a.losePower();
    expect(pair.app.device).toBeNull();
  });
});
