/**
 * Says what to do when an npm script runs on a Node that cannot run TypeScript: the pinned one (npm's `node`
 * package) is missing when npm was told to skip install scripts. Plain JavaScript, for old Nodes to understand.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 18)) {
  console.error(
    `Tidemark runs on Node 24, which "npm ci" brings; this is Node ${process.versions.node}.\n` +
      'Its install script was skipped. Run "npm rebuild node", then try again.',
  );
  process.exit(1);
}
