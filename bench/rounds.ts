import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Command } from './peers/peer.ts'

/** CPU seconds (user and system) of a process from its start to its end. Throws where its answer is wrong. */
export function cpuSecondsOf({ words: [program, ...words], input, wrong }: Command): number {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r')
  const before = childrenCpuSeconds()
  const { stdout, stderr, error } = spawnSync(program, words, {
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 300_000,
  })
  const spent = childrenCpuSeconds() - before
  if (typeof stdin === 'number') closeSync(stdin)
  const trouble = error?.message ?? wrong(stdout)
  if (trouble !== null) throw new Error(`wrong answer of ${program}: ${trouble}\n${(stderr ?? '').slice(-1000)}`)
  return spent
}

/** Runs each once a round, in turn, so that all see the same noise. The figures of each, by round. */
export function inTurn<Key>(runs: ReadonlyMap<Key, () => number>, rounds: number): Map<Key, number[]> {
  const figures = new Map([...runs.keys()].map((key): [Key, number[]] => [key, []]))
  for (let round = 0; round < rounds; round++) for (const [key, run] of runs) figures.get(key)?.push(run())
  return figures
}

/** The middle one of an odd number of values. NaN for none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** What the ended children of this process took: fields 16 and 17 of proc_pid_stat(5), in ticks of 10 ms. */
function childrenCpuSeconds(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[13]) + Number(fields[14])) / 100
}
