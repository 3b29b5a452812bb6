import * as assert from 'uvu/assert'
import { parseAddress, parsePrefix, printable, RetryLater, type ActionPlugin } from '../../../core/plugin.ts'
import {
  actionBan,
  ActionTester,
  FakeFirewall,
  filterChecks,
  findInLines,
  hostileBans,
  hostileEvents,
  noAddresses,
  runCheck,
  testHost,
  VirtualClock,
} from '../../../core/testing/index.ts'
import { describeFailure, placeInPlugin } from '../../../core/testing/failure-text.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { rejects, suite } from '../../suite.ts'

const test = suite('testers of bailiff/testing')

test('an action tester shows each call and what became of it', async () => {
  const plugin: ActionPlugin = {
    ban({ prefix }, host) {
      if (prefix === '192.0.2.2') throw new RetryLater(700)
      if (prefix === '192.0.2.3') throw new Error('no')
      if (prefix === '192.0.2.4') return new Promise(() => {})
      host.log.info({}, `banned ${prefix} at ${host.now()}`)
      return undefined
    },
    unban() {},
  }
  const clock = new VirtualClock(1000)
  const tester = await ActionTester.start(plugin, { clock, deadlineMs: 50 })
  const calls = [await tester.ban('192.0.2.1'), await tester.ban('192.0.2.2'), await tester.ban('192.0.2.3')]
  assert.equal(
    calls.map(({ verb, about, outcome, afterMs }) => [verb, about, outcome, afterMs]),
    [
      ['ban', ['192.0.2.1'], 'done', undefined],
      ['ban', ['192.0.2.2'], 'retry', 700],
      ['ban', ['192.0.2.3'], 'failed', undefined],
    ],
  )
  const late = await tester.ban('192.0.2.4')
  assert.match((late.error as Error).message, 'did not answer within')
  clock.advance(5)
  await tester.ban('192.0.2.1')
  assert.equal(
    tester.logged.map(({ message }) => message),
    ['banned 192.0.2.1 at 1000', 'banned 192.0.2.1 at 1005'],
  )
  assert.is((await tester.unban('192.0.2.1')).outcome, 'done')
  await rejects(tester.sync('192.0.2.1'), 'neither sync nor syncEach')
  await tester.stop()
  assert.is(tester.calls.length, 6)
})

test('a fake firewall holds what the kernel would, as long as it would', async () => {
  const clock = new VirtualClock()
  const firewall = new FakeFirewall(() => clock.now())
  const entry = (prefix: string, until: number | null) => ({ ...actionBan(prefix), until })
  await rejects(firewall.add([entry('192.0.2.1', null)]), 'before host.firewall.declare')
  await firewall.declare([actionBan('192.0.2.1').ports])
  firewall.refused.set('192.0.2.3', 'own address')
  const refused = await firewall.add([
    entry('192.0.2.1', clock.now() + 10),
    entry('192.0.2.2', null),
    entry('192.0.2.3', null),
  ])
  assert.equal(refused, [{ prefix: '192.0.2.3', reason: 'own address' }])
  assert.equal(firewall.held, ['192.0.2.1', '192.0.2.2'])
  clock.advance(10)
  assert.equal(firewall.held, ['192.0.2.2'])
  await firewall.sync([entry('192.0.2.9', null)])
  assert.equal(firewall.held, ['192.0.2.9'])
  firewall.failures.push(new Error('no table'))
  await rejects(firewall.del([entry('192.0.2.9', null)]), 'no table')
  assert.equal(firewall.held, ['192.0.2.9'])
  await firewall.del([entry('192.0.2.9', null), entry('192.0.2.8', null)])
  assert.equal([firewall.held, await firewall.list()], [[], []])
})

test('a filter is tried with lines that must match and must not', async () => {
  const filter = { failregex: ['^Failed login of <F-USER>\\S+</F-USER> from <HOST>$'], programs: ['app'] }
  const line = 'Nov 22 13:41:02 h app[1]: Failed login of root from 192.0.2.7'
  const other = 'Nov 22 13:41:02 h app[1]: Failed login of root from nobody'
  const [found, none] = findInLines(regexp, filter, [line, other])
  assert.equal([found?.address, found?.rule, found?.groups.user, none], ['192.0.2.7', 0, 'root', null])
  const checks = filterChecks(regexp, filter, {
    match: [
      { line, address: '192.0.2.7', groups: { user: 'root' } },
      { line, address: '192.0.2.8' },
      { line, address: '192.0.2.7', groups: { user: 'joe' } },
      { line: other, address: '192.0.2.7' },
    ],
    pass: [other, line],
  })
  const outcomes = await Promise.all(checks.map((check) => runCheck(check)))
  assert.equal(
    outcomes.map(({ ok }) => ok),
    [true, false, false, false, true, false],
  )
})

test('what is hostile is what it says', () => {
  for (const text of noAddresses) assert.is(parseAddress(text), null, JSON.stringify(text))
  for (const text of noAddresses) assert.is(parsePrefix(text), null, JSON.stringify(text))
  for (const ban of hostileBans) assert.ok(Object.isFrozen(ban) && Object.isFrozen(ban.ports.ports))
  for (const event of hostileEvents) assert.is(printable(JSON.stringify(event)), JSON.stringify(event))
})

test('whatever a plugin throws is told in words, without control bytes', () => {
  const cases: [thrown: unknown, text: string | RegExp][] = [
    [new Error('a', { cause: new Error('b', { cause: new Error('a') }) }), 'a: b'],
    [new AggregateError([new Error('x'), new Error('y')]), 'x, y'],
    ['text \x1b[2J', 'it threw "text \\u001b[2J"'],
    [null, 'it threw null'],
    [undefined, 'it threw undefined'],
    [Symbol('s'), 'it threw Symbol(s)'],
    [Object.create(null), 'it threw something that cannot be shown'],
    [new Error('\x1b[31m'), '\\x1b[31m'],
    [new Error(''), 'Error'],
    [new Error('x'.repeat(5000)), /^x{1000}…$/],
  ]
  for (const [thrown, text] of cases)
    if (typeof text === 'string') assert.is(describeFailure(thrown), text)
    else assert.match(describeFailure(thrown), text)
})

test('the place of an error is in the plugin, not in what it called', () => {
  const error = (stack: string, cause?: Error) =>
    Object.assign(new Error('x', { cause }), { stack: `Error: x\n${stack}` })
  const file = '/home/me/a b/edge.mjs'
  const cases: [error: unknown, line: number | undefined, where?: string][] = [
    [error('    at f (node:internal/x:1:2)\n    at ban (file:///home/me/a%20b/edge.mjs:5:7)'), 5],
    [
      error(
        '    at f (file:///home/me/a%20b/part.mjs:3:1)\n    at ban (file:///home/me/a%20b/edge.mjs?version=1.5:9:7)',
      ),
      9,
    ],
    [
      error('    at f (file:///home/me/a%20b/node_modules/x.mjs:3:1)\n    at f (file:///home/me/a%20b/part.mjs:4:1)'),
      4,
      '/home/me/a b/part.mjs',
    ],
    [error('    at f (node:internal/x:1:2)', error('    at file:///home/me/a%20b/edge.mjs:7:1')), 7],
    [error('    at f (file:///home/me/other.mjs:3:1)'), undefined],
    [new Proxy({}, {}), undefined],
    [undefined, undefined],
  ]
  for (const [thrown, line, where] of cases) {
    const found = placeInPlugin(thrown, file)
    assert.is(found?.line, line)
    if (line !== undefined) assert.is(found?.file, where ?? file)
  }
})

test('a folder of the plugin is there when it is asked for, and gone at the end', async () => {
  const { existsSync } = await import('node:fs')
  const { host, end } = testHost()
  const folder = host.stateDir
  assert.ok(existsSync(folder))
  end()
  assert.not.ok(existsSync(folder))
  assert.ok(host.signal.aborted)
})

test.run()
