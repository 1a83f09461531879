// npm test: what the tests need from Debian, build (which checks types), lint, jest. Writes jest's own JSON result to
// out/jest.json and ends with "N passed, N failed".
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';

const passed = process.argv.slice(2);
const result = 'out/jest.json';
mkdirSync('out', { recursive: true });
rmSync(result, { force: true });

function run(title, command, args, environment = {}) {
  console.log(`\n== ${title}`);
  const { status } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  return status === 0;
}

const node = process.execPath;
const before =
  run('Debian packages', node, ['test/support/install-debian.mjs']) &&
  run('Build', 'npm', ['run', '--silent', 'build']) &&
  run('Lint', 'npm', ['run', '--silent', 'lint']);
if (!before) process.exit(1);

const options = process.env.NODE_OPTIONS ?? '';
const jest = [
  'node_modules/jest/bin/jest.js',
  '-c',
  'test/jest.config.mjs',
  '--json',
  `--outputFile=${result}`,
];
const ok = run('Tests', node, [...jest, ...passed], {
  NODE_OPTIONS: `${options} --experimental-vm-modules --no-warnings`.trim(),
});

if (!existsSync(result)) process.exit(1);
const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, numTotalTests } = JSON.parse(
  readFileSync(result, 'utf8'),
);
const failed = numFailedTests + numRuntimeErrorTestSuites;
console.log(`\n${numPassedTests} passed, ${failed} failed`);
process.exit(ok && failed === 0 && numTotalTests > 0 ? 0 : 1);
