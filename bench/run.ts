/**
 * Stored logs: the whole path and yes/no, Bailiff and its peers as whole processes in turn; then structured logs, and the
 * filters of a Fail2ban tree. A run whose answer is wrong prints none. `npm run bench [PART OF A NAME]`; a run of all cases
 * is kept in bench/results/ and drawn.
 */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chart } from './chart.ts'
import type { Command, Peer } from './peers/peer.ts'
import { keepResults, resultsNow, type CaseResult, type Figure } from './results.ts'
import { cpuSecondsOf, inTurn, median } from './rounds.ts'
import { cases, type ScanCase } from './scan-cases.ts'
import { WrittenLogs, type WrittenLog } from './written-logs.ts'

const rounds = 5
const wanted = process.argv[2] ?? ''
const resultsFolder = fileURLToPath(new URL('../../bench/results', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'bailiff-bench-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const results: CaseResult[] = []
for (const one of cases) {
  if (!`${one.name} ${one.task}`.includes(wanted)) continue
  const result = measured(one)
  results.push(result)
  print(result)
}
const all = resultsNow(results, rounds)
console.log(`\n${all.date}, ${all.machine}, Node ${all.node}; medians of ${rounds} rounds`)
if (wanted === '') {
  console.log(`kept in ${keepResults(all, resultsFolder)}`)
  writeFileSync(join(resultsFolder, 'latest.svg'), chart(all))
}

function measured(one: ScanCase): CaseResult {
  const runs = new Map<string, () => number>()
  const sizes = new Map<string, { readonly lines: number; readonly bytes: number }>()
  const logs = new WrittenLogs(one, folder)
  for (const peer of one.peers) {
    const prepared = prepare(one, peer, logs.of(peer.megabytes))
    if (prepared === null) console.log(`${one.name}: ${peer.name} is not installed`)
    else {
      runs.set(peer.name, () => cpuSecondsOf(prepared.command))
      sizes.set(peer.name, prepared)
    }
  }
  const figures = [...inTurn(runs, rounds)].map(([peer, seconds]): Figure => {
    const { lines = 0, bytes = 0 } = sizes.get(peer) ?? {}
    const spent = median(seconds)
    return { peer, linesPerCpuSecond: lines / spent, megabytesPerCpuSecond: bytes / 1e6 / spent }
  })
  return { name: one.name, task: one.task, figures }
}

function prepare({ task, filter }: ScanCase, { command }: Peer, log: WrittenLog) {
  const ready: Command | null = command({ task, filter, ...log }, folder)
  return ready && { command: ready, lines: log.lines, bytes: statSync(log.log).size }
}

function print({ name, task, figures }: CaseResult): void {
  console.log(`\n${name} (${task})`)
  const ours = figures[0]?.linesPerCpuSecond ?? Number.NaN
  for (const { peer, linesPerCpuSecond: lines, megabytesPerCpuSecond: megabytes } of figures) {
    const ratio = lines === ours ? '' : `Bailiff ${(ours / lines).toFixed(1)} times`
    console.log(
      `  ${peer.padEnd(20)} ${lines.toFixed(0).padStart(9)} lines/CPU s  ${megabytes.toFixed(1).padStart(7)} MB/CPU s  ${ratio}`,
    )
  }
}
