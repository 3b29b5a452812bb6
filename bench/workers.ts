/**
 * One large log, read by a real agent with one thread that matches and with two: seconds from the log being there to its
 * last line read, and CPU seconds. `node dist/bench/workers.js [MEGABYTES]`.
 */
import { renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeAuthLog } from './corpora/auth-log.ts'
import { MeasuredAgent } from './measured-agent.ts'
import { median } from './rounds.ts'

const rounds = 5
const megabytes = Number(process.argv[2] ?? 300)
const numbers = [1, 2] as const
const name = (workers: number) => `${workers} ${workers === 1 ? 'thread ' : 'threads'}`

interface Figures {
  readonly seconds: number
  readonly cpu: number
}

const figures = new Map(numbers.map((workers): [number, Figures[]] => [workers, []]))
for (let round = 0; round < rounds; round++)
  for (const workers of numbers) figures.get(workers)?.push(await readOnce(workers, round))

console.log(
  `sshd, 5 % attacks, ${megabytes} MB, ${availableParallelism()} processors, medians of ${rounds} rounds in turn`,
)
const medians = numbers.map((workers) => {
  const all = figures.get(workers) ?? []
  const seconds = median(all.map((one) => one.seconds))
  const cpu = median(all.map((one) => one.cpu))
  console.log(
    `${name(workers)}  ${seconds.toFixed(2)} s  ${cpu.toFixed(2)} CPU s  ${(megabytes / seconds).toFixed(0)} MB/s`,
  )
  return seconds
})
console.log(`two threads are ${((medians[0] ?? 0) / (medians[1] ?? 1)).toFixed(2)} times as fast as one`)

async function readOnce(workers: number, seed: number): Promise<Figures> {
  const agent = new MeasuredAgent()
  try {
    // All of its lines count, however old their dates are.
    await agent.start({ more: `workers: ${workers}`, jail: 'findtime: 400d, maxretry: 50' })
    const corpus = join(agent.folder, 'corpus')
    const { lines } = writeAuthLog(corpus, { bytes: megabytes * 1e6, attacks: 0.05, seed })
    const cpuBefore = agent.cpuSeconds()
    const before = performance.now()
    renameSync(corpus, agent.log)
    for (let read = 0; read < lines; read = (await agent.status()).logs[0]?.lines ?? 0) await sleep(10)
    const seconds = (performance.now() - before) / 1000
    const cpu = agent.cpuSeconds() - cpuBefore
    const { failures } = await agent.jail()
    if (failures === 0) throw new Error('nothing was counted')
    return { seconds, cpu }
  } finally {
    await agent.end()
    rmSync(agent.folder, { recursive: true, force: true })
  }
}
