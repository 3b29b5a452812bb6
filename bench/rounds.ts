import { spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Command } from './peers/peer.ts'

/** What a process took from its start to its end. */
export interface Spent {
  /** User and system. */
  readonly cpuSeconds: number
  readonly wallSeconds: number
  /** What other processes had of the machine meanwhile, in processors. */
  readonly others: number
}

/** Runs a process. Throws where its answer is wrong. */
export function spentBy({ words: [program, ...words], input, wrong }: Command): Spent {
  const stdin = input === undefined ? 'ignore' : openSync(input, 'r')
  const [own, machine, from] = [ownCpuSeconds(), machineCpuSeconds(), performance.now()]
  const { stdout, stderr, error } = spawnSync(program, words, {
    stdio: [stdin, 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 300_000,
  })
  const wallSeconds = (performance.now() - from) / 1000
  const now = ownCpuSeconds()
  const spent = {
    cpuSeconds: now.children - own.children,
    wallSeconds,
    others: (machineCpuSeconds() - machine - (now.all - own.all)) / wallSeconds,
  }
  if (typeof stdin === 'number') closeSync(stdin)
  const trouble = error?.message ?? wrong(stdout)
  if (trouble !== null) throw new Error(`wrong answer of ${program}: ${trouble}\n${(stderr ?? '').slice(-1000)}`)
  return spent
}

/** Runs each once a round, in turn, so that all see the same noise. What each gave, by round. */
export async function inTurn<Key, Given>(
  runs: ReadonlyMap<Key, () => Given | Promise<Given>>,
  rounds: number,
): Promise<Map<Key, Given[]>> {
  const given = new Map([...runs.keys()].map((key): [Key, Given[]] => [key, []]))
  for (let round = 0; round < rounds; round++) for (const [key, run] of runs) given.get(key)?.push(await run())
  return given
}

/** The middle one of an odd number of values. NaN for none. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** Of this process with its ended children, and of these alone: fields 14 to 17 of proc_pid_stat(5), in ticks of 10 ms. */
function ownCpuSeconds(): { readonly all: number; readonly children: number } {
  const fields = readFileSync('/proc/self/stat', 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  const ticks = (from: number) => (Number(fields[from]) + Number(fields[from + 1])) / 100
  return { all: ticks(11) + ticks(13), children: ticks(13) }
}

/** Of all processes and the kernel: the first line of /proc/stat (proc_stat(5)) without idling and waiting. */
function machineCpuSeconds(): number {
  const [line = ''] = readFileSync('/proc/stat', 'utf8').split('\n')
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = line.split(/ +/).slice(1).map(Number)
  return (user + nice + system + irq + softirq) / 100
}
