import { spawn } from 'node:child_process'
import { BailiffError, printable, quote } from '../errors.ts'
import { journalLine, type JournalFields } from '../fail2ban/lines/journal-line.ts'
import type { TestedLine } from './tested-lines.ts'

/** Longer output of journalctl on standard error is cut. */
const longestWord = 500
const newline = 10

/**
 * The entries of the journal that match, as Fail2ban sees them. `log` is `systemd-journal`, with the parameters of the
 * backend in brackets: `journalfiles`, `journalpath`, `namespace`. Throws a BailiffError where the journal cannot be read.
 */
export async function* journalLines(
  log: string,
  journalmatch: readonly (readonly string[])[],
): AsyncGenerator<TestedLine> {
  let number = 0
  const words = ['--output=json', '--all', ...placeWords(log), ...matchWords(journalmatch)]
  for await (const text of linesOf(journalOutput(words)))
    yield { number: ++number, isAscii: false, ...journalLine(fieldsOf(text)) }
}

/** What journalctl prints, piece by piece, run with these arguments. Throws a BailiffError where it cannot be read. */
export async function* journalOutput(words: readonly string[]): AsyncGenerator<Buffer> {
  const child = spawn('journalctl', ['--no-pager', '--quiet', ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.on('data', (data: Buffer) => (said = (said + data.toString()).slice(0, longestWord)))
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (cause) => reject(unreadable('journalctl cannot be run', cause)))
    child.on('close', (code) =>
      code === 0 ? resolve() : reject(unreadable(said.trim() || `journalctl ends with ${code}`)),
    )
  })
  ended.catch(() => {})
  try {
    yield* child.stdout as AsyncIterable<Buffer>
    await ended
  } finally {
    child.kill()
  }
}

/** Lines end with a newline and nothing else: an entry may hold the other characters that separate lines. */
async function* linesOf(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let held: Buffer[] = []
  for await (const piece of pieces) {
    let start = 0
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, start)) {
      yield Buffer.concat([...held, piece.subarray(start, end)]).toString('utf8')
      held = []
      start = end + 1
    }
    if (start < piece.length) held.push(piece.subarray(start))
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

/** Conditions for journalctl: the words of each line hold all together; lines, and what `+` separates, are alternatives. */
export function matchWords(journalmatch: readonly (readonly string[])[]): string[] {
  return journalmatch.flatMap((words, index) => (index === 0 ? words : ['+', ...words]))
}

/** Which journal `systemd-journal[…]` means, as journalctl takes it. Throws a BailiffError for an unknown parameter. */
export function placeWords(log: string): string[] {
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
