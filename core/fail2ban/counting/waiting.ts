import type { GateOptions, WaitingFailure } from './gate-rules.ts'

/** Failures that wait at most, of all jails together. */
const maxWaiting = 10_000
/** How many were given up is told this often. */
const tellEvery = 1000

/** Asks, however long it takes, and answers what is to be done then, in one turn. */
type Asking = () => Promise<() => void>

/** Failures that wait for names or commands: those of one id in order, bounded, each told to `keep` as long as it waits. */
export class Waiting {
  readonly #options: Pick<GateOptions, 'keep' | 'warn'>
  readonly #failures = new Map<string, WaitingFailure>()
  /** The last failure of an id that waits; those that come meanwhile wait for it. */
  readonly #last = new Map<string, Promise<void>>()
  /** The last key. It begins behind those of earlier agents. */
  #key = Date.now() * 1000
  #givenUp = 0

  constructor(options: Pick<GateOptions, 'keep' | 'warn'>) {
    this.#options = options
  }

  /** Whether a failure of the id waits. */
  has(id: string): boolean {
    return this.#last.has(id)
  }

  /** Keys are greater than this from now on. */
  countFrom(key: number): void {
    if (Number.isSafeInteger(key)) this.#key = Math.max(this.#key, key)
  }

  all(): Iterable<readonly [key: string, waiting: WaitingFailure]> {
    return this.#failures
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values())
  }

  /** Asks when all before it of the same id is done. */
  add(id: string, waiting: WaitingFailure, ask: Asking): void {
    const { jail } = waiting.failure
    if (this.#failures.size >= maxWaiting) return this.#giveUp(jail)
    const key = String(++this.#key)
    this.#failures.set(key, waiting)
    this.#options.keep?.(key, waiting)
    const done = this.#ask(id, ask).then((decided) => {
      this.#failures.delete(key)
      // Not to wait for itself, where it leads to another failure of the same id that waits.
      if (this.#last.get(id) === done) this.#last.delete(id)
      this.#guarded(jail, decided)
      this.#options.keep?.(key, null)
    })
    this.#last.set(id, done)
  }

  /** Never rejects: what fails does so when it is decided. */
  async #ask(id: string, ask: Asking): Promise<() => void> {
    try {
      await this.#last.get(id)
      return await ask()
    } catch (error) {
      return () => {
        throw error
      }
    }
  }

  #guarded(jail: string, decided: () => void): void {
    try {
      decided()
    } catch (error) {
      this.#options.warn(jail, `a failure is not counted: ${String(error)}`)
    }
  }

  #giveUp(jail: string): void {
    if (this.#givenUp++ % tellEvery > 0) return
    const message = `more than ${maxWaiting} failures wait for a name server or an ignorecommand`
    this.#options.warn(jail, `${message}: ${this.#givenUp} were not counted so far`)
  }
}
