/**
 * Reads the journal export format (https://systemd.io/JOURNAL_EXPORT_FORMATS): fields as `NAME=value` lines, those with
 * line breaks or control characters as the name, a newline, eight bytes of length (little-endian), the bytes, and a newline;
 * an empty line ends an entry. All texts are Latin-1: one character a byte.
 */
import { BailiffError } from '../../../core/plugin.ts'

/** One entry. Fields that it does not have are empty. */
export interface JournalEntry {
  cursor: string
  /** When the journal took it, in microseconds: digits. */
  time: string
  /** When the sender's line came to journald, as the kernel says, in microseconds: digits. */
  sentTime: string
  /** Microseconds since the start of the machine: when the journal took it, and when the sender made it. */
  uptime: string
  sentUptime: string
  host: string
  /** What the sender calls itself: anybody may call himself anything. */
  identifier: string
  /** The name of the process, by the kernel. */
  command: string
  /** By the kernel. */
  pid: string
  /** By the sender. */
  claimedPid: string
  message: string
  /** Whether a field was longer than is read. Then the entry is incomplete. */
  tooLong: boolean
}

/** What has to be asked for. */
export const fields = [
  'MESSAGE',
  'SYSLOG_IDENTIFIER',
  'SYSLOG_PID',
  '_COMM',
  '_HOSTNAME',
  '_PID',
  '_SOURCE_REALTIME_TIMESTAMP',
  '_SOURCE_MONOTONIC_TIMESTAMP',
]

const names: Readonly<Record<string, Exclude<keyof JournalEntry, 'tooLong'>>> = {
  __CURSOR: 'cursor',
  __REALTIME_TIMESTAMP: 'time',
  _SOURCE_REALTIME_TIMESTAMP: 'sentTime',
  __MONOTONIC_TIMESTAMP: 'uptime',
  _SOURCE_MONOTONIC_TIMESTAMP: 'sentUptime',
  _HOSTNAME: 'host',
  SYSLOG_IDENTIFIER: 'identifier',
  _COMM: 'command',
  _PID: 'pid',
  SYSLOG_PID: 'claimedPid',
  MESSAGE: 'message',
}

/** Longer fields are passed over: a line that long would be, too. */
const maxField = 65_536
const maxName = 64
const lengthBytes = 8
const dash = 0x2d
/** With two newlines. */
const longestPart = maxName + lengthBytes + maxField + 2

/**
 * Takes the output of journalctl piece by piece. It never holds more of it than one piece and a field of
 * the longest that is read: any process of the machine may send a message of hundreds of MiB.
 */
export class ExportReader {
  readonly #found: (entry: JournalEntry) => void
  #entry = emptyEntry()
  #rest = ''
  /** Inside a field that is too long: its bytes that are still to come, or up to a newline. */
  #skipBytes = 0
  #skipLine = false

  constructor(found: (entry: JournalEntry) => void) {
    this.#found = found
  }

  /** Calls `found` for each entry that is complete now. Throws a BailiffError for what is no export format. */
  push(piece: Uint8Array): void {
    const text = this.#rest + Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString('latin1')
    let at = this.#passOver(text)
    while (at < text.length) {
      const end = text.indexOf('\n', at)
      if (end < 0) break
      const next = end === at ? this.#endEntry(end) : this.#field(text, at, end)
      if (next < 0) break
      at = next
    }
    this.#rest = text.slice(at)
    if (this.#rest.length > longestPart) this.#skipRest()
  }

  #endEntry(end: number): number {
    if (this.#entry.cursor !== '') this.#found(this.#entry)
    this.#entry = emptyEntry()
    return end + 1
  }

  /** Takes the field whose first line is `at` to `end`. Answers where the next begins; -1: it has not come as a whole. */
  #field(text: string, at: number, end: number): number {
    // Old versions of journalctl say when the journal begins, in a line of dashes.
    if (text.charCodeAt(at) === dash) return end + 1
    const equals = text.indexOf('=', at)
    if (equals >= 0 && equals < end) {
      if (end - equals > maxField) this.#entry.tooLong = true
      else this.#keep(text.slice(at, equals), text, equals + 1, end)
      return end + 1
    }
    const start = end + 1 + lengthBytes
    if (text.length < start) return -1
    const length = readLength(text, end + 1)
    if (length > maxField) {
      this.#entry.tooLong = true
      this.#skipBytes = length + 1
      return start + this.#passOver(text.slice(start))
    }
    if (text.length < start + length + 1) return -1
    this.#keep(text.slice(at, end), text, start, start + length)
    return start + length + 1
  }

  /** Of a field that an entry has several times the first counts. */
  #keep(name: string, text: string, start: number, end: number): void {
    const key = names[name]
    if (key !== undefined && this.#entry[key] === '') this.#entry[key] = text.slice(start, end)
  }

  /** How much of the beginning belongs to a field that is too long. */
  #passOver(text: string): number {
    if (this.#skipLine) {
      const end = text.indexOf('\n')
      this.#skipLine = end < 0
      return end < 0 ? text.length : end + 1
    }
    const skipped = Math.min(this.#skipBytes, text.length)
    this.#skipBytes -= skipped
    return skipped
  }

  /** The rest is a line that is too long already. */
  #skipRest(): void {
    this.#rest = ''
    this.#skipLine = true
    this.#entry.tooLong = true
  }
}

function emptyEntry(): JournalEntry {
  return {
    cursor: '',
    time: '',
    sentTime: '',
    uptime: '',
    sentUptime: '',
    host: '',
    identifier: '',
    command: '',
    pid: '',
    claimedPid: '',
    message: '',
    tooLong: false,
  }
}

function readLength(text: string, at: number): number {
  let length = 0
  for (let i = lengthBytes - 1; i >= 0; i--) length = length * 256 + text.charCodeAt(at + i)
  if (!Number.isSafeInteger(length)) throw new BailiffError('data', 'journalctl prints what is no export format')
  return length
}
