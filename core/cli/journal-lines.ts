import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { BailiffError, printable, quote } from '../errors.ts'
import { journalLine, type JournalFields } from '../fail2ban/lines/journal-line.ts'
import type { TestedLine } from './tested-lines.ts'

/** Longer output of journalctl on standard error is cut. */
const longestWord = 500

/**
 * The entries of the journal that match, as Fail2ban sees them. `log` is `systemd-journal`, with the parameters of the
 * backend in brackets: `journalfiles`, `journalpath`, `namespace`. Throws a BailiffError where the journal cannot be read.
 */
export async function* journalLines(
  log: string,
  journalmatch: readonly (readonly string[])[],
): AsyncGenerator<TestedLine> {
  const words = ['--output=json', '--all', '--no-pager', '--quiet', ...placeWords(log), ...matchWords(journalmatch)]
  const child = spawn('journalctl', words, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(0, longestWord)))
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => reject(unreadable('journalctl cannot be run', cause)))
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(unreadable(said.trim() || `journalctl ends with ${code}`)),
    )
  })
  ended.catch(() => {})
  let number = 0
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      yield { number: ++number, isAscii: false, ...journalLine(fieldsOf(text)) }
    }
    await ended
  } finally {
    child.kill()
  }
}

function unreadable(why: string, cause?: unknown): BailiffError {
  return new BailiffError('unavailable', `the journal cannot be read: ${printable(why)}`, {
    cause,
    hint: 'as root, or as a member of the group systemd-journal',
  })
}

/** A field that is no UTF-8 comes as a list of bytes, one that stands several times as a list of texts. */
function fieldsOf(text: string): JournalFields {
  const entry = JSON.parse(text) as Record<string, unknown>
  return Object.fromEntries(Object.entries(entry).map(([name, value]) => [name, fieldText(value)]))
}

function fieldText(value: unknown): string {
  if (typeof value === 'string') return value
  if (!Array.isArray(value)) return ''
  if (value.every((byte) => typeof byte === 'number')) return Buffer.from(value).toString('utf8')
  return value.map(fieldText).join(' ')
}

/** The words of each line hold all together; lines, and what `+` separates, are alternatives. */
function matchWords(journalmatch: readonly (readonly string[])[]): string[] {
  return journalmatch.flatMap((words, index) => (index === 0 ? words : ['+', ...words]))
}

function placeWords(log: string): string[] {
  const options = /\[(.*)\]$/.exec(log)?.[1] ?? ''
  return [...options.matchAll(/([\w-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]]*))/g)].flatMap((found) => {
    const [, name, ...values] = found
    const value = values.find((one) => one !== undefined) ?? ''
    switch (name) {
      case 'journalpath':
        return [`--directory=${value}`]
      case 'journalfiles':
        return value.split(/[\s,]+/).map((file) => `--file=${file}`)
      case 'namespace':
        return [`--namespace=${value}`]
      case 'journalflags':
      case 'rotated':
        return []
      default:
        throw new BailiffError('usage', `systemd-journal has no parameter ${quote(name)}`, {
          hint: 'journalpath, journalfiles and namespace say which journal is read',
        })
    }
  })
}
