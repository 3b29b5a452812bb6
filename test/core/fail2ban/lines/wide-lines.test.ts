/** Logs in UTF-16, against Debian's fail2ban reading the same file. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { blocksOfFile } from '../../../../core/cli/tested-lines.ts'
import { wideEncoding, WideLines } from '../../../../core/fail2ban/lines/wide-lines.ts'
import { suite } from '../../../suite.ts'
import { bailiff, temporaryFolder } from '../../cli/agent-process.ts'

const test = suite('lines in UTF-16')
const compared = suite('lines in UTF-16, compared', 'fail2ban-regex')

/** Characters with bytes that look like newlines or their halves: 上 (4e 0a), Ċ (01 0a), ਅ (0a 05), ऀ (09 00). */
const text = fc
  .array(fc.constantFrom('a', ' ', 'ü', '上', 'Ċ', 'ਅ', 'ऀ', '😀', 'Њ', '\t'), { maxLength: 12 })
  .map((characters) => characters.join(''))

function encoded(lines: readonly string[], order: 'le' | 'be', mark: boolean): Buffer {
  const bytes = Buffer.from(`${mark ? '\ufeff' : ''}${lines.map((line) => `${line}\n`).join('')}`, 'utf16le')
  return order === 'le' ? bytes : bytes.swap16()
}

/** The lines as an agent gets them that sees the log in pieces. */
function read(bytes: Buffer, encoding: string, cuts: readonly number[]): string[] {
  const wide = wideEncoding(encoding)
  assert.ok(wide)
  const found: string[] = []
  let rest: string | null = null
  for (let start = 0; start < bytes.length;) {
    // A chunk ends where the log did, and what is behind its last newline comes again.
    const seen = cuts.find((cut) => bytes.indexOf(0x0a, start) + 1 <= cut && cut > start) ?? bytes.length
    const chunk = bytes.subarray(0, bytes.lastIndexOf(0x0a, seen - 1) >= start ? seen : bytes.length)
    // Another thread has it next.
    const lines = new WideLines(wide)
    lines.rest = rest
    for (let end = chunk.indexOf(0x0a, start); end >= 0; end = chunk.indexOf(0x0a, start)) {
      const line = lines.take(chunk.subarray(start, end), start, chunk[end + 1])
      if (line !== null) found.push(line)
      start = end + 1
    }
    rest = lines.rest
    if (chunk.length === bytes.length) break
  }
  return found
}

test('lines are whole, whatever is in them, in every order and from anywhere on', () => {
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('le' as const, 'be' as const),
      fc.boolean(),
      fc.boolean(),
      (lines, order, mark, named) => {
        const bytes = encoded(lines, order, mark && !named)
        const encoding = named ? `UTF-16${order}` : 'utf_16'
        assert.equal(read(bytes, encoding, [bytes.length]), lines)
      },
    ),
    { numRuns: 500 },
  )
})

test('lines stay whole where the log is read in pieces that end with whole characters', () => {
  fc.assert(
    fc.property(
      fc.array(text, { minLength: 1, maxLength: 8 }),
      fc.constantFrom('le' as const, 'be' as const),
      fc.array(fc.nat(100), { maxLength: 5 }),
      (lines, order, places) => {
        const bytes = encoded(lines, order, true)
        const cuts = places.map((place) => 2 * (place % Math.ceil(bytes.length / 2))).toSorted((a, b) => a - b)
        assert.equal(read(bytes, 'utf-16', cuts), lines)
      },
    ),
    { numRuns: 500 },
  )
})

test('names of the encoding are those of Python', () => {
  for (const name of ['utf-16', 'UTF16', 'utf_16', 'U16']) assert.is(wideEncoding(name), 'utf-16')
  for (const name of ['utf-16le', 'UTF-16-LE', 'utf_16_le']) assert.is(wideEncoding(name), 'utf-16-le')
  assert.is(wideEncoding('UTF-16BE'), 'utf-16-be')
  for (const name of ['utf-8', 'utf-32', 'latin-1', 'auto', 'utf-160']) assert.is(wideEncoding(name), null)
})

test('a piece without an end is given up, and the log goes on', () => {
  const lines = new WideLines('utf-16-le')
  let at = 0
  const take = (piece: Buffer, next: number) => {
    const found = lines.take(piece, at, next)
    at += piece.length + 1
    return found
  }
  for (let i = 0; i < 100; i++) take(Buffer.alloc(1999, 0x41), 0x4e)
  assert.ok((lines.rest ?? '').length <= 70_000)
})

compared('the lines that Fail2ban reads of a file', () => {
  const folder = temporaryFolder()
  const program = `import json, sys
from fail2ban.server.filter import FileContainer
log = FileContainer(sys.argv[1], sys.argv[2])
log.waitForLineEnd = False
log.open()
print(json.dumps(list(log)))`
  // What it reads wrong itself is left out: an empty line, ਅ, and more than a line of what is called utf-16.
  const plain = ['first', 'ü 😀', 'last']
  for (const [encoding, order, mark, lines] of [
    ['utf-16', 'le', true, plain.slice(0, 1)],
    ['utf-16-le', 'le', false, [...plain, 'ü 上海 Ċ']],
    ['UTF-16BE', 'be', false, plain],
  ] as const) {
    const file = join(folder, encoding)
    writeFileSync(file, encoded(lines, order, mark))
    const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', program, file, encoding], {
      encoding: 'utf8',
      env: { PYTHONPATH: '/usr/lib/python3/dist-packages', PYTHONDONTWRITEBYTECODE: '1' },
    })
    assert.equal(JSON.parse(stdout || stderr), lines, encoding)
    const blocks = [...blocksOfFile(file, wideEncoding(encoding))]
    assert.is(blocks.map(({ bytes }) => bytes.toString()).join(''), lines.map((line) => `${line}\n`).join(''), encoding)
  }
})

test('bailiff test reads a log in UTF-16 as it does any other', async () => {
  const file = join(temporaryFolder(), 'log')
  writeFileSync(
    file,
    encoded(['2026-11-22 13:41:02 door: 上 192.0.2.1\r', '2026-11-22 13:41:03 door: 192.0.2.2\r'], 'be', true),
  )
  const { stdout } = await bailiff([
    'test',
    '--fail2ban',
    temporaryFolder(),
    '-e',
    'utf-16',
    '-o',
    'ip',
    '^ door: (?:上 )?<HOST>$',
    file,
  ])
  assert.is(stdout, '192.0.2.1\n192.0.2.2\n')
})

test.run()
compared.run()
