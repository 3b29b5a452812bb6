/** Lines of one kind written at once, and how many more may follow each second. */
const burst = 200
const perSecond = 5
/** Kinds told apart at most; beyond, all share one. */
const maxKinds = 500
const longestMessage = 2000
const lookEveryMs = 1000

interface Kind {
  /** A message of the kind, for people. */
  readonly example: string
  readonly level: number
  tokens: number
  withheld: number
}

/** Writes the one line that stands for those that were not written. */
export type Summary = (level: number, withheld: number, example: string) => void

/**
 * Keeps a flood out of the agent's own log: of messages that differ only in numbers and addresses 200 are
 * written, and then 5 a second. How many were withheld is told each second. Whoever floods an agent must
 * not fill its disk.
 */
export class LogLimit {
  readonly #summary: Summary
  readonly #kinds = new Map<string, Kind>()
  #timer: NodeJS.Timeout | null = null

  constructor(summary: Summary) {
    this.#summary = summary
  }

  /** Whether the message is to be written; when not, it is counted. */
  passes(level: number, message: string): boolean {
    const kind = this.#kindOf(level, message)
    this.#timer ??= setInterval(() => this.second(), lookEveryMs).unref()
    if (kind.tokens > 0) {
      kind.tokens--
      return true
    }
    kind.withheld++
    return false
  }

  /** A second is over: tells what was withheld. Kinds that are quiet are forgotten. */
  second(): void {
    for (const [key, kind] of this.#kinds) {
      const { level, withheld, example } = kind
      kind.withheld = 0
      kind.tokens = Math.min(burst, kind.tokens + perSecond)
      if (withheld > 0) this.#summary(level, withheld, example)
      else if (kind.tokens === burst) this.#kinds.delete(key)
    }
    if (this.#kinds.size > 0 || this.#timer === null) return
    clearInterval(this.#timer)
    this.#timer = null
  }

  #kindOf(level: number, message: string): Kind {
    const own = `${level} ${message
      .slice(0, 200)
      .replace(/[0-9a-f.:/]*\d[0-9a-f.:/]*/gi, '#')
      .slice(0, 60)}`
    const key = this.#kinds.has(own) || this.#kinds.size < maxKinds ? own : `${level}`
    const known = this.#kinds.get(key)
    if (known) return known
    const kind = { example: message.slice(0, 100), level, tokens: burst, withheld: 0 }
    this.#kinds.set(key, kind)
    return kind
  }
}

/** A message as long as one line of a log may be. */
export function shortMessage(message: string): string {
  return message.length <= longestMessage
    ? message
    : `${message.slice(0, longestMessage)}… (${message.length} characters)`
}
