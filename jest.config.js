/**
 * One project a kind of test, so that each can run alone. They run in bare Node, a thread a worker, which keeps what it has
 * loaded from one file to the next: half the time of Jest's own runner, which loads all of it anew for each.
 */
const base = {
  runner: 'jest-light-runner',
  transform: {},
  setupFiles: ['<rootDir>/test/support/typescript-hooks.ts', '<rootDir>/test/support/metadata.ts'],
};

export default {
  maxWorkers: 4, // for two cores: a good part of the tests waits for processes and servers
  coverageDirectory: 'coverage',
  collectCoverageFrom: ['src/**/*.ts', '!src/main.ts', '!src/worker.ts', '!src/**/*.spec.ts'],
  globalSetup: './test/support/global-setup.ts',
  globalTeardown: './test/support/global-teardown.ts',
  projects: [
    { ...base, displayName: 'unit', testMatch: ['<rootDir>/{src,scripts,config}/**/*.spec.ts'] },
    { ...base, displayName: 'integration', testMatch: ['<rootDir>/test/integration/**/*.int-spec.ts'] },
    { ...base, displayName: 'e2e', testMatch: ['<rootDir>/test/e2e/**/*.e2e-spec.ts'] },
  ],
};
