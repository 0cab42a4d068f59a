/** `npm run bench <name>`. What each benchmark compares is said in bench/README.md. */
const benchmarks: Record<string, () => Promise<{ run(): Promise<void> }>> = {
  bulk: () => import('./bulk.ts'),
  executions: () => import('./executions.ts'),
  events: () => import('./events.ts'),
  mysql: () => import('./bulk-mysql.ts'),
  model: () => import('./model.ts'),
  parquet: () => import('./parquet.ts'),
  webhooks: () => import('./webhooks.ts'),
};

const [name = ''] = process.argv.slice(2);
const load = benchmarks[name];
if (load === undefined) {
  console.error(`Usage: npm run bench <${Object.keys(benchmarks).join('|')}>`);
  process.exitCode = 2;
} else {
  const { run } = await load();
  await run();
}
