import * as assert from 'uvu/assert'
import { parsePrefix } from '../../../core/address.ts'
import { RetryLater, type EmitFrom, type Firewall, type FirewallEntry, type SourceHost } from '../../../core/plugin.ts'
import { suite } from '../../suite.ts'
import { ban, PluginBed, refusal, stopAll } from './plugin-bed.ts'

const test = suite('plugins in hosts, each kind')

/** What a source is given, and what it brought. */
function intake(bed: PluginBed, cursors: Record<string, string> = {}) {
  const { host, end } = bed.instance()
  const emitted: { text: string; from: EmitFrom }[] = []
  const asked: string[] = []
  const parts: Partial<SourceHost> = {
    follow: (path) => void asked.push(`follow ${path}`),
    followMatching: (pattern, { exclude = [], limit } = {}) => {
      if (pattern === '[') throw new Error('no pattern: [')
      asked.push(`matching ${pattern} ${exclude.join()} ${limit}`)
    },
    cursor: (log = '') => {
      asked.push(`cursor ${log} after ${emitted.length}`)
      return cursors[log] ?? null
    },
    since: () => 4711,
    ended: () => void asked.push('ended'),
  }
  const sourceHost = Object.create(host, Object.getOwnPropertyDescriptors(parts)) as SourceHost
  const emit = async (bytes: Uint8Array, from: EmitFrom = {}) => {
    await new Promise((resolve) => setImmediate(resolve))
    emitted.push({ text: Buffer.from(bytes).toString(), from })
  }
  return { host: sourceHost, emit, emitted, asked, end }
}

test('what a source emits arrives in order, gathered, with its cursors', async () => {
  const bed = new PluginBed()
  const plugin = await bed.source(`export default { async start(emit, host) {
    for (let i = 0; i < 30000; i++) await emit(Buffer.from('line ' + i + '\\n'), i % 3 === 0 ? { cursor: 'c' + i } : {})
    await emit(Buffer.from('other\\n'), { log: 'b', live: false, writtenAt: 5 })
    await emit(Buffer.alloc(3_000_000, 'x'))
    await emit(Buffer.from('\\n'), { cursor: 'end' })
    host.ended()
  } }`)
  const { host, emit, emitted, asked, end } = intake(bed)
  void plugin.start(emit, host)
  await bed.until(() => asked.includes('ended') && emitted.at(-1)?.from.cursor === 'end', 'the end')
  const own = emitted.filter(({ from }) => from.log === undefined)
  const lines = own
    .map(({ text }) => text)
    .join('')
    .split('\n')
  assert.is(lines.length, 30_002)
  assert.ok(lines.slice(0, 30_000).every((line, index) => line === `line ${index}`))
  assert.is(lines[30_000]?.length, 3_000_000)
  assert.equal(
    emitted.filter(({ from }) => from.log === 'b'),
    [{ text: 'other\n', from: { log: 'b', live: false, writtenAt: 5 } }],
  )
  // A cursor stands for all before it, so it comes with bytes that end where it was given.
  for (const { text, from } of own)
    if (from.cursor?.startsWith('c')) assert.ok(text.endsWith(`line ${from.cursor.slice(1)}\n`), from.cursor)
  end()
  await bed.hosts.stop()
})

test('a source asks and is answered at once; what it emitted is what it goes on behind', async () => {
  const bed = new PluginBed()
  const plugin = await bed.source(`export default { async start(emit, host) {
    const said = [host.cursor('old'), host.cursor(), host.since()]
    host.follow('/var/log/x.log')
    host.followMatching('/var/log/*.log', { exclude: ['*.tmp'], limit: 3 })
    try { host.followMatching('[') } catch (error) { said.push(error.message) }
    await emit(Buffer.from('a\\n'), { cursor: 'one' })
    await emit(Buffer.from('half'), { cursor: 'none' })
    said.push(host.cursor())
    await emit(Buffer.from(JSON.stringify(said)))
  } }`)
  const { host, emit, emitted, asked, end } = intake(bed, { old: 'kept' })
  void plugin.start(emit, host)
  await bed.until(() => emitted.some(({ text }) => text.startsWith('[')), 'what was said')
  assert.equal(JSON.parse(emitted.at(-1)?.text ?? ''), ['kept', null, 4711, 'no pattern: [', 'one'])
  assert.equal(
    asked.filter((one) => !one.startsWith('cursor')),
    ['follow /var/log/x.log', 'matching /var/log/*.log *.tmp 3'],
  )
  // The unfinished line is forgotten behind what was emitted before.
  assert.ok(asked.includes('cursor  after 2'), asked.join())
  end()
  await bed.hosts.stop()
})

test('the agent reads for a source of a package what its manifest names, and nothing else', async () => {
  const bed = new PluginBed()
  const denied = [
    '/etc/shadow',
    '/var/log/app/../../../etc/shadow',
    '/var/log/appx',
    'pattern:/**/*',
    'pattern:/etc/s*',
  ]
  const given = ['/etc/motd', '/var/log/app/x.log', 'pattern:/var/log/app/**/*.log', 'pattern:/etc/motd']
  const plugin = await bed.source(
    `export default { async start(emit, host) {
      const tried = (name) => {
        try {
          if (name.startsWith('pattern:')) host.followMatching(name.slice(8))
          else host.follow(name)
          return name
        } catch (error) { return error.message }
      }
      await emit(Buffer.from(JSON.stringify(${JSON.stringify([...denied, ...given])}.map(tried))))
      tried(host.stateDir + '/own.log')
      tried('pattern:' + host.stateDir + '/*')
      host.ended()
    } }`,
    { files: { read: ['/etc/motd', '/var/log/app/'] } },
  )
  const { host, emit, emitted, asked, end } = intake(bed)
  void plugin.start(emit, host)
  await bed.until(() => asked.includes('ended'), 'the end')
  const answers = JSON.parse(emitted[0]?.text ?? '') as string[]
  assert.equal(answers.slice(denied.length), given)
  for (const [index, name] of denied.entries())
    assert.is(
      answers[index],
      `it may not have ${name.replace('pattern:', '')} read: the manifest of the plugin does not name it`,
    )
  assert.is(asked.filter((one) => /^(?:follow|matching) /.test(one)).length, given.length + 2)
  assert.match(bed.said.join('\n'), /the plugin bad reaches too far: it may not have \/etc\/shadow read/)
  end()
  await bed.hosts.stop()
})

test('a source that returned at once fails when its process ends, so that it is started again', async () => {
  const bed = new PluginBed()
  const plugin = await bed.source(`export default { start(emit) {
    emit(Buffer.from('a\\n'))
    setTimeout(() => process.exit(4), 100)
  } }`)
  const { host, emit, end } = intake(bed)
  assert.match(await refusal(plugin.start(emit, host)), /it ended with exit code 4/)
  await bed.until(() => bed.hosts.states()[0]?.state === 'running', 'a restart')
  assert.match(await refusal(plugin.start(emit, host)), /it ended with exit code 4/)
  end()
  await bed.hosts.stop()
})

test('a source that does not wait is held back in its own process, however slow the agent is', async () => {
  const bed = new PluginBed()
  const plugin = await bed.source(`export default { async start(emit) {
    const all = []
    for (let i = 0; i < 400; i++) all.push(emit(Buffer.alloc(10_000, 'y')))
    await Promise.all(all)
    await emit(Buffer.from('end'))
  } }`)
  const { host, emit, emitted, end } = intake(bed)
  const slow = async (bytes: Uint8Array, from?: EmitFrom) => {
    await new Promise((resolve) => setTimeout(resolve, 20))
    await emit(bytes, from)
  }
  void plugin.start(slow, host)
  await bed.until(() => emitted.at(-1)?.text.endsWith('end') === true, 'the end')
  assert.is(
    emitted.reduce((sum, { text }) => sum + text.length, 0),
    4_000_003,
  )
  end()
  await bed.hosts.stop()
})

test('an action keeps the functions that it has, and is called as it would be here', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`import { RetryLater } from 'bailiff/plugin'
    const kept = new WeakMap()
    export default {
      restored: true,
      start(host) { kept.set(host, []) },
      ban(ban, host) { throw new RetryLater(1234) },
      unban() {},
      banMany(bans, host) { kept.get(host).push(...bans); return [{ prefix: bans[0].prefix, reason: 'no\\u0000room', again: true }] },
      sync(bans, host) { return [{ prefix: bans.at(-1).prefix, reason: 'of ' + bans.length + ' ' + host.name + kept.get(host).length }] },
    }`)
  assert.equal(Object.keys(plugin).toSorted(), ['ban', 'banMany', 'restored', 'start', 'stop', 'sync', 'unban'])
  const { host, end } = bed.instance()
  await plugin.start?.(host)
  assert.equal(await plugin.banMany?.([ban('192.0.2.1'), ban('192.0.2.2')], host), [
    { prefix: '192.0.2.1', reason: 'no\\x00room', again: true },
  ])
  const many = Array.from({ length: 5000 }, (_, index) => ban(`10.0.${index >> 8}.${index & 255}`))
  assert.equal(await plugin.sync?.(many, host), [{ prefix: '10.0.19.135', reason: 'of 5000 bad2', again: false }])
  try {
    await plugin.ban(ban('192.0.2.1'), host)
    assert.unreachable()
  } catch (error) {
    assert.instance(error, RetryLater)
    assert.is((error as RetryLater).afterMs, 1234)
  }
  end()
  await bed.hosts.stop()
})

test('the signal of an instance ends with it, also inside the host', async () => {
  const bed = new PluginBed()
  const plugin = await bed.notifier(`export default {
    start(host) { this.ended = new Promise((resolve) => host.signal.addEventListener('abort', () => resolve(host.signal.aborted))) },
    notify(event) { if (event.type !== 'stop') throw new Error(event.type + event.jails) },
    async stop() { console.log('aborted ' + await this.ended) },
  }`)
  const { host, end } = bed.instance()
  await plugin.start?.(host)
  assert.is(await refusal(plugin.notify({ type: 'start', time: 1, jails: ['a', 'b'] }, host)), 'starta,b')
  assert.is(await refusal(plugin.notify({ type: 'stop', time: 1 }, host)), '')
  end()
  await plugin.stop?.(host)
  await bed.until(() => bed.said.some((line) => line.includes('aborted true')), 'the end')
  assert.equal(bed.hosts.states(), [])
  await bed.hosts.stop()
})

test('the firewall is asked through the agent, which looks at what is asked', async () => {
  const bed = new PluginBed()
  const calls: [string, number][] = []
  const note = async (name: string, entries: Iterable<FirewallEntry>) => {
    calls.push([name, [...entries].length])
    return []
  }
  const firewall: Firewall = {
    declare: async (ports) => void calls.push(['declare', ports.length]),
    add: async (entries) => [{ prefix: entries[0]?.prefix ?? ban('192.0.2.1').prefix, reason: 'ours' }],
    load: (entries) => note('load', entries),
    del: async (entries) => void (await note('del', entries)),
    sync: (entries) => note('sync', entries),
    list: async () => [{ prefix: ban('192.0.2.9').prefix, ports: { protocol: 'all', ports: [] }, until: null }],
  }
  const plugin =
    await bed.action(`const entry = (prefix, ports = { protocol: 'tcp', ports: [22] }) => ({ prefix, ports, until: null })
    export default { capabilities: ['firewall'], unban() {},
      async ban({ prefix }, { firewall }) {
        if (prefix === '192.0.2.66') return firewall.add([entry('not an address')])
        if (prefix === '192.0.2.67') return firewall.add([entry('192.0.2.1', { protocol: 'tcp', ports: [22, 22] })])
        await firewall.declare([{ protocol: 'tcp', ports: [22] }])
        await firewall.sync(Array.from({ length: 2500 }, (_, i) => entry('10.0.' + (i >> 8) + '.' + (i & 255))))
        await firewall.del([])
        throw new Error(JSON.stringify([await firewall.add([entry(prefix)]), await firewall.list()]))
      } }`)
  assert.equal(plugin.capabilities, ['firewall'])
  const { host } = bed.instance({}, firewall)
  assert.is(
    await refusal(plugin.ban(ban('192.0.2.1'), host)),
    '[[{"prefix":"192.0.2.1","reason":"ours"}],[{"prefix":"192.0.2.9","ports":{"protocol":"all","ports":[]},"until":null}]]',
  )
  assert.equal(calls, [
    ['declare', 1],
    ['sync', 2500],
    ['del', 0],
  ])
  assert.match(await refusal(plugin.ban(ban('192.0.2.66'), host)), /a prefix that is none/)
  await bed.until(() => bed.hosts.states()[0]?.state === 'running', 'a restart')
  assert.match(await refusal(plugin.ban(ban('192.0.2.67'), host)), /ports that are not in order/)
  assert.is(parsePrefix('not an address'), null)
  await bed.hosts.stop()
})

test('a package without the capability has no firewall, whatever its module says', async () => {
  const bed = new PluginBed()
  const text = `export default { capabilities: ['firewall'], unban() {}, async ban(ban, host) { await host.firewall.del([]) } }`
  assert.is((await bed.action(text, {})).capabilities, undefined)
  assert.equal((await bed.action(text, { firewall: true })).capabilities, ['firewall'])
  await bed.hosts.stop()
})

test.after(stopAll)

test.run()
