/**
 * The whole path of stored logs (dates, captures, addresses; one thread) against `fail2ban-regex` where
 * it is installed, as whole processes in turn; and of structured logs, by field. Prints lines per CPU second
 * and their ratio; a run whose answer is wrong prints none. `npm run bench [PART OF A NAME]`.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { accessFilter, writeAccessLog } from './access-log.ts'
import { writeAuthLog } from './auth-log.ts'

/** Fail2ban gets less, since it takes its time; both are counted by the line. */
const megabytes = { bailiff: 100, fail2ban: 10, structured: 300 }
const rounds = 5
const tree = '/etc/fail2ban'
const native = (log: string) => ['sshd', log, '--summary']
const stock = (log: string) => ['--fail2ban', tree, 'sshd', log, '--summary']
const cases = [
  { name: 'sshd, 5 % attacks', attacks: 0.05, words: native },
  { name: 'sshd, 90 % attacks', attacks: 0.9, words: native },
  { name: "Fail2ban's sshd filter, 5 % attacks", attacks: 0.05, words: stock },
  { name: "Fail2ban's sshd filter, 90 % attacks", attacks: 0.9, words: stock },
]
const structured = [
  { name: 'JSON, 5 % attacks', format: 'json', attacks: 0.05 },
  { name: 'JSON, 90 % attacks', format: 'json', attacks: 0.9 },
  { name: 'logfmt, 5 % attacks', format: 'logfmt', attacks: 0.05 },
  { name: 'logfmt, 90 % attacks', format: 'logfmt', attacks: 0.9 },
] as const
const wanted = process.argv[2] ?? ''
const main = fileURLToPath(new URL('../core/cli/main.js', import.meta.url))
const peer = '/usr/bin/fail2ban-regex'
const peerFilter = `${tree}/filter.d/sshd.conf`

console.log(
  `${new Date().toISOString().slice(0, 10)}, Node ${process.version}, ${cpus()[0]?.model}; lines per CPU second, medians of ${rounds} rounds`,
)
const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
for (const { name, attacks, words } of cases.filter((one) => one.name.includes(wanted))) {
  if (words === stock && !existsSync(peerFilter)) continue
  const [large, small] = [join(folder, 'large.log'), join(folder, 'small.log')]
  const answer = writeAuthLog(large, { bytes: megabytes.bailiff * 1e6, attacks, seed: 1 })
  const part = writeAuthLog(small, { bytes: megabytes.fail2ban * 1e6, attacks, seed: 1 })
  const found = { bailiff: [] as number[], fail2ban: [] as number[] }
  // Lines of a session count together in Fail2ban's filter, so its answer is the peer's and not the generator's.
  const expected = words === stock ? `lines ${answer.lines}, ` : `lines ${answer.lines}, matches ${answer.failures},`
  if (words === stock) checkStock(small, words(small), part.lines)
  for (let round = 0; round < rounds; round++) {
    found.bailiff.push(answer.lines / run([process.execPath, main, 'test', ...words(large)], expected))
    if (existsSync(peer)) found.fail2ban.push(part.lines / run([peer, small, peerFilter], `Lines: ${part.lines} lines`))
  }
  const [ours, theirs] = [median(found.bailiff), median(found.fail2ban)]
  const ratio =
    theirs === undefined
      ? 'fail2ban-regex is not installed'
      : `fail2ban-regex ${theirs.toFixed(0)}, ratio ${((ours ?? 0) / theirs).toFixed(1)}`
  console.log(`${name.padEnd(36)} bailiff ${ours?.toFixed(0)}, ${ratio}`)
}

for (const { name, format, attacks } of structured.filter((one) => one.name.includes(wanted))) {
  const [log, filter] = [join(folder, 'large.log'), join(folder, `${format}.yaml`)]
  writeFileSync(filter, accessFilter(format))
  const { lines, failures } = writeAccessLog(log, { format, bytes: megabytes.structured * 1e6, attacks, seed: 1 })
  const command = [process.execPath, main, 'test', filter, log, '--summary']
  const found = Array.from(
    { length: rounds },
    () => lines / run(command, `lines ${lines}, matches ${failures}, skipped 0, malformed 0,`),
  )
  console.log(`${name.padEnd(36)} bailiff ${median(found)?.toFixed(0)}`)
}

/** Fails unless the filter of the tree finds as many matches as the installed program does. */
function checkStock(log: string, words: readonly string[], lines: number): void {
  if (!existsSync(peer)) return
  const { stdout } = spawnSync(peer, [log, peerFilter], { encoding: 'utf8', maxBuffer: 1 << 26 })
  const matched = /(\d+) ignored, (\d+) matched,/.exec(stdout)?.[2]
  run([process.execPath, main, 'test', ...words], `lines ${lines}, matches ${matched},`)
}

/** CPU seconds (user and system) of a command, which must print `expected`. */
function run([program = '', ...words]: string[], expected: string): number {
  const before = childrenCpuSeconds()
  const { stdout } = spawnSync(program, words, { encoding: 'utf8', maxBuffer: 1 << 26 })
  if (!stdout.includes(expected))
    throw new Error(`wrong answer of ${program}: expected "${expected}" in\n${stdout.slice(-2000)}`)
  return childrenCpuSeconds() - before
}

/** What the ended children of this process took: fields 16 and 17 of proc_pid_stat(5), in ticks of 10 ms. */
function childrenCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
}
