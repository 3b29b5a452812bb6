import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { foreignHand } from '../../../core/rights/foreign-hands.ts'
import { handOver, makeFolder } from '../../../core/rights/hand-over.ts'
import { suite } from '../../suite.ts'

const test = suite('handing folders over', 'root')

/** Numbers that no test has a user for: nothing runs as them. */
const account = { name: 'agent', uid: 61_001, gid: 61_001, groups: [61_001], home: '/' }
const stranger = 61_002
const sockets = ['control.sock', 'control.sock.fw']

let folder: string
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'bailiff-hand-over-'))
  chmodSync(folder, 0o755)
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string) => join(folder, name)
const give = (name: string) => handOver(at(name), sockets, account)
const uidOf = (name: string) => lstatSync(at(name)).uid

test('a folder that is missing is made and given, those on the way stay of root', () => {
  assert.is(give('a/b/state'), null)
  assert.equal([uidOf('a'), uidOf('a/b'), uidOf('a/b/state')], [0, 0, account.uid])
  assert.equal(
    ['a', 'a/b', 'a/b/state'].map((name) => statSync(at(name)).mode & 0o777),
    [0o755, 0o755, 0o700],
  )
  assert.is(give('a/b/state'), null)
})

test('a folder of root is given away only where a file of an earlier start proves that it is ours', () => {
  const cases: [names: string[], given: boolean][] = [
    [[], false],
    [['plugins'], false],
    [['paused'], false],
    [['bailiff.sqlite'], true],
    [['bailiff.sqlite', 'bailiff.sqlite-wal', 'paused'], true],
    [['.made-by-bailiff'], true],
    [['bailiff.sqlite', 'shadow'], false],
    [['.made-by-bailiff', 'shadow'], false],
  ]
  for (const [place, [names, given]] of cases.entries()) {
    mkdirSync(at(`${place}`), { mode: 0o700 })
    for (const name of names) writeFileSync(at(`${place}/${name}`), '')
    assert.is(give(`${place}`), null)
    assert.is(uidOf(`${place}`), given ? account.uid : 0, names.join(' '))
    for (const name of names) assert.is(uidOf(`${place}/${name}`), given ? account.uid : 0, names.join(' '))
  }
})

test('packages of plugins stay of root, whatever is given away around them', () => {
  mkdirSync(at('state/packages/tree'), { recursive: true })
  writeFileSync(at('state/.made-by-bailiff'), '')
  writeFileSync(at('state/packages/installed.json'), '')
  assert.is(give('state'), null)
  assert.equal(['state', 'state/packages', 'state/packages/tree', 'state/packages/installed.json'].map(uidOf), [
    account.uid,
    0,
    0,
    0,
  ])
})

test('only sockets of the names of an agent are ours', async () => {
  for (const [name, given] of [
    ['control.sock.fw', true],
    ['docker.sock', false],
  ] as const) {
    mkdirSync(at(name))
    const server = createServer().listen(at(`${name}/${name}`))
    await new Promise((resolve) => server.once('listening', resolve))
    give(name)
    assert.is(uidOf(name), given ? account.uid : 0, name)
    server.close()
  }
})

test('what a start made that stayed root is given by a later one', () => {
  assert.is(makeFolder(at('run')), null)
  assert.is(uidOf('run'), 0)
  give('run')
  assert.is(uidOf('run'), account.uid)
  assert.equal(readdirSync(at('run')), ['.made-by-bailiff'])
})

test('a link in a folder of the agent leads root nowhere', () => {
  mkdirSync(at('precious'), { mode: 0o700 })
  mkdirSync(at('own'))
  symlinkSync(at('precious'), at('own/x'))
  chownSync(at('own'), account.uid, account.gid)
  lchownSync(at('own/x'), account.uid, account.gid)
  assert.is(give('own/x/state')?.path, at('own'))
  assert.equal(readdirSync(at('precious')), [])
  assert.is(uidOf('precious'), 0)
  assert.is(makeFolder(at('own/x/state'))?.path, at('own'))
  assert.is(give('own/new')?.path, at('own'))
  assert.not.ok(existsSync(at('own/new')))
})

test('below a folder that another user or group may write nothing is made or given', () => {
  const cases: [name: string, uid: number, gid: number, mode: number][] = [
    ['stranger', stranger, stranger, 0o755],
    ['group', 0, stranger, 0o775],
    ['anybody', 0, 0, 0o757],
  ]
  for (const [name, uid, gid, mode] of cases) {
    mkdirSync(at(`${name}/state`), { recursive: true })
    writeFileSync(at(`${name}/state/bailiff.sqlite`), '')
    chownSync(at(name), uid, gid)
    chmodSync(at(name), mode)
    const expected = { path: at(name), uid, mode: `0${mode.toString(8)}` }
    assert.equal(give(`${name}/state`), expected)
    assert.equal(give(`${name}/other`), expected)
    assert.is(uidOf(`${name}/state`), 0)
    assert.not.ok(existsSync(at(`${name}/other`)))
  }
})

test('in a sticky folder what root makes is its own', () => {
  mkdirSync(at('sticky'))
  chmodSync(at('sticky'), 0o1777)
  assert.is(give('sticky/state'), null)
  assert.is(uidOf('sticky/state'), account.uid)
  mkdirSync(at('sticky/foreign'))
  chownSync(at('sticky/foreign'), stranger, stranger)
  assert.is(give('sticky/foreign'), null)
  assert.is(uidOf('sticky/foreign'), stranger)
  assert.is(give('sticky/foreign/state')?.path, at('sticky/foreign'))
})

test('links of root are followed, those of others not, and none without end', () => {
  mkdirSync(at('var'))
  symlinkSync('var', at('relative'))
  symlinkSync(at('var'), at('absolute'))
  for (const name of ['relative', 'absolute']) {
    assert.is(give(`${name}/${name}`), null)
    assert.is(uidOf(`var/${name}`), account.uid)
  }
  mkdirSync(at('sticky'))
  chmodSync(at('sticky'), 0o1777)
  symlinkSync(at('var'), at('sticky/link'))
  lchownSync(at('sticky/link'), stranger, stranger)
  assert.is(give('sticky/link/state')?.path, at('sticky/link'))
  assert.not.ok(existsSync(at('var/state')))
  symlinkSync('loop', at('loop'))
  assert.is(give('loop/state')?.path, at('loop'))
})

test('whoever else may change a file, or what it is reached by, is found', () => {
  mkdirSync(at('etc/conf.d'), { recursive: true })
  writeFileSync(at('etc/bailiff.yaml'), '')
  assert.is(foreignHand(at('etc/bailiff.yaml')), null)
  assert.is(foreignHand(at('etc/missing.yaml')), null)
  symlinkSync('bailiff.yaml', at('etc/link.yaml'))
  assert.is(foreignHand(at('etc/link.yaml')), null)
  chmodSync(at('etc/bailiff.yaml'), 0o646)
  const open = { path: at('etc/bailiff.yaml'), uid: 0, mode: '0646' }
  assert.equal(foreignHand(at('etc/bailiff.yaml')), open)
  assert.equal(foreignHand(at('etc/link.yaml')), open)
  chmodSync(at('etc/bailiff.yaml'), 0o644)
  chownSync(at('etc'), stranger, 0)
  assert.equal(foreignHand(at('etc/bailiff.yaml')), { path: at('etc'), uid: stranger, mode: '0755' })
})

test.run()
