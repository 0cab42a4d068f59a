/** For npm scripts, which find the Node of node_modules first: says what is missing where they do not. */
import { isRecent, tooOld } from './runtime.mjs';

if (!isRecent) {
  console.error(tooOld);
  process.exit(1);
}
