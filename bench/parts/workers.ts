import { copyFileSync, createReadStream, createWriteStream, statfsSync } from 'node:fs'
import { availableParallelism, freemem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { writeAuthLog } from '../corpora/auth-log.ts'
import type { GeneratedLogAnswer } from '../corpora/generated-log.ts'
import type { Case, Figure, Part } from '../part.ts'
import type { Command } from '../peers/peer.ts'
import { inTurn, median, spentBy, type Spent } from '../rounds.ts'

const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))
const gigabyte = 1e9
/** Wall time tells of threads only where they have the machine for themselves: others may have so much of it, in processors. */
const othersMost = 0.06
const tries = 3

/** `bailiff test --threads`: what a second thread brings. */
export default {
  name: 'workers',
  about: 'one log counted by one thread and by two, whole processes, wall time',
  cases: [1, 8].map((gigabytes): Case => ({
    name: `sshd, 5 % attacks, ${gigabytes} GB`,
    why: gigabytes === 1 ? 'the log of some days' : 'so large that what a thread costs at its start is little of it',
    corpus: `a log of 1 GB, seed 1${gigabytes === 1 ? '' : `, ${gigabytes} times`}`,
    answer: 'lines and failures as the generator counted them, all of the summary the same',
    drawn: 'GB/s',
    missing: () => missing(gigabytes * gigabyte),
    measure: (folder, rounds) => measure(gigabytes, folder, rounds),
  })),
} satisfies Part

function missing(bytes: number): string | null {
  if (availableParallelism() < 2) return 'there is one processor'
  // Else the disk is what is measured.
  if (freemem() < bytes * 1.5) return 'there is too little memory to hold the log'
  const { bavail, bsize } = statfsSync(tmpdir())
  return bavail * bsize < bytes * 1.5 ? `there is too little room in ${tmpdir()}` : null
}

async function measure(gigabytes: number, folder: string, rounds: number): Promise<Figure[]> {
  const one = join(folder, 'one.log')
  const log = join(folder, 'all.log')
  const answer = writeAuthLog(one, { bytes: gigabyte, attacks: 0.05, seed: 1 })
  copyFileSync(one, log)
  for (let copy = 1; copy < gigabytes; copy++)
    await pipeline(createReadStream(one), createWriteStream(log, { flags: 'a' }))
  const wrong = sameSummary(answer, gigabytes)
  const runs = [1, 2].map((threads): [number, () => Spent] => {
    const words = [process.execPath, main, 'test', 'sshd', log, '--summary', '--threads', `${threads}`] as const
    return [threads, () => alone({ words, wrong })]
  })
  const all = [...(await inTurn(new Map(runs), rounds))].map(([threads, spent]) => ({
    threads,
    seconds: median(spent.map(({ wallSeconds }) => wallSeconds)),
    cpuSeconds: median(spent.map(({ cpuSeconds }) => cpuSeconds)),
    others: Math.max(...spent.map(({ others }) => others)),
  }))
  const first = all[0]?.seconds ?? Number.NaN
  return all.map(({ threads, seconds, cpuSeconds, others }): Figure => ({
    subject: threads === 1 ? '1 thread' : `${threads} threads`,
    values: {
      'GB/s': gigabytes / seconds,
      s: seconds,
      'CPU s': cpuSeconds,
      'processors of others': others,
      ...(threads === 1 ? {} : { 'times as fast': first / seconds }),
    },
  }))
}

/** Runs it while nobody else does much, or where that does not come, at last all the same. */
function alone(command: Command): Spent {
  for (let left = tries; ; left--) {
    const spent = spentBy(command)
    if (spent.others <= othersMost || left === 0) return spent
  }
}

function sameSummary({ lines, failures }: GeneratedLogAnswer, copies: number): Command['wrong'] {
  let first: string | null = null
  return (printed) => {
    const [said = ''] = printed.split(', CPU ')
    if (!said.startsWith(`lines ${lines * copies}, matches ${failures * copies}, skipped 0,`)) return said
    first ??= said
    return said === first ? null : `${said}, and before ${first}`
  }
}
