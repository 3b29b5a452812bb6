/** The agent's side of a source in a plugin host: takes what it emits, and answers what it asks. */
import { BailiffError, describeError } from '../errors.ts'
import type { Emit, EmitFrom, SourceHost } from '../plugin.ts'
import { NotAllowed } from './fields.ts'
import { emitWindowBytes, type FromHost, type Question, type Reply } from './messages.ts'

/** Paths and patterns that a source may have followed, and files of one pattern, unless it says how many. */
const mostFollowed = 1024
const mostOfPattern = 4096
const usualOfPattern = 256

type Emitted = Extract<FromHost, { type: 'emit' }>

/** From its start in a process to the end of that process. */
export class HostedSource {
  readonly #emit: Emit
  readonly #host: SourceHost
  readonly #taken: (emit: number, error: string | null) => void
  readonly #underWay = new Set<Promise<void>>()
  readonly #followed = new Set<string>()
  #bytes = 0
  /** While an unfinished line is still to be forgotten, what comes next waits for that. */
  #gate: Promise<void> | null = null

  constructor(emit: Emit, host: SourceHost, taken: (emit: number, error: string | null) => void) {
    this.#emit = emit
    this.#host = host
    this.#taken = taken
  }

  /** Throws `NotAllowed` where the host pays no attention to how far the agent is. */
  emit({ emit, log, cursor, live, writtenAt }: Emitted, bytes: Uint8Array): void {
    this.#bytes += bytes.length + 1024
    if (this.#bytes > 2 * emitWindowBytes) throw new NotAllowed('more bytes than the agent has room for')
    const from: EmitFrom = {
      ...(log === '' ? {} : { log }),
      ...(cursor === null ? {} : { cursor }),
      ...(live === null ? {} : { live }),
      ...(writtenAt === null ? {} : { writtenAt }),
    }
    const work = (this.#gate === null ? this.#emit(bytes, from) : this.#gate.then(() => this.#emit(bytes, from))).then(
      () => this.#taken(emit, null),
      (error: unknown) => this.#taken(emit, describeError(error)),
    )
    this.#underWay.add(work)
    void work.finally(() => {
      this.#underWay.delete(work)
      this.#bytes -= bytes.length + 1024
    })
  }

  /** After all that came before, the unfinished line of this log goes. */
  forget(log: string): void {
    const before = [...this.#underWay, ...(this.#gate === null ? [] : [this.#gate])]
    const gate = Promise.all(before).then(() => {
      this.#host.cursor(log)
      if (this.#gate === gate) this.#gate = null
    })
    this.#gate = gate
  }

  /** Nothing comes any more: the agent is told when it has taken all. */
  ended(): void {
    void this.settled().then(() => this.#host.ended())
  }

  /** Resolves when all that came has been taken. */
  async settled(): Promise<void> {
    await Promise.all([...this.#underWay, this.#gate])
  }

  answer(question: Exclude<Question, { readonly ask: 'fault' }>): Reply {
    try {
      return { value: this.#answerOf(question) }
    } catch (error) {
      return { error: error instanceof BailiffError ? error.message : describeError(error) }
    }
  }

  #answerOf(question: Exclude<Question, { readonly ask: 'fault' }>): string | number | null {
    switch (question.ask) {
      case 'cursor':
        return this.#host.cursor(question.log)
      case 'since':
        return this.#host.since()
      case 'follow':
        this.#note(question.path)
        this.#host.follow(question.path)
        return null
      case 'follow-matching':
        this.#note(JSON.stringify(question))
        this.#host.followMatching(question.pattern, {
          exclude: question.exclude,
          limit: Math.min(mostOfPattern, question.limit ?? usualOfPattern),
        })
        return null
    }
  }

  #note(followed: string): void {
    this.#followed.add(followed)
    if (this.#followed.size > mostFollowed)
      throw new BailiffError('unavailable', `a source may follow ${mostFollowed} paths and patterns`)
  }
}
