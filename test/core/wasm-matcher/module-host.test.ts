/** One module in its thread: what it finds, and what becomes of one that does what it must not. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { LogChunk } from '../../../core/events.ts'
import { RowCursor } from '../../../core/failure-rows.ts'
import { loadModule } from '../../../core/wasm-matcher/load-module.ts'
import { ModuleHost } from '../../../core/wasm-matcher/module-host.ts'
import { temporaryFolder } from '../cli/agent-process.ts'
import { suite } from '../../suite.ts'
import { answeringBadly, badLine, endless, goodModule, unstartable, type BadModule } from './bad-modules.ts'
import { code, answers, isDone, answerOf, madeModule, record, bufferAt, type MadeModule } from './made-module.ts'
import { field } from '../../../core/wasm-matcher/abi.ts'

const test = suite('module-host')
const folder = temporaryFolder()
const nothing = () => {}
const silentLog = { debug: nothing, info: nothing, warn: nothing, error: nothing }

test('what a module finds is told with its line, and addresses are read by the host', async () => {
  const { host, close } = hostOf(goodModule)
  const { rows, lines, skipped, consumed } = await host.scan(chunkOf(`${badLine}\n`))
  assert.equal([lines, skipped, consumed], [1, 0, 20])
  assert.equal(addresses(rows), ['192.0.2.77'])
  const noAddress = await host.scan(chunkOf('x|1|DENY|hello.worl\n'))
  assert.equal([noAddress.rows.words.length, noAddress.skipped], [0, 0])
  assert.equal([host.state.state, host.state.lastFault], ['running', null])
  await close()
})

for (const bad of answeringBadly)
  test(`${bad.name}: nothing is believed, all is told`, async () => {
    const { host, alarms, close } = hostOf(bad.made)
    for (let chunk = 0; chunk < 7; chunk++) {
      const { rows, lines, skipped, consumed } = await host.scan(chunkOf(`${badLine}\n`))
      assert.equal([rows.words.length, lines, skipped, consumed], [0, 1, 1, 20])
    }
    saysOf(host, alarms, bad)
    assert.ok(host.state.startsAgainAt !== null)
    await close()
  })

for (const bad of endless)
  test(`${bad.name}: its thread is stopped, and the chunk passed over`, async () => {
    const { host, alarms, close } = hostOf(bad.made)
    for (let chunk = 0; chunk < 3; chunk++) {
      const { rows, lines, skipped, consumed } = await host.scan(chunkOf(`${badLine}\n`.repeat(5)))
      assert.equal([rows.words.length, lines, skipped, consumed], [0, 5, 5, 100])
    }
    assert.ok(host.state.restarts >= 5)
    saysOf(host, alarms, bad)
    await close()
  })

for (const bad of unstartable)
  test(`${bad.name}: it is put aside at once`, async () => {
    const { host, alarms, close } = hostOf(bad.made)
    const { lines, skipped } = await host.scan(chunkOf(`${badLine}\n`))
    assert.equal([lines, skipped], [1, 1])
    saysOf(host, alarms, bad)
    assert.is(host.state.startsAgainAt, null)
    assert.is((await host.scan(chunkOf(`${badLine}\n`))).skipped, 1)
    assert.is(alarms.length, 1)
    await close()
  })

test('a line with which a module comes to no end is passed over, and the others are not', async () => {
  // It loops where the first byte of what it is given is a `!`.
  const first = [...code.number(bufferAt), 0x2d, 0, 0, ...code.number(0x21), 0x46]
  const { host, close } = hostOf({
    scan: [...first, ...code.when(code.forever), ...isDone, ...answers],
    data: [answerOf([record({ [field.lineEnd]: 19, [field.addressStart]: 9, [field.addressEnd]: 19 })])],
  })
  const { rows, lines, skipped } = await host.scan(chunkOf(`!|1|DENY|192.0.2.78\n${badLine}\n`))
  assert.equal([lines, skipped], [2, 1])
  assert.equal(addresses(rows), ['192.0.2.77'])
  await close()
})

test('one that is put aside is tried again when somebody asks for it', async () => {
  const { host, close } = hostOf({ start: code.trap })
  await host.scan(chunkOf(`${badLine}\n`))
  assert.is(host.state.state, 'set aside')
  host.forgive()
  assert.is(host.state.state, 'running')
  await host.scan(chunkOf(`${badLine}\n`))
  assert.is(host.state.state, 'set aside')
  await close()
})

test('options that it complains of are told', async () => {
  const complaint = { at: 2048, bytes: Buffer.from('there is no least\0') }
  const { host, alarms, close } = hostOf({ options: code.number(2048), data: [complaint] }, { least: 3 })
  await host.scan(chunkOf(`${badLine}\n`))
  assert.ok(alarms[0]?.includes('it does not accept its options: there is no least'), alarms[0])
  await close()
})

test.run()

function hostOf(made: MadeModule, options: Record<string, number> = {}) {
  const file = join(folder, 'bad.wasm')
  writeFileSync(file, madeModule(made))
  const alarms: string[] = []
  const without = { programs: null, prefregex: null, failregex: [], ignoreregex: [], structure: null }
  const module = loadModule({ name: 'bad.wasm', file, options })
  const host = new ModuleHost({
    module,
    jails: [{ jail: 'odd', filter: { name: 'odd', ...without, module } }],
    log: silentLog,
    alarm: (subject, message) => alarms.push(`${subject}: ${message}`),
  })
  return { host, alarms, close: () => host.close() }
}

function saysOf(host: ModuleHost, alarms: readonly string[], { name, says }: BadModule): void {
  const { state, lastFault } = host.state
  assert.equal([state, alarms.length], ['set aside', 1], `${name}: ${lastFault?.what}`)
  assert.ok(lastFault?.what.includes(says), `${name}: ${lastFault?.what}`)
  assert.ok(alarms[0]?.startsWith('bad.wasm: the matcher is put aside'), alarms[0])
  assert.ok(alarms[0]?.includes(says), alarms[0])
}

function chunkOf(text: string): LogChunk {
  const data = Buffer.from(text)
  const now = Date.now()
  return { log: 'odd.log', jails: ['odd'], data, arrivedAt: now, live: true, undatedAt: now, insideLine: false }
}

function addresses(rows: ConstructorParameters<typeof RowCursor>[0]): string[] {
  const row = new RowCursor(rows)
  const found: string[] = []
  while (row.next()) found.push(String(row.address))
  return found
}
