import type { JournalEntry } from './export-reader.ts'

/** Programs that call themselves longer are cut. */
const maxIdentifier = 128

/**
 * Writes entries as lines of a syslog file: `2026-11-22T13:41:02.500000+00:00 host sshd[77]: message`, each with
 * its newline, one character a byte. Time, host and process id are those that the journal itself knows where it
 * does. Nothing in an entry can make a second line, or a head of another shape: control bytes of a message become
 * `#012`, as rsyslog writes them, and what has no place in the name of a program becomes `_`.
 */
export class EntryLines {
  #second = ''
  #written = ''

  line({ time, host, identifier, command, pid, claimedPid, message }: JournalEntry): string {
    const number = pid || claimedPid
    const tag = isNumber(number) ? `[${number}]` : ''
    return `${this.#date(time)} ${word(host) || 'localhost'} ${word(identifier) || word(command) || 'unknown'}${tag}: ${flat(message)}\n`
  }

  /**
   * The line as Fail2ban makes it of an entry, behind a date as above: the pid that the sender names comes first, and
   * behind `kernel:` stands how long the machine ran. A newline in a message is a backslash and `n`.
   */
  fail2banLine({ message, ...entry }: JournalEntry): string {
    const name = words(entry.identifier) || words(entry.command)
    const number = [entry.claimedPid, entry.pid].find(isNumber)
    const program = name === '' ? '' : `${name}${number === undefined ? '' : `[${Number(number)}]`}:`
    const uptime = (Number(entry.sentUptime || entry.uptime) / 1e6).toFixed(6)
    const time = isTime(entry.sentTime) ? entry.sentTime : entry.time
    const head = [this.#date(time), word(entry.host), program, program === 'kernel:' ? `[${uptime.padStart(12)}]` : '']
    return `${[...head.filter((part) => part !== ''), message.replaceAll('\n', '\\n')].join(' ')}\n`
  }

  #date(time: string): string {
    const second = time.slice(0, -6)
    if (second !== this.#second) {
      this.#second = second
      this.#written = new Date(Number(second) * 1000).toISOString().slice(0, 19)
    }
    return `${this.#written}.${time.slice(-6)}+00:00`
  }
}

function isNumber(text: string): boolean {
  return /^[0-9]{1,10}$/.test(text)
}

/** Microseconds since 1970, of a year that a date has four digits for. */
function isTime(text: string): boolean {
  return /^[0-9]{15,16}$/.test(text)
}

/** As `word`, but with the blanks that the names of some programs have. */
function words(text: string): string {
  return text.split(' ').map(word).join(' ').trim()
}

/** A word without the characters that end a host or a program in the head of a line. */
function word(text: string): string {
  const short = text.length > maxIdentifier ? text.slice(0, maxIdentifier) : text
  return /^[!-9;-Z\\^-~]*$/.test(short) ? short : short.replace(/[^!-9;-Z\\^-~]/g, '_')
}

function flat(message: string): string {
  if (/^[\t -~\x80-\xff]*$/.test(message)) return message
  return message
    .replace(/[\r\n]+$/, '')
    .replace(/[^\t -~\x80-\xff]/g, (byte) => `#${byte.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
