#!/usr/bin/env node
import { spawn } from 'node:child_process';
import { pathToFileURL } from 'node:url';
import { program } from './program.mjs';
import { isRecent, pinnedNode, tooOld } from './runtime.mjs';

if (isRecent) await import(pathToFileURL(program()).href);
else startAgain(pinnedNode());

/** On the Node that comes along. This process only passes on signals and the exit code. */
function startAgain(node) {
  if (node === undefined) {
    console.error(tooOld);
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`${node}: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
