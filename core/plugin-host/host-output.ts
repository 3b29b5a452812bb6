/** What a plugin prints, as lines of the agent's log: cut, printable, and no more than a log bears. */
import type { Readable } from 'node:stream'
import type { FairShare } from './fair-share.ts'
import { cutWords } from './fields.ts'
import { LineAllowance } from './line-allowance.ts'

const longestLine = 500
/** Lines that are told at once, and each second after that. */
const burst = 20
const linesASecond = 5
export interface HostOutputOptions {
  readonly streams: readonly (Readable | null)[]
  readonly share: FairShare
  readonly tell: (line: string) => void
  /** Called now and then with how many lines were not told. */
  readonly left: (lines: number) => void
  readonly now?: () => number
}

/** Reads the streams to their ends. All that is printed is taken, whether it is told or not. */
export class HostOutput {
  readonly #options: HostOutputOptions
  readonly #allowance: LineAllowance
  #ranOutOfMemory = false

  constructor(options: HostOutputOptions) {
    this.#options = options
    this.#allowance = new LineAllowance({ burst, linesASecond, now: options.now })
    for (const stream of options.streams) if (stream !== null) this.#read(stream)
  }

  /** Whether V8 said so; behind it comes a long trace. */
  get ranOutOfMemory(): boolean {
    return this.#ranOutOfMemory
  }

  /** Tells how much was left out since it was told last. */
  tellLeft(): void {
    const left = this.#allowance.takeLeft()
    if (left > 0) this.#options.left(left)
  }

  #read(stream: Readable): void {
    let rest = ''
    stream.on('error', () => {})
    this.#options.share.read(stream, (data) => {
      rest = this.#take(rest, data)
    })
    stream.on('close', () => {
      if (rest.trim() !== '') this.#line(rest)
    })
  }

  /** What is left of the last line. Where nothing may be told, lines are only counted. */
  #take(rest: string, data: Buffer): string {
    if (this.#allowance.isUsedUp) {
      let lines = 0
      for (let at = data.indexOf(10); at >= 0; at = data.indexOf(10, at + 1)) lines++
      this.#allowance.leave(lines)
      return ''
    }
    const lines = (rest + data.toString('utf8')).split('\n')
    const last = (lines.pop() ?? '').slice(0, longestLine + 1)
    for (const line of lines) this.#line(line)
    return last
  }

  /** A blank line is none to be told, and counts as any other. */
  #line(text: string): void {
    this.#ranOutOfMemory ||= /^(?:#\s*)?fatal .*out of memory/i.test(text.slice(0, longestLine))
    if (!this.#allowance.take()) return
    const line = cutWords(text.replace(/\r$/, ''), longestLine)
    if (line.trim() !== '') this.#options.tell(line)
  }
}
