/**
 * Imported first by every daemon process, for its effect: on SIGUSR1 Node would open its inspector, a debugger
 * that runs any code as root, on a TCP port. Having a handler of our own replaces that; it does nothing.
 */
process.on('SIGUSR1', () => undefined);
