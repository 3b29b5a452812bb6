/** What a plugin in a host asks of the firewall, gathered from its parts and asked of the instance's own `host.firewall`. */
import { describeError } from '../errors.ts'
import type { Firewall, FirewallEntry } from '../plugin.ts'
import { NotAllowed } from './fields.ts'
import type { FirewallCall, FromHost, ToHost } from './messages.ts'

type Asked = Extract<FromHost, { type: 'firewall' }>

/** Entries of all calls that are gathered or under way, and how many calls there may be. */
const mostEntries = 1_000_000
const mostQuestions = 256
/** Ports take memory too: an entry with many of them counts as several. */
const portsOfEntry = 16

interface Gathered {
  readonly entries: FirewallEntry[]
  weight: number
}

export class HostedFirewall {
  readonly #send: (message: ToHost) => void
  readonly #gathered = new Map<number, Gathered>()
  #weight = 0
  #underWay = 0

  constructor(send: (message: ToHost) => void) {
    this.#send = send
  }

  /**
   * Asks when the last part has come. `firewall` throws for who may not use it: of these nothing is gathered. Throws
   * `NotAllowed` for more than any firewall holds.
   */
  take({ question, more, asked }: Asked, firewall: () => Firewall): void {
    let allowed: Firewall
    try {
      allowed = firewall()
    } catch (error) {
      if (!more) this.#fail(question, error)
      return
    }
    const gathered = this.#gather(question, asked)
    if (more) return
    this.#gathered.delete(question)
    this.#underWay++
    void this.#ask(asked, gathered.entries, allowed)
      .then(
        (value) => this.#send({ type: 'firewall-answer', question, value: value ?? null }),
        (error: unknown) => this.#fail(question, error),
      )
      .finally(() => {
        this.#underWay--
        this.#weight -= gathered.weight
      })
  }

  #gather(question: number, asked: FirewallCall): Gathered {
    const gathered = this.#gathered.get(question) ?? { entries: [], weight: 0 }
    this.#gathered.set(question, gathered)
    if (this.#gathered.size + this.#underWay > mostQuestions)
      throw new NotAllowed('too many questions to the firewall at once')
    if (!('entries' in asked)) return gathered
    for (const entry of asked.entries) {
      const weight = 1 + Math.floor(entry.ports.ports.length / portsOfEntry)
      gathered.weight += weight
      this.#weight += weight
      gathered.entries.push(entry)
    }
    if (this.#weight > mostEntries) throw new NotAllowed(`more than ${mostEntries} entries for the firewall at once`)
    return gathered
  }

  #fail(question: number, error: unknown): void {
    this.#send({ type: 'firewall-failure', question, message: describeError(error) })
  }

  async #ask(asked: FirewallCall, entries: readonly FirewallEntry[], firewall: Firewall): Promise<unknown> {
    if (asked.method === 'declare') return firewall.declare(asked.ports)
    if (asked.method === 'list') return firewall.list(asked.known ?? undefined)
    return firewall[asked.method](entries)
  }
}
