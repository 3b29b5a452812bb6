import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { quantile } from './play-fault.ts'
import { failureAddress, failureLine, now, ReadingAgent, sleep } from './reading-agent.ts'

/** A pattern and a line that it takes for ever, or would. */
export interface Killer {
  readonly failregex: string
  readonly message: string
}

/** What a backtracking engine cannot do fast. The lines are those that a peer would choose. */
export const killers: Readonly<Record<string, Killer>> = {
  '(a+)+': { failregex: '^failure of (?:a+)+ from <ADDR>$', message: `failure of ${'a'.repeat(60)}! from x` },
  '(a+)+ behind a look-ahead': {
    failregex: '^failure of (?=a)(?:(?:a|aa)+)+ from <ADDR>$',
    message: `failure of ${'a'.repeat(60)}! from x`,
  },
  '(a|é)+, not ASCII': {
    failregex: '^failure of (?:a|á|\\w)+ from <ADDR>$',
    message: `failure of ${'á'.repeat(60)}! from x`,
  },
  'several .*, long line': {
    failregex: '^failure .* of .* by .* from <ADDR>$',
    message: `failure ${' of by'.repeat(1300)}`,
  },
}

export interface KillerPlay {
  readonly honest: number
  readonly lost: number
  /** Delay in milliseconds of honest lines in the log with the killers, and in other logs. */
  readonly same: { readonly p50: number; readonly max: number }
  readonly other: { readonly p50: number; readonly max: number }
  readonly skipped: number
}

/**
 * Writes killer lines to as many logs as `floods`, so many a second in each, with honest lines between them and in
 * a log of its own. `inOneGo`: all killers of a log at once.
 */
export async function playKiller(
  { failregex, message }: Killer,
  { killers: count, perSecond, floods }: { killers: number; perSecond: number; floods: number },
): Promise<KillerPlay> {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'log'))
  const logs = Array.from({ length: floods + 1 }, (_, index) => join(folder, 'log', `${index}.log`))
  for (const log of logs) writeFileSync(log, '')
  const agent = new ReadingAgent({
    folder,
    logs,
    failregex: [failregex, '^failure of somebody from <ADDR>$'],
    urgent: true,
  })
  try {
    await agent.watching()
    const written = new Map<string, { readonly at: number; readonly same: boolean }>()
    const honest = (log: string, same: boolean) => {
      const number = written.size + 1
      written.set(failureAddress(number), { at: now(), same })
      appendFileSync(log, failureLine(number))
    }
    const killer = `${new Date().toISOString()} host app[7]: ${message}\n`
    const started = now()
    for (let sent = 0; sent < count;) {
      const due = Math.min(count, Math.max(sent + 1, Math.floor(((now() - started) / 1000) * perSecond)))
      for (const [index, log] of logs.entries()) {
        if (index < floods) appendFileSync(log, killer.repeat(due - sent))
        honest(log, index < floods)
      }
      sent = due
      await sleep(Math.max(10, 1000 / perSecond))
    }
    const banned = await agent.settled(written.size, 15_000)
    const delays = (same: boolean) =>
      [...written]
        .filter(([, line]) => line.same === same)
        .map(([address, { at }]) => (banned.get(address) ?? Infinity) - at)
        .toSorted((a, b) => a - b)
    const figures = (sorted: readonly number[]) => ({ p50: quantile(sorted, 0.5), max: sorted.at(-1) ?? 0 })
    const lost = [...written.keys()].filter((address) => !banned.has(address)).length
    const skipped = await agent.skipped()
    return { honest: written.size, lost, same: figures(delays(true)), other: figures(delays(false)), skipped }
  } finally {
    await agent.process.end('SIGKILL')
  }
}
