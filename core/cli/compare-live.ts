import { setTimeout as sleep } from 'node:timers/promises'
import type { ControlClient } from '../control/client.ts'
import { BailiffError, printable, whyUnreadable } from '../errors.ts'
import type { AgentEvent, Ban } from '../events.ts'
import { GrowingLog } from '../fail2ban/comparing/growing-log.ts'
import { LiveComparison, type LoneBan, type SeenBan } from '../fail2ban/comparing/live-comparison.ts'
import { readLoggedBan } from '../fail2ban/own-log/log-events.ts'
import { timeText } from '../fail2ban/own-log/log-line.ts'
import { parseDuration } from '../settings/duration.ts'
import { agentAt } from './agent-socket.ts'
import type { CompareOptions } from './compare.ts'
import { counted, print, styled } from './output.ts'

/** How often the log is looked at, and overdue bans are told. */
const lookEveryMs = 250
const usualLog = '/var/log/fail2ban.log'

/** Compares until Ctrl-C or the end of `--for`. Returns the exit code: 0, or 1 where one side banned alone. */
export async function compareLive(options: CompareOptions): Promise<number> {
  const agent = await agentAt(options)
  const log = new GrowingLog(options.fail2banLog ?? (await logOf(options.fail2ban)) ?? usualLog)
  const comparison = new LiveComparison(lengthOf(options.tolerance, '--tolerance'))
  const watch = new Watch(comparison, options.jail ?? null)
  await watch.begin(agent, log)
  tellBeginning(options, log.path)
  const lone = options.json ? loneJson : await loneTexts(agent)
  const stop = stopping(options.for === undefined ? null : lengthOf(options.for, '--for'))
  while (!stop.now() && (!stop.soon() || comparison.tally.waiting > 0)) {
    watch.open = !stop.soon()
    await watch.look(log)
    for (const ban of comparison.overdue(Date.now())) print(lone(ban))
    await stop.sleep(lookEveryMs)
  }
  // What was written since the last look may pair with what is waiting.
  watch.open = false
  await watch.look(log)
  await log.close()
  watch.end()
  return tellEnd(options, comparison)
}

/** Feeds a comparison from the log of the one and the events of the other. */
class Watch {
  readonly #comparison: LiveComparison
  readonly #jails: readonly string[] | null
  readonly #ending = new AbortController()
  #failure: unknown = null
  /** Whether what begins is compared; else it only pairs with what began before. */
  open = false

  constructor(comparison: LiveComparison, jails: readonly string[] | null) {
    this.#comparison = comparison
    this.#jails = jails
  }

  /** What is in force already pairs with what comes, and is nothing new itself. */
  async begin(agent: ControlClient, log: GrowingLog): Promise<void> {
    const events = agent.events(this.#ending.signal)
    await events.next()
    void this.#listen(events)
    const { jails } = await agent.status()
    for (const { jail } of jails.filter(({ banned, wouldBan }) => banned + wouldBan > 0))
      for await (const line of agent.jailLines(jail))
        if (line.startsWith('{"prefix"')) this.#hear('bailiff', seen('held', JSON.parse(line.replace(/,$/, '')) as Ban))
    await this.look(log)
  }

  /** Reads on in the log. Throws a BailiffError when the agent has ended or the log cannot be read. */
  async look(log: GrowingLog): Promise<void> {
    if (this.#failure !== null) throw this.#failure
    try {
      for await (const line of log.lines()) this.#line(line)
    } catch (error) {
      const message = `the log of Fail2ban cannot be read: ${whyUnreadable(error)}`
      throw new BailiffError('no-input', message, { where: { file: log.path } })
    }
  }

  end(): void {
    this.#ending.abort()
  }

  async #listen(events: AsyncGenerator<AgentEvent | null>): Promise<void> {
    try {
      for await (const event of events) if (event !== null) this.#event(event)
      throw new BailiffError('unavailable', 'the agent has ended')
    } catch (error) {
      if (!this.#ending.signal.aborted) this.#failure = error
    }
  }

  #event(event: AgentEvent): void {
    if (event.type === 'ban')
      this.#hear('bailiff', seen(event.reason === 'new' || event.reason === 'extended' ? 'ban' : 'held', event.ban))
    if (event.type === 'would-ban') this.#hear('bailiff', seen('ban', event.ban))
    if (event.type === 'unban') this.#hear('bailiff', seen('unban', event.ban))
  }

  #line(line: string): void {
    const logged = readLoggedBan(line)
    if (logged !== null) this.#hear('fail2ban', { ...logged, time: logged.time ?? Date.now(), until: null })
  }

  #hear(by: 'fail2ban' | 'bailiff', ban: SeenBan): void {
    if (this.#jails?.includes(ban.jail) === false) return
    const type = ban.type === 'ban' && !this.open ? 'held' : ban.type
    this.#comparison.hear(by, { ...ban, type }, Date.now())
  }
}

function seen(type: SeenBan['type'], { jail, prefix, since, until }: Ban): SeenBan {
  return { type, jail, id: prefix, time: since, until }
}

/** The file that the tree's Fail2ban logs to; null: it logs elsewhere, or no tree is named. */
async function logOf(folder: string | undefined): Promise<string | null> {
  if (folder === undefined) return null
  const { readServerOptions } = await import('../fail2ban/running/server-options.ts')
  const { target } = await readServerOptions(folder)
  if (target?.type === 'file') return target.path
  throw new BailiffError('config', 'this Fail2ban does not log to a file', {
    where: { file: folder },
    hint: 'name a file that has its lines with --fail2ban-log',
  })
}

/** An end that is near lets what waits be decided; Ctrl-C is one at once. */
function stopping(forMs: number | null): { soon(): boolean; now(): boolean; sleep(ms: number): Promise<void> } {
  const end = forMs === null ? Infinity : performance.now() + forMs
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => interrupted.abort())
  return {
    soon: () => performance.now() >= end,
    now: () => interrupted.signal.aborted,
    sleep: (ms) => sleep(ms, undefined, { signal: interrupted.signal }).catch(() => {}),
  }
}

function lengthOf(given: string, option: string): number {
  const ms = parseDuration(given)
  if (ms !== null) return ms
  throw new BailiffError('usage', `${option} must end: write a length of time like 30s or 10m`)
}

function tellBeginning({ json }: CompareOptions, log: string): void {
  if (!json) print(`comparing the agent with ${printable(log)}; Ctrl-C ends it\n`)
}

const names = { fail2ban: 'Fail2ban', bailiff: 'Bailiff' } as const

function loneJson(ban: LoneBan): string {
  return JSON.stringify({ type: 'lone', ...ban }, (_key, value: unknown) =>
    typeof value === 'string' ? printable(value) : value,
  )
}

/** Says of a ban by Fail2ban also when the agent has no such jail at all. */
async function loneTexts(agent: ControlClient): Promise<(ban: LoneBan) => string> {
  const jails = new Set((await agent.status()).jails.map(({ jail }) => jail))
  return ({ by, jail, id, time }) => {
    const why = by === 'fail2ban' && !jails.has(jail) ? '  (the agent runs no such jail)' : ''
    const what = printable(`[${jail}] ${id} at ${timeText(time)}${why}`)
    return `${styled(by === 'fail2ban' ? 'red' : 'yellow', `only ${names[by]}`.padEnd(13))} ${what}`
  }
}

function tellEnd({ json }: CompareOptions, { tally }: LiveComparison): number {
  const { same, onlyFail2ban, onlyBailiff, waiting } = tally
  if (json) print(JSON.stringify({ type: 'summary', ...tally }))
  else {
    const rest = waiting === 0 ? '' : `; ${waiting} too young to tell`
    print(`${counted(same, 'ban')} by both, ${onlyFail2ban} by Fail2ban alone, ${onlyBailiff} by Bailiff alone${rest}`)
    if (same + onlyFail2ban + onlyBailiff + waiting === 0) print('nobody was banned, so nothing is compared yet')
  }
  return onlyFail2ban + onlyBailiff > 0 ? 1 : 0
}
