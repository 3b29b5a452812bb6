import * as assert from 'uvu/assert'
import { appendFileSync, closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { endAgents, temporaryFolder } from '../core/cli/agent-process.ts'
import { suite } from '../suite.ts'
import { now, ReadingAgent, sleep } from './reading-agent.ts'

const test = suite('odd lines')
const mebibyte = 1 << 20

test.after.each(endAgents)

async function begin(...names: string[]) {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'log'))
  const logs = names.map((name) => join(folder, 'log', name))
  for (const log of logs) writeFileSync(log, '')
  return { agent: await new ReadingAgent({ folder, logs }).watching(), logs }
}

const head = () => `${new Date().toISOString()} host app[7]: `
const address = (number: number) => `192.0.2.${number}`

for (const [name, byte] of [
  ['letters', 0x61],
  ['NUL', 0],
  ['0xFF', 0xff],
] as const) {
  test(`100 MB of ${name} without a newline cost neither memory nor time`, async () => {
    const { agent, logs } = await begin('long.log', 'other.log')
    const [long = '', other = ''] = logs
    appendFileSync(long, `${head()}failure of x from 192.0.2.250\n`)
    await agent.settled(1)
    const before = agent.memory().peak
    const piece = Buffer.alloc(mebibyte, byte)
    const file = openSync(long, 'a')
    const written = new Map<string, number>()
    for (let number = 1; number <= 100; number++) {
      writeSync(file, piece)
      written.set(address(number), now())
      appendFileSync(other, `${head()}failure of x from ${address(number)}\n`)
      await sleep(20)
    }
    writeSync(file, `\n${head()}failure of x from 192.0.2.251\n`)
    closeSync(file)
    const banned = await agent.settled(102, 8000)
    assert.is(banned.size, 102)
    const late = Math.max(...[...written].map(([each, at]) => (banned.get(each) ?? Infinity) - at))
    const grown = agent.memory().peak - before
    console.log(`    ${name}: memory +${grown.toFixed(0)} MiB, other log at most ${late.toFixed(0)} ms late`)
    assert.ok(grown < 64, `memory grew by ${grown} MiB`)
    assert.ok(late < 5000, `another log was ${late} ms late`)
    assert.is(await agent.skipped(), 1)
  })
}

test('bytes that look like something else, at every place of a line', async () => {
  const { agent, logs } = await begin('odd.log')
  const [log = ''] = logs
  const odd: Readonly<Record<string, string>> = {
    NUL: '\0',
    'escape sequence': '\x1b[2J',
    'bad UTF-8': '\xff\xfe\xc3\x28\xed\xa0\x80',
    'U+2028 and U+2029': '\xe2\x80\xa8\xe2\x80\xa9',
    'U+0085': '\xc2\x85',
    'separators of Python': '\x1c\x1d\x1e\x0b\x0c',
    'a lone CR': '\r',
    'byte order mark': '\xef\xbb\xbf',
    'half a surrogate pair': '\xed\xa0\xbd',
    'overlong slash': '\xc0\xaf',
    'a whole line behind a CR': `\r${head()}failure of x from 198.51.100.9`,
    'a whole line behind U+0085': `\xc2\x85${head()}failure of x from 198.51.100.9`,
    'a whole line behind U+2028': `\xe2\x80\xa8${head()}failure of x from 198.51.100.9`,
  }
  let number = 0
  const write = (text: string) => appendFileSync(log, Buffer.from(text, 'latin1'))
  write(`\xef\xbb\xbf${head()}failure of the first line from ${address(++number)}\n`)
  for (const bytes of Object.values(odd)) {
    write(`${bytes}\n${bytes}${bytes}\n`)
    write(`${head()}failure of ${bytes} from ${address(++number)}\n`)
    write(`${head()}failure of a${bytes}${bytes}b from ${address(++number)}\r\n`)
  }
  const filled = (length: number) => {
    const end = ` from ${address(++number)}`
    return `${head()}failure of ${'x'.repeat(length - head().length - 11 - end.length)}${end}\n`
  }
  write(filled(65_536))
  const wanted = number
  // A byte more is too much.
  write(filled(65_537))
  write(`${head()}failure of the last from ${address(++number)}\n`)
  await agent.settled(wanted + 1)
  const banned = [...agent.banned().keys()]
  const expected = Array.from({ length: number }, (_, index) => address(index + 1)).filter(
    (each) => each !== address(wanted + 1),
  )
  assert.equal(banned.toSorted(), expected.toSorted())
  // oxlint has no say here: control bytes are what is looked for.
  const raw = [...agent.process.output].filter((character) => character < ' ' && character !== '\n')
  assert.equal(raw, [])
})

test.run()
