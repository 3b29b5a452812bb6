/** Reads what `nft monitor` prints: a line for each change, and after each transaction who made it. */
import type { Entry } from './admission.ts'
import type { ForeignChange } from './backend.ts'
import { textToHex } from './hex-address.ts'
import type { SetKey } from './set-names.ts'
import { table } from './table-layout.ts'

export interface MonitorReaderOptions {
  /** Whether a process is one of ours. */
  readonly isOurs: (pid: number, program: string) => boolean
  /** What a set of our table holds; undefined where it is not known. */
  readonly keyOf: (set: string) => SetKey | undefined
  readonly heard: (change: ForeignChange) => void
}

/** The most that is kept of one transaction; a longer one is not read in its parts. */
const maxBytes = 4 * 1024 * 1024

const place = `${table.family} ${table.name}`
const generation = Buffer.from('# new generation ')
const newline = 10

/** Takes the output as it comes, any bytes, and tells what others changed in our table. */
export class MonitorReader {
  readonly #options: MonitorReaderOptions
  /** The lines of this transaction that may concern us. */
  #lines: Buffer[] = []
  #bytes = 0
  /** A line that has not ended. */
  #begun = Buffer.alloc(0)
  #tooLong = false

  constructor(options: MonitorReaderOptions) {
    this.#options = options
  }

  read(chunk: Buffer): void {
    let rest = this.#begun.length === 0 ? chunk : Buffer.concat([this.#begun, chunk])
    for (let at = lineThatBegins(rest, generation); at >= 0; at = lineThatBegins(rest, generation)) {
      const end = rest.indexOf(newline, at)
      if (end < 0) break
      this.#keep(rest.subarray(0, at))
      this.#finish(rest.toString('latin1', at, end))
      rest = rest.subarray(end + 1)
    }
    const whole = rest.lastIndexOf(newline) + 1
    this.#keep(rest.subarray(0, whole))
    this.#begun = rest.length - whole > maxBytes ? Buffer.alloc(0) : Buffer.from(rest.subarray(whole))
  }

  #keep(lines: Buffer): void {
    if (lines.includes('# ERROR')) this.#options.heard({ kind: 'lost' })
    if (this.#tooLong || !lines.includes(place)) return
    this.#bytes += lines.length
    this.#tooLong = this.#bytes > maxBytes
    if (this.#tooLong) this.#lines = []
    else this.#lines.push(lines)
  }

  /** The transaction is over; `by` is the line that says whose it was. */
  #finish(by: string): void {
    const [, pid = '0', program = ''] = /by process (\d+) \((.*)\)/.exec(by) ?? []
    const lines = Buffer.concat(this.#lines).toString('latin1').split('\n')
    const change = this.#tooLong ? ({ kind: 'changed' } as const) : readChange(lines, this.#options.keyOf)
    this.#lines = []
    this.#bytes = 0
    this.#tooLong = false
    if (change !== null && !this.#options.isOurs(Number(pid), program)) this.#options.heard(change)
  }
}

/** What the lines of a transaction change in our table; null: nothing. */
function readChange(lines: readonly string[], keyOf: (set: string) => SetKey | undefined): ForeignChange | null {
  const entries: Entry[] = []
  for (const line of lines) {
    const [verb, kind, family, name, set = ''] = line.split(' ', 5)
    if (verb === undefined || `${family} ${name}` !== place) continue
    const found = kind === 'element' ? readElements(line, keyOf(set)) : null
    if (found === null) return { kind: 'changed' }
    entries.push(...found)
  }
  return entries.length === 0 ? null : { kind: 'removed', entries }
}

/** `delete element inet bailiff all_v4 { 192.0.2.1 timeout 10m expires 9m, 192.0.2.2 }`, and the same with `add`, which may change a time. */
function readElements(line: string, key: SetKey | undefined): Entry[] | null {
  const list = /\{ (.*) \}$/.exec(line)?.[1]
  if (key === undefined || list === undefined) return null
  const entries: Entry[] = []
  for (const element of list.split(', ')) {
    const address = textToHex(element.split(' ', 1)[0] ?? '')
    if (address === null || address.length !== (key.family === 4 ? 8 : 32)) return null
    entries.push({ ports: key.ports, family: key.family, length: key.length, address, endsAt: null })
  }
  return entries
}

/** Where the first line stands that begins so; -1: none does. */
function lineThatBegins(bytes: Buffer, word: Buffer): number {
  for (let at = bytes.indexOf(word); at >= 0; at = bytes.indexOf(word, at + 1)) {
    if (at === 0 || bytes[at - 1] === newline) return at
  }
  return -1
}
