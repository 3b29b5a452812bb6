import { readSync } from 'node:fs'
import type { Agent } from './agent.ts'
import { describeError } from './errors.ts'
import type { LogChunk, ScanResult } from './events.ts'
import { FailureGate } from './fail2ban/counting/failure-gate.ts'
import { JailFilter } from './fail2ban/lines/jail-filter.ts'
import { lineDecoder } from './fail2ban/lines/line-decoding.ts'
import { treeFailure } from './fail2ban/running/tree-failures.ts'
import type { ReadyJail } from './jails.ts'

/** The way of a failure that a jail of a Fail2ban tree found: names and ignored ones, then the judge. */
export class AgentFail2ban {
  readonly #agent: Agent
  readonly #gate: FailureGate
  readonly #filters = new Map<string, JailFilter>()
  #jails = new Map<string, ReadyJail>()

  constructor(agent: Agent) {
    this.#agent = agent
    this.#gate = new FailureGate({
      count: (failure, arrival) => {
        for (const ban of agent.judge.countFailure(failure, arrival)) agent.decide(ban)
      },
      onIgnored: (jail, id, source) => agent.ownLog.ignored(jail, id, source),
      warn: (jail, message) => agent.options.log.warn({ jail }, message),
    })
  }

  async configure(jails: readonly ReadyJail[]): Promise<void> {
    this.#jails = new Map(jails.filter(({ fail2ban }) => fail2ban !== null).map((jail) => [jail.name, jail]))
    this.#filters.clear()
    const wrong = await this.#gate.configure(jails.flatMap(({ fail2ban }) => fail2ban?.gate ?? []))
    for (const error of wrong) this.#agent.options.log.error({}, describeError(error))
  }

  /** Takes what a chunk has of failures. */
  take({ consumed }: ScanResult, chunk: LogChunk): void {
    const jails = chunk.jails.flatMap((name) => this.#jails.get(name) ?? [])
    if (jails.length === 0) return
    const bytes = bytesOf(chunk, consumed)
    let start = 0
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
      for (const jail of jails) this.#line(jail, bytes.subarray(start, end), chunk, start)
      start = end + 1
    }
  }

  #line({ name, fail2ban, findtimeMs }: ReadyJail, bytes: Buffer, chunk: LogChunk, offset: number): void {
    const texts = fail2ban?.texts
    if (!texts) return
    const key = JSON.stringify([name, chunk.log])
    const filter = this.#filters.get(key) ?? new JailFilter(texts)
    this.#filters.set(key, filter)
    const text = lineDecoder(texts.encoding)(bytes)
    const [, date = null, rest = text] = texts.journal ? (/^(\S+) (.*)$/s.exec(text) ?? []) : []
    const time = date === null ? null : Date.parse(date) / 1000
    const moment = { now: chunk.arrivedAt / 1000, time, inOperation: chunk.live, findtime: findtimeMs / 1000 }
    for (const raw of filter.process(rest, moment)) {
      const failure = treeFailure(raw, { jail: name, filter: texts.name, log: chunk.log, offset })
      if (failure !== null) for (const ban of this.#agent.judge.countFailure(failure, chunk)) this.#agent.decide(ban)
    }
  }

  stop(): void {
    this.#gate.stop()
  }
}

function bytesOf({ data }: LogChunk, length: number): Buffer {
  if (data instanceof Uint8Array) return Buffer.from(data).subarray(0, length)
  const bytes = Buffer.alloc(length)
  return bytes.subarray(0, readSync(data.fd, bytes, 0, length, data.start))
}
