/** Plugins that break their contract, each in one way: the suite of their kind must say which. */
import * as assert from 'uvu/assert'
import type { ActionBan, ActionPlugin, MatcherPlugin, NotifierPlugin, SourcePlugin } from '../../../core/plugin.ts'
import { actionChecks } from '../../../core/testing/action-checks.ts'
import { runCheck, type Check } from '../../../core/testing/check.ts'
import { matcherChecks } from '../../../core/testing/matcher-checks.ts'
import { notifierChecks } from '../../../core/testing/notifier-checks.ts'
import { sourceChecks } from '../../../core/testing/source-checks.ts'
import regexp from '../../../matchers/regexp/index.ts'
import { suite } from '../../suite.ts'

const test = suite('suites of bailiff/testing')

/** The names of the checks that do not hold. */
async function broken(checks: readonly Check[]): Promise<string[]> {
  const names: string[] = []
  for (const check of checks) {
    const { ok, name, message, remedy } = await runCheck(check, 20_000)
    if (ok) continue
    names.push(name)
    assert.ok(message !== null && message.length > 0 && remedy !== null && remedy.length > 0, name)
  }
  return names
}

const twice = 'a ban is carried out, and once more is the same as once'
const unban = 'an unban is carried out, also of what is not banned'
const crowd = 'many bans at once are carried out'
const anything = 'whatever stands in a ban, it is carried out'
const sync = 'a sync makes the other side hold exactly what it is given'
const aborted = 'a call ends when host.signal is aborted'

/** An action that keeps a set, changed in one way. */
function keeping(change: (held: Set<string>) => object): { plugin: ActionPlugin; holds: () => string[] } {
  const held = new Set<string>()
  const good = {
    ban: ({ prefix }: ActionBan) => void held.add(prefix),
    unban: ({ prefix }: ActionBan) => void held.delete(prefix),
  }
  return { plugin: { ...good, ...change(held) } as ActionPlugin, holds: () => [...held] }
}

test('an action that does nothing wrong passes, one that does is told what', async () => {
  const cases: [name: string, change: (held: Set<string>) => object, found: string[]][] = [
    ['good', () => ({}), []],
    [
      'good in batches',
      (held) => ({ banMany: (bans: ActionBan[]) => bans.forEach(({ prefix }) => held.add(prefix)) }),
      [],
    ],
    [
      'no unban',
      () => ({ unban: undefined }),
      ['it has the functions of an action', unban, 'a ban for ever and one without ports are bans', anything, crowd],
    ],
    ['start is no function', () => ({ start: 7 }), ['it has the functions of an action', 'it starts']],
    ['unknown capability', () => ({ capabilities: ['root'] }), ['it has the functions of an action']],
    [
      'refuses a second ban',
      (held) => ({
        ban({ prefix }: ActionBan) {
          if (held.has(prefix)) throw new Error('there is one')
          held.add(prefix)
        },
      }),
      [twice],
    ],
    [
      'refuses to unban what is not there',
      (held) => ({
        unban({ prefix }: ActionBan) {
          if (!held.delete(prefix)) throw new Error('there is none')
        },
      }),
      [unban],
    ],
    [
      'changes what it is given',
      (held) => ({ ban: (ban: { prefix: string; jail: string }) => ((ban.jail = 'x'), void held.add(ban.prefix)) }),
      [twice, 'a ban for ever and one without ports are bans', anything, crowd],
    ],
    [
      'reads ports that may not be there',
      (held) => ({ ban: ({ prefix, ports }: ActionBan) => void (ports.ports[0]!.toFixed(), held.add(prefix)) }),
      ['a ban for ever and one without ports are bans', anything],
    ],
    ['forgets the batch', () => ({ banMany: () => {} }), [crowd]],
    [
      'a sync that only adds',
      (held) => ({ sync: (bans: ActionBan[]) => bans.forEach(({ prefix }) => held.add(prefix)) }),
      [sync],
    ],
    [
      'a sync that answers garbage',
      (held) => ({ sync: (bans: ActionBan[]) => (held.clear(), bans.forEach(({ prefix }) => held.add(prefix)), 'ok') }),
      [sync],
    ],
    [
      'no end',
      (held) => ({
        ban: ({ prefix }: ActionBan) => (prefix === '192.0.2.9' ? new Promise(() => {}) : void held.add(prefix)),
      }),
      [aborted],
    ],
    ['does not stop', () => ({ stop: () => Promise.reject(new Error('no')) }), ['it stops']],
  ]
  for (const [name, change, found] of cases) {
    const { plugin, holds } = keeping(change)
    assert.equal(await broken(actionChecks(plugin, { holds })), found, name)
  }
})

test('options that take everything, or refuse what is given, are told', async () => {
  const open = keeping(() => ({ options: { type: 'object', properties: {} } }))
  assert.equal(await broken(actionChecks(open.plugin, open)), ['an option that it does not know is refused'])
  const strict = {
    type: 'object',
    properties: { url: { type: 'string' } },
    required: ['url'],
    additionalProperties: false,
  }
  const wrong = keeping(() => ({ options: strict }))
  const found = await broken(actionChecks(wrong.plugin, wrong))
  assert.equal(found.slice(0, 2), ['its options are accepted', 'it starts'])
  assert.equal(await broken(actionChecks(wrong.plugin, { holds: wrong.holds, options: { url: 'x' } })), [])
})

test('an action of the firewall is looked at without a word', async () => {
  const entry = ({ prefix, ports, until }: ActionBan) => ({ prefix, ports, until })
  const good: ActionPlugin = {
    capabilities: ['firewall'],
    async ban(ban, host) {
      await host.firewall.declare([ban.ports])
      await host.firewall.add([entry(ban)])
    },
    unban: (ban, host) => host.firewall.del([entry(ban)]),
  }
  assert.equal(await broken(actionChecks(good)), [])
  const undeclared: ActionPlugin = { ...good, ban: async (ban, host) => void (await host.firewall.add([entry(ban)])) }
  assert.ok((await broken(actionChecks(undeclared))).includes(twice))
  assert.ok((await broken(actionChecks({ ...good, unban() {} }))).includes(unban))
})

test('a notifier that fails at an event, or does not end, is told', async () => {
  const takes = 'it takes every event, and a ban arrives with its address and jail'
  const hostile = 'whatever stands in an event, it is told'
  const cases: [plugin: object, found: string[]][] = [
    [{ notify() {} }, []],
    [{}, ['it has the functions of a notifier', takes, hostile]],
    [{ notify: (event: { ban: { prefix: string } }) => void event.ban.prefix }, [takes, hostile]],
    [{ notify: (event: object) => void Object.assign(event, { seen: true }) }, [takes, hostile]],
    [
      {
        notify: (event: { message?: string }) =>
          void (event.message !== undefined && decodeURIComponent(event.message)),
      },
      [hostile],
    ],
  ]
  for (const [plugin, found] of cases) assert.equal(await broken(notifierChecks(plugin as NotifierPlugin)), found)
  const silent = { notify() {} }
  assert.equal(await broken(notifierChecks(silent, { told: () => '' })), [takes])
})

test('a source that fails, or does not end when it is told, is told', async () => {
  const ends = 'it starts, and ends when it is told to'
  const cases: [start: SourcePlugin['start'], found: string[]][] = [
    [() => {}, []],
    [(_, host) => new Promise((resolve) => host.signal.addEventListener('abort', () => resolve())), []],
    [() => Promise.reject(new Error('no')), [ends]],
    [() => new Promise(() => {}), [ends]],
  ]
  for (const [start, found] of cases) assert.equal(await broken(sourceChecks({ start })), found)
})

test('a matcher that finds more, or less, than the patterns is told, and of which line', async () => {
  const lossy: MatcherPlugin = {
    compile(filters) {
      const scanner = regexp.compile(filters)
      return {
        ...scanner,
        took: scanner.took,
        scan: (block, found) => scanner.scan(block, (line) => line.rule === 0 && found(line)),
      }
    },
  }
  const checks = matcherChecks(lossy)
  assert.equal(await broken(checks), ['it finds what the plain patterns find, whatever stands in the lines'])
  const outcome = await runCheck(checks[2]!)
  assert.match(outcome.message ?? '', /^of ".*" \(line, filter, failregex, address\): expected \[/)
  const greedy: MatcherPlugin = { compile: (filters) => ({ took: [...filters.keys(), 99], scan() {} }) }
  assert.ok((await broken(matcherChecks(greedy))).includes('what it took and what it left are all filters, each once'))
})

test.run()
