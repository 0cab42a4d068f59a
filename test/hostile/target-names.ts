/** What `--target` takes. */
export const targetNames = ['postgresql', 'mysql', 's3', 'http'] as const;

export type TargetName = (typeof targetNames)[number];
