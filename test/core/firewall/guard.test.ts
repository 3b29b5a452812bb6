import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kill } from 'node:process'
import * as assert from 'uvu/assert'
import type { Entry } from '../../../core/firewall/admission.ts'
import { BackendError, type Backend } from '../../../core/firewall/backend.ts'
import { Guard, type GuardPace } from '../../../core/firewall/guard.ts'
import type { Told } from '../../../core/firewall/messages.ts'
import { NftablesBackend } from '../../../core/firewall/nftables.ts'
import { suite } from '../../suite.ts'
import { startBackend } from './backend-process.ts'
import { all, entry, ssh } from './entry.ts'
import { elementsOf, eventually, makeNamespace, type Namespace } from './namespace.ts'

const test = suite('firewall guard', 'root', 'nft', 'ip', 'perl')

let space: Namespace
let folder: string
let told: Told[] = []
const ends: (() => Promise<void>)[] = []

test.before(() => {
  space = makeNamespace()
  folder = mkdtempSync(join(tmpdir(), 'bailiff-guard-'))
})
test.before.each(() => void space.run('nft', 'flush', 'ruleset'))
test.after.each(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
  for (const name of ['fails', 'hangs']) rmSync(join(folder, name), { force: true })
})
test.after(() => {
  space.remove()
  rmSync(folder, { recursive: true })
})

type Options = { readonly setSize?: number; readonly program?: string }

function nft({ setSize, program = '/usr/sbin/nft' }: Options = {}): Backend {
  return new NftablesBackend({ command: [...space.inside, program], ...(setSize === undefined ? {} : { setSize }) })
}

function netlink({ setSize }: Options = {}): Backend {
  const started = startBackend(space, setSize === undefined ? {} : { setSize })
  ends.push(() => started.stop())
  return started
}

/** The same without the way to hear of changes. */
function deaf(backend: Backend): Backend {
  return {
    declare: (ports) => backend.declare(ports),
    add: (entries) => backend.add(entries),
    del: (entries) => backend.del(entries),
    sync: (entries) => backend.sync(entries),
    list: () => backend.list(),
    sound: async () => (await backend.sound?.()) ?? true,
  }
}

/** Comparisons that nothing asks for are left to the tests that want them. */
const hearingOnly: GuardPace = { leastPauseMs: { watched: 3_000_000, unwatched: 3_000_000 }, pauseTimes: 100 }

function guard(backend: Backend, pace: GuardPace = hearingOnly): Guard {
  const made = new Guard(backend, pace)
  told = []
  made.begin((each) => told.push(each))
  ends.push(() => made.stop())
  return made
}

const wanted = (): Entry[] => [
  ...Array.from({ length: 98 }, (_, place) => entry(`198.51.100.${place}`)),
  entry('2001:db8::1', ssh, null),
  entry('2001:db8:1::/64', ssh, 3600),
]

/** Everything but the times and the order of sets and elements. */
const ruleset = () =>
  space
    .run('nft', 'list', 'ruleset')
    .replace(/ (?:timeout|expires) [\dhms]+/g, '')
    .replace(/elements = \{([^}]*)\}/g, (_, list: string) => sorted(list, ','))
    .replace(/\{\n([^]*)\n\}/, (_, sets: string) => sorted(sets, '\n\n'))

const sorted = (list: string, between: string) =>
  list
    .split(between)
    .map((each) => each.trim())
    .toSorted()
    .join(between)

const repaired = () => told.reduce((sum, each) => sum + (each.type === 'repaired' ? each.count : 0), 0)
const alarms = () => told.flatMap((each) => (each.type === 'alarm' ? [each.message] : []))
const code = (work: Promise<unknown>) =>
  work.then(
    () => 'none',
    (error: unknown) => (error instanceof BackendError ? error.code : String(error)),
  )

const damages: readonly (readonly string[])[] = [
  ['flush', 'ruleset'],
  ['delete', 'table', 'inet', 'bailiff'],
  ['flush', 'table', 'inet', 'bailiff'],
  ['flush', 'set', 'inet', 'bailiff', 'all_v4'],
  ['delete', 'element', 'inet', 'bailiff', 'all_v4', '{ 198.51.100.1 }'],
  ['delete', 'element', 'inet', 'bailiff', 'tcp_22_v6_64', '{ 2001:db8:1:: }'],
  ['flush', 'chain', 'inet', 'bailiff', 'drop_banned'],
  ['insert', 'rule', 'inet', 'bailiff', 'drop_banned', 'accept'],
  ['add', 'table', 'inet', 'bailiff', '{ flags dormant; }'],
  ['add', 'chain', 'inet', 'bailiff', 'foreign', '{ type filter hook input priority 0; policy drop; }'],
  ['flush', 'chain', 'inet', 'bailiff', 'drop_banned', ';', 'delete', 'chain', 'inet', 'bailiff', 'drop_banned'],
  ['flush', 'chain', 'inet', 'bailiff', 'drop_banned', ';', 'delete', 'set', 'inet', 'bailiff', 'all_v4'],
]

for (const [kind, backend] of [
  ['nft', nft],
  ['netlink', netlink],
] as const) {
  test(`${kind}: what others break is whole again at once, unprompted`, async () => {
    const keeper = guard(backend())
    await keeper.declare([all, ssh])
    await keeper.sync(wanted())
    const good = ruleset()
    const hearing = await heard(keeper)
    assert.ok(hearing, 'nothing is heard')
    const took: string[] = []
    for (const damage of damages) {
      space.run('nft', ...damage)
      const started = performance.now()
      assert.not.ok(ruleset() === good && damage[0] !== 'flush', damage.join(' '))
      assert.ok(await eventually(() => ruleset() === good), `${damage.join(' ')}\n${ruleset()}`)
      took.push(`${damage.slice(0, 2).join(' ')} ${Math.round(performance.now() - started)}`)
    }
    const ends = new Map(wanted().map(({ address, endsAt }) => [address, endsAt]))
    for (const { address, endsAt } of await keeper.list()) {
      const should = ends.get(address)
      const off = typeof endsAt === 'number' && typeof should === 'number' ? Math.abs(endsAt - should) : 0
      assert.ok((endsAt === null) === (should === null) && off < 60_000, `${address} ends at another time`)
    }
    console.log(`${kind}, ms until whole: ${took.join(', ')}`)
    assert.ok(await eventually(() => told.length > 0))
  })

  test(`${kind}: what is no longer wanted, or not ours, is not put back`, async () => {
    const keeper = guard(backend())
    await keeper.declare([all])
    await keeper.sync([entry('198.51.100.1'), entry('198.51.100.2'), entry('198.51.100.3', all, 1)])
    await keeper.del([entry('198.51.100.2')])
    assert.ok(await eventually(() => elementsOf(space, 'all_v4').length === 1))
    assert.ok(await heard(keeper))
    space.run('nft', 'add', 'element', 'inet', 'bailiff', 'all_v4', '{ 203.0.113.1, 198.51.100.2 }')
    space.run('nft', 'add', 'table', 'inet', 'other')
    space.run('nft', 'delete', 'element', 'inet', 'bailiff', 'all_v4', '{ 198.51.100.2, 198.51.100.1 }')
    assert.ok(await eventually(() => elementsOf(space, 'all_v4').includes('198.51.100.1')))
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1', '203.0.113.1'])
    await keeper.sync([entry('198.51.100.1')])
    assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1'])
    assert.match(space.run('nft', 'list', 'tables'), 'inet other')
  })

  test(`${kind}: nothing heard, all comes back by comparing`, async () => {
    const keeper = guard(deaf(backend()), { leastPauseMs: { watched: 200, unwatched: 200 }, pauseTimes: 1 })
    await keeper.declare([all, ssh])
    await keeper.sync(wanted())
    const good = ruleset()
    for (const damage of damages.filter((_, place) => place % 3 === 0)) {
      space.run('nft', ...damage)
      assert.ok(await eventually(() => ruleset() === good), `${damage.join(' ')}\n${ruleset()}`)
    }
    assert.ok(repaired() >= 100, String(repaired()))
  })

  test(`${kind}: a full set takes what it has room for, says so, and the rest follows when there is room`, async () => {
    const keeper = guard(backend({ setSize: 5 }))
    await keeper.declare([all, ssh])
    await keeper.sync([entry('198.51.100.1')])
    const many = Array.from({ length: 8 }, (_, place) => entry(`203.0.113.${place}`))
    const full = await keeper.add([...many, entry('2001:db8::1', ssh)])
    assert.is(full.length, 4)
    assert.ok(full.every((each) => many.includes(each)))
    assert.is(elementsOf(space, 'all_v4').length, 5)
    assert.equal(elementsOf(space, 'tcp_22_v6'), ['2001:db8::1'])
    assert.match(alarms().join(), 'all_v4 is full')
    await keeper.del([entry('198.51.100.1'), ...many.slice(0, 1)])
    assert.ok(await eventually(() => elementsOf(space, 'all_v4').length === 5))
    assert.not.ok(elementsOf(space, 'all_v4').includes('203.0.113.0'))
    assert.is((await keeper.sync([...many, entry('198.51.100.9')])).length, 4)
    assert.is(elementsOf(space, 'all_v4').length, 5)
    assert.equal(await keeper.sync(many.slice(3)), [])
    assert.is(elementsOf(space, 'all_v4').length, 5)
  })

  test(`${kind}: another agent begins anew with its first sync`, async () => {
    const keeper = guard(backend())
    await keeper.declare([all, ssh])
    await keeper.sync(wanted())
    keeper.begin((each) => told.push(each))
    await keeper.declare([all])
    assert.is((await keeper.list()).length, 100)
    await keeper.sync([entry('198.51.100.200')])
    assert.ok(await heard(keeper))
    space.run('nft', 'flush', 'ruleset')
    assert.ok(await eventually(() => space.run('nft', 'list', 'ruleset').includes('198.51.100.200')))
    assert.equal((await keeper.list()).length, 1)
  })

  test(`${kind}: who undoes everything again and again is paced and told of`, async () => {
    const keeper = guard(backend())
    await keeper.declare([all])
    await keeper.sync([entry('198.51.100.1')])
    assert.ok(await heard(keeper))
    for (let round = 0; round < 8; round++) {
      space.run('nft', 'flush', 'ruleset')
      assert.ok(await eventually(() => space.run('nft', 'list', 'ruleset').includes('198.51.100.1')), `round ${round}`)
    }
    assert.ok(await eventually(() => alarms().some((message) => message.includes('again and again'))))
    assert.is(alarms().length, 1)
  })
}

test('an nft that fails three times: the ban holds when it works again', async () => {
  const keeper = guard(nft({ program: script() }))
  await keeper.declare([all])
  await keeper.sync([])
  writeFileSync(join(folder, 'fails'), '111')
  assert.is(await code(keeper.add([entry('198.51.100.1')])), 'failed')
  assert.not.ok(elementsOf(space, 'all_v4').includes('198.51.100.1'))
  // Nobody asks again but the guard itself.
  assert.ok(await eventually(() => elementsOf(space, 'all_v4').includes('198.51.100.1')))
  assert.not.ok(existsSync(join(folder, 'fails')))
  writeFileSync(join(folder, 'fails'), '1')
  assert.is(await code(keeper.del([entry('198.51.100.1')])), 'failed')
  assert.ok(await eventually(() => elementsOf(space, 'all_v4').length === 0))
})

test('an nft that fails at a declaration and at a sync: all holds when it works again', async () => {
  const keeper = guard(nft({ program: script() }))
  writeFileSync(join(folder, 'fails'), '1')
  assert.is(await code(keeper.declare([all])), 'failed')
  writeFileSync(join(folder, 'fails'), '11')
  assert.is(await code(keeper.sync([entry('198.51.100.1')])), 'failed')
  assert.ok(await eventually(() => space.run('nft', 'list', 'ruleset').includes('198.51.100.1')))
})

test('an nft that hangs once delays the ban by less than two seconds, and the next not at all', async () => {
  const keeper = guard(nft({ program: script() }))
  await keeper.declare([all])
  await keeper.sync([])
  writeFileSync(join(folder, 'hangs'), '1000')
  const started = performance.now()
  await keeper.add([entry('198.51.100.1')])
  const first = performance.now() - started
  await keeper.add([entry('198.51.100.2')])
  console.log(
    `hung once: ${Math.round(first)} ms, the next after ${Math.round(performance.now() - started - first)} ms`,
  )
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1', '198.51.100.2'])
})

test('an nft that takes two seconds for everything works', async () => {
  const keeper = guard(nft({ program: script() }))
  await keeper.declare([all])
  writeFileSync(join(folder, 'hangs'), '2 2 2 2 2 2')
  await keeper.add([entry('198.51.100.1')])
  await keeper.add([entry('198.51.100.2')])
  assert.equal(elementsOf(space, 'all_v4'), ['198.51.100.1', '198.51.100.2'])
})

test('a monitor that is killed is started again, and what was missed meanwhile is found', async () => {
  const keeper = guard(nft())
  await keeper.declare([all])
  await keeper.sync([entry('198.51.100.1')])
  assert.ok(await heard(keeper))
  const [monitor] = monitors()
  assert.ok(monitor !== undefined)
  kill(monitor, 'SIGKILL')
  space.run('nft', 'flush', 'ruleset')
  assert.ok(await eventually(() => space.run('nft', 'list', 'ruleset').includes('198.51.100.1')))
  assert.ok(await eventually(() => monitors().length === 1))
  assert.ok(await heard(keeper))
  await keeper.stop()
  assert.ok(await eventually(() => monitors().length === 0))
})

test.run()

/** Waits until a change of another is heard and mended: a monitor takes a moment to begin. */
async function heard(keeper: Guard): Promise<boolean> {
  const probe = entry('192.0.2.99')
  await keeper.add([probe])
  const there = () => elementsOf(space, 'all_v4').includes('192.0.2.99')
  let back = false
  for (let tries = 0; tries < 20 && !back; tries++) {
    if (there()) space.run('nft', 'delete', 'element', 'inet', 'bailiff', 'all_v4', '{ 192.0.2.99 }')
    for (let looks = 0; looks < 10 && !back; looks++) {
      back = there()
      if (!back) await new Promise((resolve) => setTimeout(resolve, 50))
    }
    if (!back) await keeper.add([probe])
  }
  await keeper.del([probe])
  told = []
  return back
}

/** The monitors that this test started, by the namespace that they run in. */
function monitors(): number[] {
  const pids = spawnSync('ip', ['netns', 'pids', space.name], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean)
  return pids.map(Number).filter((pid) => commandLine(pid).includes('monitor'))
}

function commandLine(pid: number): string {
  return spawnSync('cat', [`/proc/${pid}/cmdline`], { encoding: 'utf8' }).stdout.replaceAll('\0', ' ')
}

/** An nft that fails once for each digit of the file `fails`, and sleeps as long as each word of `hangs` says; not when it monitors. */
function script(): string {
  const path = join(folder, 'nft')
  writeFileSync(
    path,
    `#!/bin/bash
cd ${folder}
if [[ $* != monitor && -s fails ]]; then
  read -r left < fails
  if [[ \${#left} -gt 1 ]]; then echo "\${left:1}" > fails; else rm fails; fi
  echo "it fails" >&2
  exit 1
fi
if [[ $* != monitor && -s hangs ]]; then
  read -r first rest < hangs
  if [[ -n $rest ]]; then echo "$rest" > hangs; else rm hangs; fi
  sleep "$first" <&- >&- 2>&-
fi
exec /usr/sbin/nft "$@"
`,
  )
  chmodSync(path, 0o755)
  return path
}
