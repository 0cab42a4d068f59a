export const targetNames = ['postgresql', 'mysql', 'duckdb', 'webhook', 's3'] as const;
export type TargetName = (typeof targetNames)[number];
