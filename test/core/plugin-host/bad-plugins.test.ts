import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { ban, folder, PluginBed, refusal, stopAll } from './plugin-bed.ts'

const test = suite('bad plugins in their hosts')
const own = join(folder, 'secret')

/** What a plugin does when it is to ban 192.0.2.1, and what is said of it. Others it bans well. */
const crashes: readonly [what: string, code: string, said: RegExp][] = [
  ['loops for ever', 'for (;;);', /it computed for [\d.]+ s and answered nothing: a loop without end/],
  ['exits', 'process.exit(3)', /it ended with exit code 3/],
  ['aborts', 'process.abort()', /it was ended by SIGABRT/],
  ['ends with success', 'process.exit(0)', /it ended with exit code 0, as if its work were done/],
  ['kills itself', "process.kill(process.pid, 'SIGKILL')", /it was ended by SIGKILL/],
  [
    'throws later',
    "setTimeout(() => { throw new Error('late\\u001b[31m') }, 5)",
    /an error that nobody caught: late\\x1b\[31m \(at .*bad\.mjs:\d+\)/,
  ],
  [
    'leaks heap',
    'const all = []; const leak = () => { for (let i = 0; i < 3e5; i++) all.push({ i, a: [i] }); setTimeout(leak, 1) }; leak()',
    /MiB of memory, 96 are allowed|it ran out of memory, 96 MiB are allowed/,
  ],
  [
    'leaks buffers',
    'const all = []; const leak = () => { all.push(Buffer.alloc(8 << 20, 1)); setTimeout(leak, 5) }; leak()',
    /MiB of memory, 96 are allowed|Array buffer allocation failed|Failed to allocate memory|it ran out of memory, 96 MiB are allowed/,
  ],
  [
    'answers what is no frame',
    "writeSync(3, 'HTTP/1.1 200 OK\\r\\n\\r\\n')",
    /it said what no host says: a message of \d+ bytes/,
  ],
  [
    'answers what is no JSON',
    'writeSync(3, Buffer.from([8, 0, 0, 0, 4, 0, 0, 0, 123, 123, 123, 123]))',
    /a message that is no JSON/,
  ],
  ['answers what no host says', "say({ type: 'root', please: true })", /type is none of/],
  [
    'answers calls that nobody made',
    "say({ type: 'answer', call: 4711, value: 1 })",
    /an answer that nobody asked for/,
  ],
  [
    'emits without being a source',
    "for (let i = 0; i < 50; i++) say({ type: 'emit', instance: 1, emit: i, log: 5 })",
    /log is no text/,
  ],
  [
    'emits for an instance that there never was',
    "say({ type: 'emit', instance: 4711, emit: 1, log: '', cursor: null, live: null, writtenAt: null })",
    /bytes of what is no source/,
  ],
  [
    'says in a message what nobody reads',
    "say({ type: 'pong', ping: 1, x: 'x'.repeat(300000) })",
    /a message of 3\d{5} bytes of JSON, 262144 of its type are allowed/,
  ],
  [
    'floods with pongs',
    "for (let i = 0; i < 5000; i++) say({ type: 'pong', ping: 1 })",
    /more than 2000 messages in a second/,
  ],
  [
    'closes its descriptor',
    'closeSync(3); setInterval(() => {}, 1000)',
    /it closed its descriptor|ended with exit code/,
  ],
]

const frame = `
const say = (message) => {
  const json = Buffer.from(JSON.stringify(message)), head = Buffer.alloc(8)
  head.writeUInt32LE(json.length + 4, 0), head.writeUInt32LE(json.length, 4)
  const all = Buffer.concat([head, json])
  for (let at = 0; at < all.length;) try { at += writeSync(3, all, at) } catch (error) { if (error.code !== 'EAGAIN') throw error }
}`

for (const [what, code, said] of crashes)
  test(`one that ${what} is started again, and says why`, async () => {
    const bed = new PluginBed({ memoryBytes: 96 << 20 })
    const plugin = await bed.action(`import { closeSync, writeSync } from 'node:fs'${frame}
      export default {
        async ban(ban) { if (ban.prefix !== '192.0.2.1') return; ${code}; await new Promise(() => {}) },
        unban() { closeSync; writeSync; say },
      }`)
    const { host } = bed.instance()
    await plugin.start?.(host)
    // On a machine that has more to do, the deadline of the call may come first.
    assert.match(await refusal(plugin.ban(ban('192.0.2.1'), host)), new RegExp(`${said.source}|did not answer in time`))
    await bed.until(() => said.test(bed.hosts.states()[0]?.lastFault?.what ?? ''), String(said))
    assert.match(bed.said.join('\n'), /the plugin bad is down: /)
    await bed.until(() => bed.restarted.length > 0, 'a restart')
    assert.is(bed.restarted[0], host)
    assert.is(await refusal(plugin.ban(ban('192.0.2.2'), host)), '')
    const [state] = bed.hosts.states()
    assert.equal([state?.state, state?.restarts], ['running', 1])
    await bed.hosts.stop()
  })

test('one that throws, rejects or answers nonsense fails its calls alone', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`export default {
    ban(ban) {
      if (ban.prefix === '192.0.2.1') throw new Error('thrown')
      if (ban.prefix === '192.0.2.2') return Promise.reject('a text\\u0000\\u200b\\u{e0041}')
      if (ban.prefix === '192.0.2.3') throw null
      if (ban.prefix === '192.0.2.4') return { toJSON() { throw new Error('inside') } }
      if (ban.prefix === '192.0.2.5') return 5n
      if (ban.prefix === '192.0.2.6') return JSON.parse('{"__proto__": {"polluted": true}}')
    },
    unban() {},
    banMany(bans) { return Array(bans.length === 1 ? 1 : 3).fill({ prefix: 'all of them', reason: 'x' }) },
  }`)
  const { host } = bed.instance()
  const say = async (prefix: string) => refusal(plugin.ban(ban(prefix), host))
  assert.is(await say('192.0.2.1'), 'thrown')
  assert.is(await say('192.0.2.2'), 'a text\\x00\\u200b\\u{e0041}')
  assert.is(await say('192.0.2.3'), 'null')
  assert.match(await say('192.0.2.4'), 'it answers what cannot be told')
  assert.match(await say('192.0.2.5'), 'it answers what cannot be told')
  assert.is(await say('192.0.2.6'), '')
  assert.is(({} as { polluted?: unknown }).polluted, undefined)
  assert.match(await refusal(plugin.banMany?.([ban('192.0.2.7')], host)), 'a prefix that is none')
  const some = [ban('192.0.2.8'), ban('192.0.2.9')]
  assert.match(await refusal(plugin.banMany?.(some, host)), 'it refuses 3 bans, and was given 2')
  assert.equal(bed.hosts.states()[0]?.restarts, 0)
  await bed.hosts.stop()
})

test('one that crashes again and again is put aside, with an alarm, until somebody mends it', async () => {
  const bed = new PluginBed()
  const text = 'export default { start() { process.exit(9) }, ban() {}, unban() {} }'
  const plugin = await bed.action(text)
  const { host } = bed.instance()
  // As the queue of an action does, which is told of each restart.
  void refusal(plugin.start?.(host))
  let starts = 0
  await bed.until(() => {
    if (bed.restarted.length > starts) void refusal(plugin.start?.(host))
    starts = bed.restarted.length
    return bed.hosts.states()[0]?.state === 'set aside'
  }, 'being put aside')
  assert.match(await refusal(plugin.ban(ban('192.0.2.1'), host)), /the plugin bad is put aside, .*exit code 9/)
  assert.is(bed.alarms.length, 1)
  assert.match(
    bed.alarms[0] ?? '',
    /^bad: the plugin bad crashes again and again and is put aside for 10 minutes: it ended/,
  )
  await bed.hosts.stop()
})

test('a flood of output neither stops the plugin nor fills the log', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`export default {
    async ban() {
      for (let i = 0; i < 20000; i++) console.log('line ' + i + '\\u001b[2J' + 'x'.repeat(2000))
      for (let i = 0; i < 2000; i++) console.error('bad ' + i)
      process.stdout.write('no newline')
    },
    unban() {},
  }`)
  const { host } = bed.instance()
  assert.is(await refusal(plugin.ban(ban('192.0.2.1'), host)), '')
  await bed.until(
    () => bed.said.some((line) => line.includes('more lines are not shown')),
    'a word of what is left out',
  )
  const printed = bed.said.filter((line) => line.includes('bad prints: '))
  assert.ok(printed.length > 0 && printed.length < 100, `${printed.length} lines`)
  assert.ok(printed.every((line) => line.length < 600 && !line.includes('\u001b')))
  await bed.hosts.stop()
})

test('the agent takes no more of a log than a log bears', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`export default {
    ban(ban, host) {
      for (let i = 0; i < 5000; i++) host.log.info({ i, level: 60, __proto__: null, ['__proto__']: 1, msg: 'x' }, 'again\\u001b')
    },
    unban() {},
  }`)
  const { host } = bed.instance()
  assert.is(await refusal(plugin.ban(ban('192.0.2.1'), host)), '')
  await bed.until(() => bed.said.length >= 200, 'the first of it')
  assert.ok(bed.said.length <= 201)
  assert.is(bed.said[0], 'info {"plugin":"bad","i":0} again\\x1b')
  await bed.hosts.stop()
})

test('blank lines are output as any other', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action("export default { ban() { process.stdout.write('\\n'.repeat(300000)) }, unban() {} }")
  const { host } = bed.instance()
  assert.is(await refusal(plugin.ban(ban('192.0.2.1'), host)), '')
  const said = /it prints too much: \d+ lines were not shown/
  await bed.until(() => said.test(bed.hosts.states()[0]?.lastFault?.what ?? ''), 'a word of it')
  assert.not.match(bed.said.join('\n'), 'bad prints: ')
  await bed.hosts.stop()
})

test('what it logs beyond what a log bears is not shown, and told', async () => {
  const bed = new PluginBed()
  const plugin = await bed.action(`import { writeSync } from 'node:fs'${frame}
    export default {
      async ban() {
        for (let i = 0; i < 600; i++) say({ type: 'log', level: 'info', fields: {}, message: 'again' })
      },
      unban() {},
    }`)
  const { host } = bed.instance()
  assert.is(await refusal(plugin.ban(ban('192.0.2.1'), host)), '')
  const said = /it logs too much: \d+ lines were not shown/
  await bed.until(() => said.test(bed.hosts.states()[0]?.lastFault?.what ?? ''), 'a word of it')
  await bed.hosts.stop()
})

const reaching: readonly [what: string, code: string, said: RegExp][] = [
  [
    'reads a file',
    "readFileSync('/etc/passwd')",
    /it may not read \/etc\/passwd: the manifest of the plugin does not name it/,
  ],
  [
    'writes a file',
    `writeFileSync(${JSON.stringify(own)}, 'x')`,
    /it may not write .*secret: the manifest of the plugin does not name it/,
  ],
  [
    'writes beside its state',
    "writeFileSync(host.stateDir + '/../../other', 'x')",
    /it may not write .*other: the manifest of the plugin does not name it/,
  ],
  ['runs a program', "execFileSync('/bin/true')", /it may not run \/bin\/true|ChildProcess/],
  ['runs a shell', "execSync('true')", /it may not run \/bin\/sh|ChildProcess/],
  ['starts a thread', "new Worker('1', { eval: true })", /WorkerThreads|access to this API/i],
  ['asks the network', "await fetch('http://192.0.2.80/')", /it may not connect to 192\.0\.2\.80:80/],
  ['connects', "await once(connect(25, '127.0.0.1'), 'connect')", /it may not connect to 127\.0\.0\.1:25/],
  [
    'connects to a socket',
    "await once(connect('/run/docker.sock'), 'connect')",
    /it may not connect to \/run\/docker\.sock/,
  ],
  [
    'connects to a socket, and names a host beside it',
    "await once(connect({ path: '/run/docker.sock', host: 'localhost', port: 80 }), 'connect')",
    /it may not connect to \/run\/docker\.sock/,
  ],
  ['sends datagrams', "createSocket('udp4').send('x', 53, '127.0.0.1')", /it may not send datagrams/],
  ['uses the firewall', 'await host.firewall.del([])', /without the capability|nobody/],
  [
    'asks for a secret',
    "throw new Error('token: ' + process.env.EDGE_TOKEN + ' ' + process.env.OTHER_TOKEN)",
    /token: undefined undefined/,
  ],
]

test('one that reaches beyond its manifest is refused, and it is told', async () => {
  process.env.EDGE_TOKEN = 'a secret'
  const bed = new PluginBed()
  for (const [what, code, said] of reaching) {
    const plugin = await bed.action(
      `import { readFileSync, writeFileSync } from 'node:fs'
      import { execFileSync, execSync } from 'node:child_process'
      import { Worker } from 'node:worker_threads'
      import { connect } from 'node:net'
      import { createSocket } from 'node:dgram'
      import { once } from 'node:events'
      export default { async ban(ban, host) { ${code} }, unban() { readFileSync, writeFileSync, execFileSync, execSync, Worker, connect, createSocket, once } }`,
      {},
    )
    const { host } = bed.instance()
    assert.match(await refusal(plugin.ban(ban('192.0.2.1'), host)), said, what)
  }
  assert.not.ok(existsSync(own))
  assert.match(bed.said.join('\n'), /the plugin bad reaches too far: it may not connect to 192\.0\.2\.80:80/)
  await bed.hosts.stop()
})

test('what the manifest names is given', async () => {
  const bed = new PluginBed()
  process.env.EDGE_TOKEN = 'a secret'
  const plugin = await bed.action(
    `import { readFileSync, writeFileSync } from 'node:fs'
    import { execFileSync } from 'node:child_process'
    import { RetryLater } from 'bailiff/plugin'
    export default { ban(ban, host) {
      readFileSync('/etc/passwd')
      writeFileSync(host.stateDir + '/kept', 'x')
      writeFileSync(${JSON.stringify(own)}, 'x')
      execFileSync('/bin/true')
      throw new Error(process.env.EDGE_TOKEN + ' ' + Object.keys(process.env).filter((name) => !/^(PATH|LANG|LC_ALL|TZ)$/.test(name)) + typeof RetryLater)
    }, unban() {} }`,
    { files: { read: ['/etc/passwd'], write: [own] }, programs: ['/bin/true'], secrets: ['EDGE_TOKEN'] },
  )
  const { host } = bed.instance()
  assert.is(await refusal(plugin.ban(ban('192.0.2.1'), host)), 'a secret EDGE_TOKENfunction')
  assert.ok(existsSync(own))
  await bed.hosts.stop()
})

test('a file of the administrator sees the variables that its options name, and no others', async () => {
  process.env.EDGE_TOKEN = 'a secret'
  process.env.OTHER_TOKEN = 'another'
  const options = { from: { token: 'EDGE_TOKEN' }, path: 'PATH', node: 'NODE_OPTIONS' }
  const bed = new PluginBed()
  const plugin = await bed.action(
    `export default { ban() { throw new Error([process.env.EDGE_TOKEN, process.env.OTHER_TOKEN, process.env.HOME].join()) }, unban() {} }`,
    undefined,
    options,
  )
  const { host } = bed.instance(options)
  assert.is(await refusal(plugin.ban(ban('192.0.2.1'), host)), 'a secret,,')
  await bed.hosts.stop()
})

test.after(stopAll)

test.run()
