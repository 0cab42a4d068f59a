#!/usr/bin/env node
import './check-runtime.mjs';

await import('../src/main.ts');
