import type { DeviceSetup, DeviceTraits } from '../contract/device.js';
import { errorCode, errorNumber } from '../../native/nbd/protocol.js';
import { deviceContract } from '../contract/device.js';
import { MemoryWorld } from './memory-world.js';
import { realSetup } from './real-world.js';

const NBD_TRAITS: DeviceTraits = {
  deletes: true,
  wholeRequestBytes: 32 << 20,
  codeOf: (code) => errorCode(errorNumber(code)),
  removedCodes: ['ESHUTDOWN'],
};

async function inMemory(structured: boolean): Promise<DeviceSetup> {
  const world = new MemoryWorld();
  return Promise.resolve({
    devices: world.devices,
    connect: async () => {
      const client = await world.connect({ structured });
      return {
        read: async (offset: number, length: number) => client.read(offset, length),
        write: async (offset: number, data: Uint8Array) => client.write(offset, data),
        delete: async (offset: number, length: number) => client.trim(offset, length),
        flush: async () => client.flush(),
        die: () => {
          client.die();
        },
      };
    },
    run: (callback) => {
      world.run(callback);
    },
    finish: async (promise) => world.finish(promise),
    until: async (condition) => world.until(condition),
    settle: async () => world.settle(),
    teardown: async () => Promise.resolve(),
  });
}

deviceContract('NBD, in-memory network, structured replies', NBD_TRAITS, async () => inMemory(true));
deviceContract('NBD, in-memory network, simple replies', NBD_TRAITS, async () => inMemory(false));
deviceContract('NBD, Unix socket', NBD_TRAITS, realSetup);
