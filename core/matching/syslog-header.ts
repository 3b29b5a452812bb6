/**
 * What syslog daemons write between the date and the message of a line, and rsyslog's
 * `message repeated N times: [ message]`. All of it stands before the text of the program:
 *
 * | form                                | who writes it                                        |
 * |-------------------------------------|------------------------------------------------------|
 * | `HOST PROGRAM[PID]: ` `HOST PROGRAM: ` | most                                              |
 * | `PROGRAM[PID]: `                    | what programs send to /dev/log, stored as it came    |
 * | `HOST auth.info PROGRAM[PID]: `     | busybox (Alpine); AIX has `auth\|security:info`      |
 * | `<auth.info> HOST PROGRAM[PID]: `   | FreeBSD with -v (`<4.6>`) and -vv                    |
 * | `[PROGRAM] `                        | metalog                                              |
 * | `HOST PROGRAM PID MSGID DATA `      | RFC 5424, behind `<PRIORITY>1 DATE `                 |
 */
import type { LineHead } from '../plugin.ts'
import { blank, closing, colon, isBlank, lessThan, opening, quote, slash } from './timestamp-text.ts'

/** Reads headers, one after the other. */
export class SyslogHeaderReader {
  /** The program of the line before, which most lines share: its string is used again. */
  #program = ''

  /** The header from `start`, behind the date, in the text up to `end`; null where there is none. */
  read(text: string, start: number, end: number): LineHead['syslog'] {
    return this.#usual(text, start, end, false) ?? this.#other(text, start, end)
  }

  /** The header of RFC 5424 (section 6) from the name of the host on; null where it is broken. */
  readFields(text: string, start: number, end: number): LineHead['syslog'] {
    const program = behindWord(text, start, end)
    const pid = behindWord(text, program, end)
    const messageId = behindWord(text, pid, end)
    const data = behindWord(text, messageId, end)
    if (program < 0 || pid < 0 || messageId < 0 || data < 0) return null
    const behind = behindData(text, data, end)
    if (behind < 0) return null
    const number = text.slice(pid, messageId - 1)
    // rsyslog keeps the blank with which the message of RFC 3164 began; a message may begin with a mark of its bytes' order.
    const next = text.charCodeAt(behind + 1)
    const messageAt = next === blank || next === byteOrderMark ? behind + 2 : behind + 1
    return this.#header(text, program, pid - 1, number === '-' ? '' : number, Math.min(messageAt, end), end)
  }

  #usual(text: string, start: number, end: number, hostless: boolean): LineHead['syslog'] {
    const from = hostless ? start : behindHost(text, start, end)
    if (from < 0) return null
    let at = behindProgram(text, from, end)
    if (at < 0) return null
    const programEnd = at
    let pid = ''
    if (text.charCodeAt(at) === opening) {
      const pidEnd = pidAt(text, at + 1, end)
      if (pidEnd < 0) return null
      pid = text.slice(at + 1, pidEnd)
      at = pidEnd + 1
    } else if (hostless) return null
    if (text.charCodeAt(at) !== colon || (at + 1 < end && !isBlank(text.charCodeAt(at + 1)))) return null
    return this.#header(text, from, programEnd, pid, Math.min(at + 2, end), end)
  }

  #other(text: string, start: number, end: number): LineHead['syslog'] {
    const code = text.charCodeAt(start)
    if (code === opening) {
      const name = /^\[([A-Za-z][\w./-]{0,63})\] /.exec(text.slice(start, Math.min(end, start + 80)))
      return name ? this.#header(text, start + 1, start + name[0].length - 2, '', start + name[0].length, end) : null
    }
    const second = behindWord(text, start, end)
    if (second < 0) return null
    if (code === lessThan) {
      return bracketedPriority.test(text.slice(start, second)) ? this.#usual(text, second, end, false) : null
    }
    if (text.charCodeAt(second - 2) === colon) return this.#usual(text, start, end, true)
    const third = behindWord(text, second, end)
    return third > 0 && third - second < 48 && priority.test(text.slice(second, third))
      ? this.#usual(text, second, end, false)
      : null
  }

  #header(text: string, from: number, to: number, pid: string, messageAt: number, end: number): LineHead['syslog'] {
    // Where a program calls itself by its path.
    const behindPath = text.charCodeAt(from) === slash ? text.lastIndexOf('/', to - 1) + 1 : from
    const name = behindPath < to ? behindPath : from
    const program = this.#sameProgram(text, name, to)
    const code = text.charCodeAt(messageAt)
    if (code === letterM) {
      const repeated = repeatedMessage(text, messageAt, end)
      if (repeated) return { program, pid, ...repeated }
    }
    const start = code === opening ? behindMessageId(text, messageAt, end) : messageAt
    return { program, pid, message: text.slice(start, end), attempts: 1 }
  }

  #sameProgram(text: string, start: number, end: number): string {
    if (this.#program.length !== end - start || !text.startsWith(this.#program, start)) {
      // A copy: a part of the text of a chunk would keep all of it in memory.
      this.#program = Buffer.from(text.slice(start, end)).toString()
    }
    return this.#program
  }
}

/** Whether the line begins as RFC 5424 asks: priority and version 1. */
export function beginsWithVersion(text: string, start: number): boolean {
  return text.charCodeAt(start) === lessThan && /^<\d{1,3}>1 /.test(text.slice(start, start + 7))
}

const maxAttempts = 1000
const byteOrderMark = 0xfeff
const [letterM, backslash] = [0x6d, 0x5c]
const priority = /^[a-z0-9]+(?:\|[a-z]+)?[.:](?:emerg|panic|alert|crit|err|error|warning|warn|notice|info|debug) $/
const bracketedPriority = /^<[a-z0-9]{1,12}\.[a-z0-9]{1,12}> $/

/** Where the word behind the host begins: the host is a word of its own that ends in no colon. -1 for none. */
function behindHost(text: string, start: number, end: number): number {
  const behind = behindWord(text, start, end)
  return behind < 0 || text.charCodeAt(behind - 2) === colon ? -1 : behind
}

/** Where the next word begins, behind one blank; -1 where there is no word here, or none behind it. */
function behindWord(text: string, start: number, end: number): number {
  if (start < 0) return -1
  let at = start
  while (at < end && !isBlank(text.charCodeAt(at))) at++
  return at === start || at === end ? -1 : at + 1
}

/** Where the program ends: at a colon or an opening bracket; -1 for none. */
function behindProgram(text: string, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === colon || code === opening) return at > start ? at : -1
    if (isBlank(code)) return -1
  }
  return -1
}

/** Where the process id ends: at a `]` that a colon follows; -1 for none. */
function pidAt(text: string, start: number, end: number): number {
  for (let at = start; at < end && at < start + 32; at++) {
    const code = text.charCodeAt(at)
    if (code === closing) return at > start ? at : -1
    if (isBlank(code)) return -1
  }
  return -1
}

/** Where structured data ends, which is `-` or elements in brackets; -1 where it is broken. */
function behindData(text: string, start: number, end: number): number {
  if (text.charCodeAt(start) !== opening) return text.startsWith('- ', start) ? start + 1 : -1
  let quoted = false
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code === quote) quoted = !quoted
    else if (quoted && code === backslash) at++
    else if (!quoted && code === closing && text.charCodeAt(at + 1) !== opening) {
      return text.charCodeAt(at + 1) === blank ? at + 1 : -1
    }
  }
  return -1
}

/** Behind `[ID 800047 auth.info] `, with which Solaris begins messages; the same place where there is no such thing. */
function behindMessageId(text: string, at: number, end: number): number {
  const found = /^\[ID \d{1,10} [a-z0-9]{1,12}\.[a-z]{1,12}\] /.exec(text.slice(at, Math.min(end, at + 48)))
  return at + (found?.[0].length ?? 0)
}

/** What rsyslog says once for several equal messages; null where it does not. */
function repeatedMessage(text: string, start: number, end: number): { message: string; attempts: number } | null {
  if (text.charCodeAt(end - 1) !== closing) return null
  const found = /^message repeated ([0-9]{1,9}) times: \[ ?/.exec(text.slice(start, Math.min(end, start + 48)))
  if (!found) return null
  const attempts = Math.min(Math.max(Number(found[1]), 1), maxAttempts)
  return { message: text.slice(start + found[0].length, end - 1), attempts }
}
