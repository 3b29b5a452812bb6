import { existsSync } from 'node:fs'
import { BailiffError, defineSource, type Emit, type SourceHost } from '../../core/plugin.ts'
import { EntryLines } from './journal/entry-line.ts'
import { ExportReader, type JournalEntry } from './journal/export-reader.ts'
import { inWords, journalctlWords, options, type Beginning, type JournalOptions } from './journal/journalctl-words.ts'

/** Entries that old are not new: what else they are told by is their own date, which the journal vouches for. */
const liveMs = 20_000
const places = ['/usr/bin/journalctl', '/bin/journalctl', '/usr/local/bin/journalctl']

/**
 * Follows the journal of systemd. Each entry is a line as in a file of syslog. It goes on behind the last entry
 * that is done with, whatever happened to agent, journalctl or journald; what is gone from the journal by then is told.
 */
export default defineSource<JournalOptions>({
  options,
  async start(emit, host) {
    const log = inWords(host.options)
    const beginning = beginningAt(host.cursor(log), host)
    const command = [journalctl(), ...journalctlWords(host.options, beginning)]
    const reading = new Reading(emit, host, log, 'cursor' in beginning ? beginning.cursor : null)
    try {
      for await (const piece of host.run(command, { said: (line) => hear(line, host) })) await reading.take(piece)
    } catch (error) {
      if (error instanceof Error && error.message.includes('Permission denied')) throw forbidden(error.message)
      throw error
    }
  },
})

/** The lines of one run of journalctl. */
class Reading {
  readonly #emit: Emit
  readonly #host: SourceHost<JournalOptions>
  readonly #log: string
  readonly #lines = new EntryLines()
  readonly #reader = new ExportReader((entry) => this.#add(entry))
  /** The cursor of the entry that comes first, which is done with already. */
  #expected: string | null
  /** What the piece brings: lines, the cursor of the last, and the time of the first. */
  #text = ''
  #cursor: string | null = null
  #oldest = Infinity
  #passedOver = 0

  constructor(emit: Emit, host: SourceHost<JournalOptions>, log: string, expected: string | null) {
    this.#emit = emit
    this.#host = host
    this.#log = log
    this.#expected = expected
  }

  /** Resolves when the lines of all entries that are complete now are done with. */
  async take(piece: Uint8Array): Promise<void> {
    this.#reader.push(piece)
    const [text, cursor] = [this.#text, this.#cursor]
    if (cursor === null) return
    const live = Math.abs(this.#host.now() - this.#oldest) < liveMs
    ;[this.#text, this.#cursor, this.#oldest] = ['', null, Infinity]
    await this.#emit(Buffer.from(text, 'latin1'), { log: this.#log, cursor, live })
  }

  #add(entry: JournalEntry): void {
    const expected = this.#expected
    this.#expected = null
    if (entry.cursor === expected) return
    if (expected !== null) this.#tellGap(expected, entry)
    this.#cursor = entry.cursor
    this.#oldest = Math.min(this.#oldest, Number(entry.time) / 1000)
    if (entry.tooLong) this.#passOver()
    else if (this.#host.options.form === 'fail2ban') this.#text += this.#lines.fail2banLine(entry)
    else this.#text += this.#lines.line(entry)
  }

  #tellGap(expected: string, { time }: JournalEntry): void {
    const from = timeOf(expected)
    const span = `${from === null ? 'the last entry that was read' : new Date(from).toISOString()} and ${new Date(Number(time) / 1000).toISOString()}`
    this.#host.log.warn(
      { source: this.#host.name },
      `the journal does not have the entry any more up to which it was read; what it took between ${span} may be lost to Bailiff: let journald keep more (SystemMaxUse=, RuntimeMaxUse=)`,
    )
  }

  #passOver(): void {
    this.#passedOver++
    if (Math.log2(this.#passedOver) % 1 !== 0) return
    this.#host.log.warn(
      { source: this.#host.name },
      `entries of more than 64 KiB are passed over, ${this.#passedOver} so far`,
    )
  }
}

/** Behind the cursor; without one, and where it is of no use, at the time from which failures count. */
function beginningAt(cursor: string | null, host: SourceHost<JournalOptions>): Beginning {
  const usual = `@${Math.floor(host.since() / 1000)}`
  if (cursor === null) return { since: host.options.since ?? usual }
  const time = timeOf(cursor)
  // journalctl would wait for entries that are later than it, by a clock that was set back since.
  if (time !== null && time < host.now() + 60_000) return { cursor }
  host.log.warn(
    { source: host.name },
    'the journal was read up to a time that is still to come: the clock was set back, so all is read again that still counts',
  )
  return { since: usual }
}

/** When the entry of a cursor was taken, unix milliseconds: sd_journal_get_cursor(3) calls cursors opaque, yet all have had it. */
function timeOf(cursor: string): number | null {
  const [, hex] = /^s=[0-9a-f]+;(?:[a-z]=[0-9a-f]+;)*t=([0-9a-f]{1,14})(?:;|$)/.exec(cursor) ?? []
  return hex === undefined ? null : Number.parseInt(hex, 16) / 1000
}

/** What journalctl says beside the entries. */
function hear(line: string, { log, name }: SourceHost<JournalOptions>): void {
  if (/not seeing messages|insufficient permissions/i.test(line)) throw forbidden(line)
  log.warn({ source: name }, `journalctl says: ${line}`)
}

function forbidden(line: string): BailiffError {
  return new BailiffError('no-permission', `this user may not read the journal: ${line}`, {
    hint: 'let the user of the agent be in the group systemd-journal ("usermod -aG systemd-journal bailiff"), and start it anew',
  })
}

function journalctl(): string {
  const found = places.find((path) => existsSync(path))
  if (found !== undefined) return found
  throw new BailiffError('unavailable', `there is no journalctl: looked for ${places.join(', ')}`, {
    hint: 'install it (it comes with systemd), or name the log file of the service as the source',
  })
}
