/** Tests run with and without the addon; where it was not built, they say so. */
import { loadAddon } from '../../native/addon.js';
import type { Addon } from '../../native/addon.js';

const loaded = loadAddon();

export const builtAddon: Addon | null = loaded.addon;

/** Each way to work: `['with the addon', addon]` only if there is one. */
export const eachAddon: readonly (readonly [name: string, addon: Addon | null])[] =
  loaded.addon === null
    ? [['without the addon', null]]
    : [
        ['without the addon', null],
        ['with the addon', loaded.addon],
      ];

if (loaded.addon === null) console.log(`not run: everything with the addon (${loaded.reason})`);
