import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import * as assert from 'uvu/assert'
import {
  addElements,
  addSet,
  addTable,
  createElements,
  createNft,
  deleteElements,
  deleteTable,
  list,
  NftError,
  readNftError,
  readRuleset,
  timed,
  type Nft,
  type NftOptions,
} from '../../../../core/firewall/nftables-json/index.ts'
import { suite } from '../../../suite.ts'
import { makeNamespace, type Namespace } from '../namespace.ts'

const pure = suite('nftables-json errors and lists')
const test = suite('nftables-json runner', 'root', 'nft', 'ip')

pure('what nft says becomes a failure with a name', () => {
  const cases: [printed: string, failure: string][] = [
    ['internal:0:0-0: Error: Could not process rule: No such file or directory\n\n\n', 'missing-element'],
    ['Error: element does not exist', 'missing-element'],
    ['internal:0:0-0: Error: No such file or directory; did you mean table ‘b’ in family inet?', 'missing-object'],
    ['internal:0:0-0: Error: Could not process rule: Too many open files in system', 'set-full'],
    ['Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed', 'no-permission'],
    ['netlink: Error: Could not process rule: Message too long', 'too-large'],
    ['internal:0:0-0: Error: Could not process rule: File exists', 'exists'],
    ['Error: Could not process rule: Device or resource busy', 'busy'],
    ['Error: syntax error', 'failed'],
    ['', 'failed'],
  ]
  for (const [printed, failure] of cases) assert.is(readNftError(printed).failure, failure, printed)
})

pure('what is no list of nft is an error of its own', () => {
  for (const output of ['x', '{}', '{"nftables":1}', '{"nftables":[{"set":{"family":"inet"}}]}', '{"nftables":[3]}']) {
    assert.throws(
      () => readRuleset(output),
      (error: unknown) => error instanceof NftError,
      output,
    )
  }
  assert.equal(readRuleset('').sets, [])
})

const set = { family: 'inet', table: 'own', name: 's', type: 'ipv4_addr', flags: ['timeout'], size: 2 } as const
let space: Namespace
let nft: Nft

/** A runner inside the namespace, or one that runs something else than nft. */
const runner = (options: NftOptions = {}) => createNft({ command: [...space.inside, '/usr/sbin/nft'], ...options })
const failure = (run: Promise<unknown>) =>
  run.then(
    () => 'none',
    (error: unknown) => (error instanceof NftError ? error.failure : String(error)),
  )

test.before(() => {
  space = makeNamespace()
  nft = runner()
})
test.after(() => space.remove())

test('what is added is listed', async () => {
  await nft([addTable({ family: 'inet', name: 'own' }), addSet(set), addElements(set, [timed('192.0.2.1', 60)])])
  const { tables, sets } = await nft([list({ table: { family: 'inet', name: 'own' } })])
  assert.equal(tables, [{ family: 'inet', name: 'own', flags: [] }])
  assert.is(sets.length, 1)
  assert.is(sets[0]?.size, 2)
  assert.equal(
    sets[0]?.elements.map(({ value, timeout }) => [value, timeout]),
    [['192.0.2.1', 60]],
  )
})

test('a failure has its name, and changes nothing', async () => {
  const other = { ...set, name: 'nowhere' }
  assert.is(await failure(nft([addElements(set, ['192.0.2.2', '192.0.2.3'])])), 'set-full')
  assert.is(await failure(nft([deleteElements(set, ['192.0.2.9'])])), 'missing-element')
  assert.is(await failure(nft([createElements(set, ['192.0.2.1'])])), 'exists')
  assert.is(await failure(nft([addElements(other, ['192.0.2.9'])])), 'missing-object')
  assert.is(await failure(nft([list({ table: { family: 'inet', name: 'nowhere' } })])), 'missing-object')
  assert.is(await failure(nft([deleteTable({ family: 'inet', name: 'nowhere' })])), 'missing-element')
  assert.equal(
    (await nft([list({ set: { ...set } })])).sets[0]?.elements.map(({ value }) => value),
    ['192.0.2.1'],
  )
})

test('a run that takes too long or prints too much is killed', async () => {
  const instead = (program: string) => [process.execPath, '-e', program, '--']
  const hangs = runner({ command: instead('setInterval(() => {}, 1000)'), deadlineMs: 300 })
  assert.is(await failure(hangs([])), 'timeout')
  const talks = runner({
    command: instead('setInterval(() => console.log("x".repeat(9999)), 1)'),
    maxOutputBytes: 5000,
  })
  assert.is(await failure(talks([])), 'too-large')
  assert.is(await failure(runner({ command: ['/nowhere/nft'] })([])), 'not-found')
  const prints = runner({ command: instead('console.log("what?")') })
  assert.is(await failure(prints([])), 'unreadable')
})

test('the program sees the commands on its standard input, no environment, and leaves no file behind', async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('nft-'))
  const program = `
    const text = require('node:fs').readFileSync('/dev/stdin', 'utf8')
    const words = process.argv.slice(1).join(' ') + ' ' + Object.keys(process.env).join(' ')
    console.error('environment ' + words + ' ' + text)
    process.exitCode = 1`
  const tells = runner({ command: [process.execPath, '-e', program, '--'] })
  const said = await tells([list({ sets: { family: 'inet' } })]).catch((error: unknown) => String(error))
  assert.match(String(said), 'environment -j -f /dev/stdin LANG {"nftables":[{"list":{"sets":{"family":"inet"}}}]}')
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith('nft-')),
    before,
  )
})

pure.run()
test.run()
