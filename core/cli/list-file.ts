import { createReadStream, statSync } from 'node:fs'
import { parsePrefix } from '../address.ts'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import { startProgress } from './progress.ts'

/** What the agent takes; more is not even read. */
const maxEntries = 1_000_000
const longestLine = 4096
/** Bad lines that are kept to be told. */
const toldLines = 20
const entriesAPart = 10_000

/** What a file with a list says. */
export interface ListText {
  /** A prefix a line, in parts. */
  readonly parts: readonly string[]
  readonly entries: number
  /** How many lines are none, and the first of them as errors at their places. */
  readonly bad: number
  readonly problems: readonly BailiffError[]
}

/**
 * Reads a list: an address or prefix a line; what stands behind `#` or `;` is a comment, and lines may be
 * blank. `-` is standard input. Throws a BailiffError where it cannot be read or has more than a million entries.
 */
export async function readListFile(path: string): Promise<ListText> {
  const name = path === '-' ? 'standard input' : path
  const reader = new ListReader(name)
  const progress = startProgress({ label: `reading ${name}`, total: sizeOf(path), unit: 'bytes' })
  try {
    let read = 0
    const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: 256 * 1024 })
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      reader.take(bytes.toString('latin1'))
      progress.at((read += bytes.length))
    }
    return reader.end()
  } catch (cause) {
    if (cause instanceof BailiffError) throw cause
    throw new BailiffError('no-input', `cannot read the list: ${whyUnreadable(cause)}`, {
      where: { file: name },
      cause,
    })
  } finally {
    progress.end()
  }
}

class ListReader {
  readonly #name: string
  readonly #parts: string[] = []
  readonly #problems: BailiffError[] = []
  #part: string[] = []
  #entries = 0
  #bad = 0
  #line = 0
  #rest = ''

  constructor(name: string) {
    this.#name = name
  }

  take(text: string): void {
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#read(line)
    // The rest of a line without end is of no use.
    if (this.#rest.length > longestLine) this.#rest = this.#rest.slice(0, longestLine)
  }

  end(): ListText {
    if (this.#rest !== '') this.#read(this.#rest)
    if (this.#part.length > 0) this.#parts.push(`${this.#part.join('\n')}\n`)
    return { parts: this.#parts, entries: this.#entries, bad: this.#bad, problems: this.#problems }
  }

  #read(line: string): void {
    this.#line++
    // The byte order mark of a text from Windows, as Latin-1.
    const whole = this.#line === 1 ? line.replace(/^\xef\xbb\xbf/, '') : line
    const text = whole.replace(/[#;].*$/s, '').trim()
    if (text === '') return
    const prefix = parsePrefix(text)
    if (prefix === null) return this.#refuse(text)
    if (++this.#entries > maxEntries)
      throw new BailiffError('data', `a list has at most ${maxEntries} entries`, {
        where: { file: this.#name, line: this.#line },
        hint: 'networks instead of single addresses make it shorter',
      })
    if (this.#part.push(prefix) < entriesAPart) return
    this.#parts.push(`${this.#part.join('\n')}\n`)
    this.#part = []
  }

  #refuse(text: string): void {
    if (++this.#bad > toldLines) return
    const message = `${quote(text)} is not an IP address or prefix`
    this.#problems.push(new BailiffError('data', message, { where: { file: this.#name, line: this.#line } }))
  }
}

/** Null where nobody knows. */
function sizeOf(path: string): number | null {
  try {
    return path === '-' ? null : statSync(path).size
  } catch {
    return null
  }
}
