/** `host.firewall` in a plugin host: every call goes to the agent, which checks it and asks its helper. */
import type { Firewall, FirewallEntry, Refusal } from '../../plugin.ts'
import { listPart, type FirewallCall, type FromHost } from '../messages.ts'

type Asked = Extract<FromHost, { type: 'firewall' }>

/** The questions to the firewall that are under way. */
export class FirewallQuestions {
  readonly #send: (message: Asked) => void
  readonly #waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  #questions = 0

  constructor(send: (message: Asked) => void) {
    this.#send = send
  }

  /** The firewall as an instance sees it. */
  of(instance: number): Firewall {
    const ask = (calls: Iterable<FirewallCall>) => this.#ask(instance, calls)
    const refusals = async (calls: Iterable<FirewallCall>) => (await ask(calls)) as readonly Refusal[]
    return {
      declare: async (ports) => void (await ask([{ method: 'declare', ports }])),
      add: (entries) => refusals(parts('add', entries)),
      load: (entries) => refusals(parts('load', entries)),
      del: async (entries) => void (await ask(parts('del', entries))),
      sync: (entries) => refusals(parts('sync', entries)),
      list: async (known) => (await ask([{ method: 'list', known: known ?? null }])) as readonly FirewallEntry[],
    }
  }

  answer(question: number, value: unknown): void {
    this.#waiting.get(question)?.resolve(value)
    this.#waiting.delete(question)
  }

  fail(question: number, message: string): void {
    this.#waiting.get(question)?.reject(new Error(message))
    this.#waiting.delete(question)
  }

  #ask(instance: number, calls: Iterable<FirewallCall>): Promise<unknown> {
    const question = ++this.#questions
    let last: FirewallCall | null = null
    for (const asked of calls) {
      if (last !== null) this.#send({ type: 'firewall', question, instance, more: true, asked: last })
      last = asked
    }
    if (last !== null) this.#send({ type: 'firewall', question, instance, more: false, asked: last })
    return new Promise((resolve, reject) => this.#waiting.set(question, { resolve, reject }))
  }
}

/** At least one part, of nothing. */
function* parts(
  method: 'add' | 'load' | 'del' | 'sync',
  entries: Iterable<FirewallEntry>,
): Generator<FirewallCall, void> {
  let part: FirewallEntry[] = []
  for (const { prefix, ports, until } of entries) {
    if (part.length === listPart) {
      yield { method, entries: part }
      part = []
    }
    part.push({ prefix, ports, until })
  }
  yield { method, entries: part }
}
