import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import type { Failure } from '../../../../core/events.ts'
import { FailureGate } from '../../../../core/fail2ban/counting/failure-gate.ts'
import type { GateRules, WaitingFailure } from '../../../../core/fail2ban/counting/gate-rules.ts'
import type { Lookup } from '../../../../core/fail2ban/counting/host-names.ts'
import { CommandRunner } from '../../../../core/fail2ban/counting/ignore-command.ts'
import { suite } from '../../../suite.ts'

const test = suite('failure gate')

const arrival = { arrivedAt: 1_790_000_000_000, live: true, undatedAt: null }
const usual: GateRules = {
  name: 'sshd',
  usedns: 'warn',
  ignoreip: [],
  ignoreself: false,
  ignorecommand: '',
  ignorecache: null,
  bantimeSeconds: 600,
}

function failure(id: string, more: Partial<Failure> = {}): Failure {
  const rest = { filter: 'sshd', rule: 0, attempts: 1, groups: {}, log: 'l', offset: 0, line: 'line', lines: ['line'] }
  return { jail: 'sshd', id, ip: id, isName: false, time: 1_790_000_000_000, ...rest, ...more }
}

const named = (name: string, more: Partial<Failure> = {}) => failure(name, { ip: null, isName: true, ...more })

/** A gate that writes down what it does. */
async function gateOf(rules: Partial<GateRules> | readonly GateRules[] = {}, lookup: Lookup = async () => []) {
  const counted: string[] = []
  const ignored: string[] = []
  const warnings: string[] = []
  const gate = new FailureGate({
    count: ({ id }) => counted.push(id),
    onIgnored: (_, id, source) => ignored.push(`${id} by ${source}`),
    warn: (_, message) => warnings.push(message),
    lookup,
  })
  const problems = await gate.configure(Array.isArray(rules) ? rules : [{ ...usual, ...rules }])
  return { gate, counted, ignored, warnings, problems }
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bailiff-gate-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** A look-up that answers when it is told to. */
function slowLookup() {
  const waiting = new Map<string, (addresses: readonly string[]) => void>()
  const lookup: Lookup = (name) => new Promise((found) => waiting.set(name, found))
  return { lookup, waiting, answer: (name: string, ...addresses: string[]) => waiting.get(name)?.(addresses) }
}

test('what waits for nothing is decided in the call', async () => {
  const { gate, counted, ignored } = await gateOf({ ignoreip: ['192.0.2.0/24', '[2001:db8::1]', 'joe'] })
  // A word that is no address may be a name.
  await gate.ignoring('sshd', '198.51.100.1')
  for (const id of ['192.0.2.9', '198.51.100.1', '2001:db8::1', 'joe', 'ann']) gate.take(failure(id), arrival)
  gate.take(failure('192.0.2.9', { jail: 'unknown' }), arrival)
  assert.equal(counted, ['198.51.100.1', 'ann'])
  assert.equal(ignored, ['192.0.2.9 by ip', '2001:db8::1 by ip', 'joe by ip'])
})

test('words that cannot be read are told, and the others hold', async () => {
  const { gate, problems, ignored } = await gateOf({ ignoreip: ['10.0.0.0/x', '10.0.0.0/255.0.255.0', '192.0.2.1'] })
  assert.is(problems.length, 2)
  assert.match(problems[0]?.[1].message ?? '', /ignoreip: "10\.0\.0\.0\/x"/)
  gate.take(failure('192.0.2.1'), arrival)
  assert.is(ignored.length, 1)
})

test('ignoreself spares the addresses of this machine', async () => {
  const { gate, counted, ignored } = await gateOf({ ignoreself: true }, async (name) =>
    name === 'localhost' ? ['127.0.0.2'] : [],
  )
  for (const id of ['127.0.0.1', '127.0.0.2', '192.0.2.1']) gate.take(failure(id), arrival)
  await gate.settled()
  assert.equal(ignored.toSorted(), ['127.0.0.1 by ignoreself rule', '127.0.0.2 by ignoreself rule'])
  assert.equal(counted, ['192.0.2.1'])
  gate.stop()
})

test('a name is all its addresses', async () => {
  const addresses: Lookup = async (name) => (name === 'a.example' ? ['192.0.2.1', '2001:DB8::1', '192.0.2.1'] : [])
  const { gate, counted, warnings } = await gateOf({}, addresses)
  gate.take(named('a.example'), arrival)
  await gate.settled()
  assert.equal(counted, ['192.0.2.1', '2001:db8::1'])
  assert.equal(warnings, ['Determined IP using DNS Lookup: a.example = 192.0.2.1, 2001:db8::1'])
  gate.take(named('192.0.2.7'), arrival)
  assert.equal(counted.slice(2), ['192.0.2.7'], 'an address is none')
})

test('whose addresses are ignored, by themselves', async () => {
  const { gate, counted, ignored } = await gateOf({ usedns: 'yes', ignoreip: ['192.0.2.1'] }, async () => [
    '192.0.2.1',
    '192.0.2.2',
  ])
  gate.take(named('a.example'), arrival)
  await gate.settled()
  assert.equal([counted, ignored], [['192.0.2.2'], ['192.0.2.1 by ip']])
})

test('usedns no asks nobody; nor is a number a name', async () => {
  const asked: string[] = []
  const lookup: Lookup = async (name) => {
    asked.push(name)
    return ['192.0.2.1']
  }
  const { gate } = await gateOf({ usedns: 'no' }, lookup)
  gate.take(named('a.example'), arrival)
  const other = await gateOf({ usedns: 'yes' }, lookup)
  for (const name of ['2', '192.030.0.6', '0x7f.1', 'a b', '-x', '']) other.gate.take(named(name), arrival)
  await Promise.all([gate.settled(), other.gate.settled()])
  assert.equal(asked, [])
  assert.equal(other.counted, [])
})

test('a name server that says nothing delays failures of names alone', async () => {
  const { lookup, answer } = slowLookup()
  const rules = [usual, { ...usual, name: 'other' }]
  const { gate, counted } = await gateOf(rules, lookup)
  for (let i = 0; i < 50; i++) gate.take(named(`n${i}.example`), arrival)
  gate.take(failure('192.0.2.1'), arrival)
  gate.take(failure('192.0.2.2', { jail: 'other' }), arrival)
  assert.equal(counted, ['192.0.2.1', '192.0.2.2'])
  for (let i = 0; i < 50; i++) {
    await Promise.resolve()
    answer(`n${i}.example`, '192.0.2.3')
    for (let turn = 0; turn < 20; turn++) await Promise.resolve()
  }
  await gate.settled()
  assert.is(counted.length, 52)
})

test('names are looked up two at a time, once while they are known, and in order', async () => {
  let running = 0
  let most = 0
  const asked: string[] = []
  const lookup: Lookup = async (name) => {
    asked.push(name)
    most = Math.max(most, ++running)
    await new Promise((done) => setImmediate(done))
    running--
    return ['192.0.2.1']
  }
  const { gate, counted } = await gateOf({}, lookup)
  for (let i = 0; i < 20; i++) gate.take(named(`n${i % 5}.example`), arrival)
  await gate.settled()
  assert.equal([most, asked.length, counted.length], [2, 5, 20])
  assert.equal(asked, ['n0.example', 'n1.example', 'n2.example', 'n3.example', 'n4.example'])
})

test('a name that cannot be looked up is told, and nobody is counted', async () => {
  const { gate, counted, warnings } = await gateOf({}, () => Promise.reject(new Error('ENOTFOUND')))
  gate.take(named('a.example'), arrival)
  await gate.settled()
  assert.equal([counted, warnings], [[], ['Unable to find a corresponding IP address for a.example: ENOTFOUND']])
})

test('too many names are given up, and that is told', async () => {
  const { lookup } = slowLookup()
  const { gate, warnings } = await gateOf({}, lookup)
  for (let i = 0; i < 12_000; i++) gate.take(named(`n${i % 900}.example`), arrival)
  assert.ok(warnings.some((message) => message.includes('more than 10000 failures wait')))
  assert.ok(warnings.length < 10, String(warnings.length))
  gate.take(failure('192.0.2.1'), arrival)
})

test('what waits is kept from the call in which it came to the turn in which it counts, and goes on elsewhere', async () => {
  const { lookup } = slowLookup()
  const happened: string[] = []
  const kept = new Map<string, WaitingFailure>()
  const gateWith = async (rules: GateRules, lookUp?: Lookup) => {
    const gate = new FailureGate({
      count: ({ id, offset }) => happened.push(`${id} ${offset}`),
      onIgnored: () => {},
      warn: () => {},
      keep: (key, waiting) => {
        happened.push(waiting === null ? 'dropped' : `kept ${waiting.failure.id}`)
        if (waiting === null) assert.ok(kept.delete(key))
        else kept.set(key, JSON.parse(JSON.stringify(waiting)) as WaitingFailure)
      },
      ...(lookUp && { lookup: lookUp }),
    })
    await gate.configure([rules])
    return gate
  }
  const gate = await gateWith(usual, lookup)
  gate.take(named('a.example', { offset: 1 }), arrival)
  gate.take(named('a.example', { offset: 2 }), arrival)
  gate.take(failure('192.0.2.9', { offset: 3 }), arrival)
  assert.equal(happened.splice(0), ['kept a.example', 'kept a.example', '192.0.2.9 3'])
  assert.equal(JSON.parse(JSON.stringify([...gate.waiting()])), [...kept])
  const later = await gateWith({ ...usual, ignorecommand: 'exit 1' }, async () => ['192.0.2.1'])
  later.resume(new Map(kept))
  await later.settled()
  const expected = `kept a.example, dropped, kept a.example, dropped, kept 192.0.2.1, dropped, kept 192.0.2.1, dropped,
    192.0.2.1 1, dropped, 192.0.2.1 2, dropped`
  assert.equal(happened.splice(0), expected.split(/,\s+/))
  assert.equal([kept.size, [...later.waiting()]], [0, []])
  // What is known counts in the call, and is not kept.
  later.take(failure('192.0.2.7', { offset: 9 }), arrival)
  await later.settled()
  happened.length = 0
  kept.clear()
  const last = await gateWith(usual, async () => ['192.0.2.2'])
  last.take(named('b.example', { offset: 1 }), arrival)
  await last.settled()
  last.take(named('b.example', { offset: 2 }), arrival)
  assert.equal(happened, ['kept b.example', '192.0.2.2 1', 'dropped', '192.0.2.2 2'])
})

test('until a name of ignoreip is known, nobody is banned who may be meant', async () => {
  const { lookup, answer } = slowLookup()
  const { gate, counted, ignored } = await gateOf({ ignoreip: ['home.example', '198.51.100.1'] }, lookup)
  gate.take(failure('192.0.2.1'), arrival)
  gate.take(failure('198.51.100.1'), arrival)
  gate.take(failure('192.0.2.2'), arrival)
  assert.equal([counted, ignored], [[], ['198.51.100.1 by ip']])
  answer('home.example', '192.0.2.1')
  await gate.settled()
  assert.equal([counted, ignored], [['192.0.2.2'], ['198.51.100.1 by ip', '192.0.2.1 by dns']])
  gate.stop()
})

test('a file of ignoreip is read again when it changes, and its names are looked up', async () =>
  inFolder(async (folder) => {
    const file = join(folder, 'ignored')
    await writeFile(file, '192.0.2.0/24, 2001:db8::1 # all of 198.51.100.0/24\n; none of 10.0.0.1\nhome.example\n')
    const { gate, ignored, counted, warnings } = await gateOf({ ignoreip: [`file:${file}`] }, async () => [
      '203.0.113.1',
    ])
    for (const id of ['192.0.2.1', '2001:db8::1', '198.51.100.1', '10.0.0.1', '203.0.113.1'])
      gate.take(failure(id), arrival)
    await gate.settled()
    assert.equal(ignored.toSorted(), ['192.0.2.1 by ip', '2001:db8::1 by ip', '203.0.113.1 by dns'])
    assert.equal(counted.toSorted(), ['10.0.0.1', '198.51.100.1'])
    await writeFile(file, '198.51.100.1 10.0.0.0/x')
    for (let i = 0; i < 100 && (await gate.ignoring('sshd', '198.51.100.1')) === null; i++)
      await new Promise((done) => setTimeout(done, 100))
    assert.is(await gate.ignoring('sshd', '192.0.2.1'), null)
    assert.ok(warnings.some((message) => message.includes('"10.0.0.0/x"')))
    await rm(file)
    for (let i = 0; i < 100 && !warnings.some((message) => message.includes('no such file')); i++)
      await new Promise((done) => setTimeout(done, 100))
    assert.is(await gate.ignoring('sshd', '198.51.100.1'), 'ip', 'what was read last holds')
    gate.stop()
  }))

test('a command decides by its exit code, and one that fails ignores nobody', async () => {
  const script =
    'case <ip> in 192.0.2.1) exit 0;; 192.0.2.2) exit 1;; 192.0.2.3) echo no; exit 3;; *) kill -9 $$;; esac'
  const { gate, counted, ignored, warnings } = await gateOf({ ignorecommand: script, ignoreip: ['192.0.2.9'] })
  for (const last of [1, 2, 3, 4, 9]) gate.take(failure(`192.0.2.${last}`), arrival)
  await gate.settled()
  assert.equal(ignored.toSorted(), ['192.0.2.1 by command', '192.0.2.9 by ip'])
  assert.equal(counted.toSorted(), ['192.0.2.2', '192.0.2.3', '192.0.2.4'])
  assert.is(warnings.length, 2)
  assert.ok(warnings.some((message) => message.includes('it ended with 3: "no"')))
  assert.ok(warnings.some((message) => message.includes('killed by SIGKILL')))
  assert.is(await gate.ignoring('sshd', '192.0.2.1'), 'command')
})

test('failures of one id stay in order however long a command takes, and no other waits for them', async () => {
  const counted: string[] = []
  const gate = new FailureGate({
    count: ({ id, offset }) => counted.push(`${id} ${offset}`),
    onIgnored: () => {},
    warn: () => {},
  })
  const ignorecommand = 'test <F-WAIT> = no || sleep 0.3; exit 1'
  await gate.configure([{ ...usual, ignorecommand }])
  const waits = ['yes', 'no', 'yes', 'no']
  waits.forEach((wait, offset) => gate.take(failure('192.0.2.1', { offset, groups: { wait } }), arrival))
  gate.take(failure('192.0.2.2', { offset: 9, groups: { wait: 'no' } }), arrival)
  await gate.settled()
  assert.equal(counted, ['192.0.2.2 9', '192.0.2.1 0', '192.0.2.1 1', '192.0.2.1 2', '192.0.2.1 3'])
})

test('what the cache knows is asked once', async () =>
  inFolder(async (folder) => {
    const asked = join(folder, 'asked')
    const ignorecommand = `echo <ip> >> ${asked}; test <ip> = 192.0.2.1`
    const ignorecache = { key: '<ip>', maxCount: 10, maxTimeSeconds: 300 }
    const { gate, counted, ignored } = await gateOf({ ignorecommand, ignorecache })
    for (let i = 0; i < 3; i++) for (const id of ['192.0.2.1', '192.0.2.2']) gate.take(failure(id), arrival)
    await gate.settled()
    gate.take(failure('192.0.2.2'), arrival)
    assert.is(counted.length, 4, 'the last of them in the call')
    assert.equal(ignored, ['192.0.2.1 by command', '192.0.2.1 by null', '192.0.2.1 by null'])
    assert.equal((await readFile(asked, 'utf8')).trim().split('\n').toSorted(), ['192.0.2.1', '192.0.2.2'])
  }))

test('no text of a log is ever a command', async () =>
  inFolder(async (folder) => {
    const nasty = [
      '$(touch X)',
      '`touch X`',
      "'; touch X; '",
      '"; touch X; "',
      '\ntouch X\n',
      '| touch X',
      '&& touch X',
      '> X',
    ]
    const runner = new CommandRunner()
    const { replaceKnownTags } = await import('../../../../core/fail2ban/counting/command-tags.ts')
    const text = fc.oneof(
      fc.constantFrom(...nasty.map((each) => each.replaceAll('X', join(folder, 'X')))),
      fc.string({ unit: 'binary', maxLength: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(text, text, async (user, line) => {
        const about = failure('192.0.2.1', { groups: { user }, lines: [line] })
        const command = replaceKnownTags(
          'cat <F-USER>/none 2>/dev/null; printf %s <matches> "<F-USER>"; false',
          about,
          usual,
        )
        const end = await runner.run(command)
        assert.ok('code' in end && end.code <= 2, JSON.stringify(end))
        await assertNone(join(folder, 'X'))
      }),
      { numRuns: 60 },
    )
    // A value that a shell would take apart arrives whole.
    const kept = join(folder, 'kept')
    const about = failure('192.0.2.1', { groups: { user: `a  $(touch X) "'` } })
    await runner.run(replaceKnownTags(`printf %s "<F-USER>" > ${kept}`, about, usual))
    assert.is(await readFile(kept, 'utf8'), `a  $(touch X) "'`)
  }))

test('a command that does not end is ended, with all that it started', async () =>
  inFolder(async (folder) => {
    const started = join(folder, 'started')
    const script = `trap '' TERM; sh -c 'trap "" TERM; echo $$ > ${started}; while :; do sleep 1; done' & wait; while :; do sleep 1; done`
    const end = await new CommandRunner(700).run({ script, values: [] })
    assert.equal(end, { failed: 'it took longer than 0.7 s' })
    const pid = Number(await readFile(started, 'utf8'))
    const isAlive = async () => (await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'Z')).split(' ')[2] !== 'Z'
    for (let i = 0; i < 50 && (await isAlive()); i++) await new Promise((done) => setTimeout(done, 100))
    assert.not(await isAlive())
  }))

test('few commands run at once', async () =>
  inFolder(async (folder) => {
    const runner = new CommandRunner()
    const script = `mkdir ${folder}/$$; ls ${folder} | wc -l; sleep 0.05; rmdir ${folder}/$$`
    const ends = await Promise.all(Array.from({ length: 20 }, () => runner.run({ script, values: [] })))
    const most = Math.max(...ends.map((end) => ('output' in end ? Number(end.output) : 99)))
    assert.ok(most <= 4, String(most))
  }))

test.run()

async function assertNone(file: string): Promise<void> {
  assert.is(await readFile(file).then(String, () => null), null)
}
