const MAJOR = 24;
const MINOR = 9;

/**
 * Ends the process with one sentence when its Node is too old to go on. Callers import everything else only afterwards,
 * and this file imports nothing, so that an old Node gets this far.
 */
export function requireNode(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > MAJOR || (major === MAJOR && minor >= MINOR)) return;
  process.stderr.write(
    `Parley needs Node ${MAJOR}.${MINOR} or newer and this is ${process.version}, for npm has brought none for ` +
      `${process.platform} on ${process.arch}: install it from https://nodejs.org (or with "brew install node") and ` +
      'run the command again.\n',
  );
  process.exit(1);
}
