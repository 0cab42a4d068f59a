import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    // Limits are for what hangs, never for what is slow: a machine ten times slower than ours must pass.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 240_000 } },
    // Tests wait for servers more than they compute.
    maxWorkers: 4,
    // A worker loads the code once, not once for each of 200 files: a fifth of all processor time.
    isolate: false,
  },
});
