/** `bailiff plugin dev|test|build` as a person and a script use them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import * as assert from 'uvu/assert'
import { printable } from '../../../core/errors.ts'
import { runsTypeScript } from '../../../core/typescript-plugins.ts'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder } from './agent-process.ts'

const test = suite('bailiff plugin dev')
const scratch = temporaryFolder()
let files = 0

function write(text: string, name = 'edge.mjs'): string {
  const folder = join(scratch, String(files++))
  mkdirSync(folder)
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

/** The events of a trial. */
async function events(...words: string[]): Promise<{ code: number | null; events: Record<string, unknown>[] }> {
  const { code, stdout } = await bailiff(['plugin', ...words, '--json'])
  return {
    code,
    events: stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>),
  }
}

const action = (ban: string, more = '') => `export default { async ban(ban, host) { ${ban} }, async unban() {}${more} }`

test('an action is told of bans of both families and of networks, through retries, and all is shown', async () => {
  let refusals = 1
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(decodeURIComponent(request.url ?? ''))
    response.statusCode = refusals-- > 0 ? 503 : 200
    response.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const file = write(`import { defineAction, RetryLater } from 'bailiff/plugin'
let asked = 0
export default defineAction({
  async ban({ prefix }, host) {
    if (++asked === 3) throw new RetryLater(60_000)
    const answer = await fetch(host.options.url + '/' + encodeURIComponent(prefix), { signal: host.signal })
    if (!answer.ok) throw new Error('the edge answers ' + answer.status)
    console.log('told\\x1b[2J')
    host.log.info({ prefix }, 'told the edge')
  },
  unban() {},
})`)
  try {
    const { code, events: all } = await events('dev', file, `url=${url}`, '--once')
    const calls = all.filter(({ type }) => type === 'call')
    assert.equal(
      calls.map(({ verb, about, outcome }) => [verb, (about as string[])[0], outcome]),
      [
        ['ban', '192.0.2.7', 'failed'],
        ['ban', '192.0.2.7', 'done'],
        ['ban', '2001:db8::7', 'retry'],
        ['ban', '2001:db8::7', 'done'],
        ['ban', '198.51.100.0/24', 'done'],
        ['ban', '2001:db8:1::/64', 'done'],
        ...['192.0.2.7', '2001:db8::7', '198.51.100.0/24', '2001:db8:1::/64'].map((prefix) => [
          'unban',
          prefix,
          'done',
        ]),
      ],
    )
    assert.equal([code, all.at(-1)], [0, { type: 'end', outcome: 'ok' }])
    const { where } = calls[0]!.failure as { where: { file: string; line: number } }
    assert.equal([where.file, where.line], [file, 7])
    assert.is(calls[2]?.afterMs, 60_000)
    assert.is(all.filter(({ type, message }) => type === 'log' && message === 'told the edge').length, 4)
    assert.is(all.filter(({ type, line }) => type === 'printed' && line === 'told\\x1b[2J').length, 4)
    assert.equal(heard, ['/192.0.2.7', '/192.0.2.7', '/2001:db8::7', '/198.51.100.0/24', '/2001:db8:1::/64'])
  } finally {
    server.close()
  }
})

test('whatever a plugin does, the trial ends and says what it was', async () => {
  const cases: [text: string, code: number, says: RegExp][] = [
    [action('process.exit(3)'), 70, /ended its process \(exit code 3\) in "ban 192\.0\.2\.7"/],
    [action('for (;;);'), 70, /keeps the thread for more than 10 s in "ban 192\.0\.2\.7"/],
    [action("throw new Error('no \\x1b[31m')"), 69, /no \\x1b\[31m\n +at .*edge\.mjs:1:\d+\n +1 \| export default/],
    [action('throw undefined'), 69, /it threw undefined/],
    [action("await fetch('http://127.0.0.1:9')"), 69, /fetch failed: /],
    [
      action("setTimeout(() => { throw new Error('late') }, 1)"),
      69,
      /an error that nobody caught: late\n +at .*edge\.mjs:1:/,
    ],
    [action('for (let i = 0; i < 1e5; i++) console.log(i)'), 0, /writes more than 200 lines/],
    [
      action(
        "process.send({ type: 'call' }); process.send({ type: 'end', outcome: 'x\\x1b' }); process.send(7); process.send(null)",
      ),
      0,
      /./,
    ],
    [
      action("throw new RetryLater('5s')").replace(/^/, "import { RetryLater } from 'bailiff/plugin'\n"),
      69,
      /takes a number of milliseconds.*\n +at .*edge\.mjs:2:/,
    ],
    [
      action('', ", banMany: () => [{ address: '192.0.2.7' }]"),
      69,
      /banMany\(\) answers refusals that are none: prefix is no text\n +a refusal is \{ prefix, reason \}/,
    ],
    [
      "export default { async start(emit) {\n  await emit('text\\n')\n} }",
      69,
      /emit takes bytes: a Uint8Array or a Buffer\n +at .*edge\.mjs:2:/,
    ],
    ['export default {', 78, /does not load: .*\n +at .*edge\.mjs:1/],
    ["import 'not-there'\nexport default {}", 78, /npm install not-there/],
    ['export default { bann() {}, unban() {} }', 78, /no plugin: its default export has bann, unban/],
    ['export const ban = 1', 78, /it has no default export/],
    [action('', ", options: { type: 'object', required: ['url'], properties: { url: {} } }"), 78, /url: is missing/],
  ]
  for (const [text, code, says] of cases) {
    const ended = await bailiff(['plugin', 'dev', write(text), '--once'])
    assert.match(ended.stdout, says, text)
    assert.is(ended.code, code, `${text}\n${ended.stdout}${ended.stderr}`)
    for (const line of ended.stdout.split('\n')) assert.is(printable(line), line)
  }
})

test('a notifier gets every event, a source is run, a matcher gets lines', async () => {
  const notifier = await events('dev', write('export default { notify(event) {} }'), '--once')
  assert.equal(
    notifier.events.filter(({ type }) => type === 'call').map(({ about }) => (about as string[])[0]),
    ['start', 'ban', 'ban', 'would-ban', 'unban', 'alarm', 'stop'],
  )
  const source = await events(
    'dev',
    write("export default { async start(emit, host) { await emit(Buffer.from('one\\ntwo\\x1b\\n')); host.ended() } }"),
    '--once',
  )
  assert.equal(
    source.events.filter(({ type }) => type === 'line').map(({ line }) => line),
    ['one', 'two\\x1b'],
  )
  const matcher = write(`export default { compile: (filters) => ({ took: filters.map((_, i) => i), scan(block, found) {
    block.lines(null, (start, end) => { const head = block.head(start, end); const hit = /from (\\S+)/.exec(head.line)
      if (hit) found({ filter: 0, rule: 0, start, end, address: hit[1], head, groups: {} }) }) } }) }`)
  const lines = join(scratch, 'lines')
  writeFileSync(lines, 'x from 192.0.2.7\nnothing\n')
  const found = await events('dev', matcher, '--once', '--lines', lines, '--failregex', 'from <HOST>')
  assert.equal(
    found.events
      .filter(({ type }) => type === 'found')
      .map(({ line, found: one }) => [line, (one as { address?: string } | null)?.address]),
    [
      ['x from 192.0.2.7', '192.0.2.7'],
      ['nothing', undefined],
    ],
  )
  assert.equal([notifier.code, source.code, found.code], [0, 0, 0])
})

test('a suite says what does not hold, and what to do', async () => {
  const good = await bailiff(['plugin', 'test', write('export default { ban() {}, unban() {} }')])
  assert.match(good.stdout, /it keeps its contract: 9 of 9 checks hold/)
  const bad = await bailiff(['plugin', 'test', write(action('ban.jail = 7'))])
  assert.is(bad.code, 78)
  assert.match(
    bad.stdout,
    /FAILED {2}a ban is carried out[^\n]*\n[^\n]*read only[^\n]*\n +at [^\n]*edge\.mjs:1:[^]*to do:/,
  )
  const text = await bailiff([
    'plugin',
    'test',
    write("export default { async start(emit) {\n  await emit('text')\n} }"),
  ])
  assert.match(text.stdout, /it starts[^]*emit takes bytes: a Uint8Array or a Buffer\n +at .*edge\.mjs:2:/)
  const stray = await bailiff(['plugin', 'test', write(action("setTimeout(() => { throw new Error('late') })"))])
  assert.match(stray.stdout, /it does not keep its contract: 9 of 9 checks hold, and an error beside them, told above/)
  const { events: all } = await events('test', write(action('')))
  assert.ok(all.filter(({ type }) => type === 'check').every(({ ok }) => ok === true))
})

test('an action that asks now and then to be called again keeps its contract, one that always does is told so', async () => {
  const at = (fails: string) => `import { RetryLater } from 'bailiff/plugin'
let calls = 0
const call = () => { if (${fails}) throw new RetryLater(5000) }
export default { ban: call, unban: call }`
  const sometimes = await bailiff(['plugin', 'test', write(at('++calls % 9 === 0'))])
  assert.match(sometimes.stdout, /it keeps its contract: 9 of 9/)
  const always = await bailiff(['plugin', 'test', write(at('true'))])
  assert.match(always.stdout, /it was called 10 times, and threw RetryLater each time/)
})

test('a matcher in WebAssembly that does not start is not tested, and it is said why', async () => {
  const folder = join(scratch, String(files++))
  mkdirSync(folder)
  const file = join(folder, 'odd.wasm')
  // The empty module.
  writeFileSync(file, Buffer.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0))
  const { code, stdout } = await bailiff(['plugin', 'test', file])
  assert.is(code, 78)
  assert.match(stdout, /cannot be used as a matcher: it does not import env\.memory/)
  assert.match(stdout, /it cannot be tested, for it does not start: nothing else was tried\n$/)
  assert.not.match(stdout, /hold|x0a/)
})

test('at every save it is tried again, as it is then', async () => {
  const file = write("import { name } from './name.mjs'\nexport default { ban() { console.log(name) }, unban() {} }")
  const name = join(file, '../name.mjs')
  writeFileSync(name, "export const name = 'the first'")
  const dev = new AgentProcess(['plugin', 'dev', file])
  await dev.shows('waiting for the next save')
  assert.match(dev.output, 'the first')
  // What it writes itself, and what is no module, is no save.
  writeFileSync(join(file, '../notes.txt'), 'x')
  writeFileSync(name, "export const name = 'the second'")
  await dev.shows('trial 2')
  await dev.shows('waiting for the next save', dev.output.indexOf('trial 2'))
  assert.match(dev.output, 'the second')
  writeFileSync(file, 'export default { ban() { for (;;); }, unban() {} }')
  await dev.shows('trial 3')
  writeFileSync(file, 'export default { ban() {}, unban() {} }')
  await dev.shows('trial 4')
  await dev.shows('all well', dev.output.indexOf('trial 4'))
  assert.is(await dev.end('SIGINT'), 0)
})

test('of a schema that cannot be read it says what is wrong with it', async () => {
  const schema = `{ type: 'object', properties: { a: { type: 'numbr' } } }`
  const { code, stdout } = await bailiff(['plugin', 'dev', write(action('', `, options: ${schema}`)), '--once'])
  assert.is(code, 78)
  assert.match(stdout, /Unsupported type: numbr[^]*a type of a JSON Schema is string/)
  assert.not.match(stdout, 'key=value')
})

test('with --build, a save of a source is built and tried; what cannot be built is told', async () => {
  const source = write('', 'edge.ts')
  const folder = join(source, '..')
  const save = (said: string) => writeFileSync(source, action(`console.log('${said}')`))
  save('the first')
  // As a compiler does, it writes its declarations beside the sources.
  writeFileSync(
    join(folder, 'build.mjs'),
    `import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
const text = readFileSync('edge.ts', 'utf8')
if (text.includes('wrong')) process.exit(2)
mkdirSync('dist', { recursive: true })
writeFileSync('edge.d.ts', String(performance.now()))
writeFileSync('dist/edge.mjs', text)`,
  )
  const dev = new AgentProcess(['plugin', 'dev', 'dist/edge.mjs', '--build', 'node build.mjs'], {}, folder)
  await dev.shows('waiting for the next save')
  assert.match(dev.output, 'the first')
  save('wrong')
  await dev.shows('not built by "node build.mjs": it ended with 2')
  save('the second')
  await dev.shows('trial 3')
  await dev.shows('waiting for the next save', dev.output.indexOf('trial 3'))
  assert.match(dev.output, 'the second')
  assert.not.match(dev.output, 'trial 4')
  assert.is(await dev.end('SIGINT'), 0)
})

test('a command line that asks for what there is not is told', async () => {
  const file = write(action(''))
  const cases: [words: string[], code: number, says: RegExp][] = [
    [['dev', '/nonexistent.mjs'], 66, /there is no file/],
    [['dev', file, '--kind', 'acton'], 64, /did you mean action/],
    [['dev', file, 'url'], 64, /written key=value/],
    [['dev', file, '__proto__.x=1'], 64, /names no option/],
    [['dev', file, 'a=1', 'a.b=1'], 64, /a is no object/],
    [['dev', file, '--options', '{'], 64, /no JSON/],
    [['dev', file, '--options', '[]'], 64, /must be a JSON object/],
    [['dev', file, '--seconds', 'x'], 64, /--seconds/],
    [['dev', write('', 'edge.py')], 78, /module of JavaScript/],
    [['build', file], 64, /ends in \.ts/],
  ]
  for (const [words, code, says] of cases) {
    const ended = await bailiff(['plugin', ...words])
    assert.match(ended.stderr, says, words.join(' '))
    assert.is(ended.code, code, words.join(' '))
  }
})

test('a plugin that never ends ends with who tried it, however that ends', async () => {
  const file = write('x')
  const said = `${file}.pid`
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs'
writeFileSync(${JSON.stringify(said)}, String(process.pid))
for (;;);`,
  )
  const trying = new AgentProcess(['plugin', 'dev', file, '--once'])
  const deadline = Date.now() + 20_000
  while (!existsSync(said) && Date.now() < deadline) await sleep(50)
  trying.child.kill('SIGKILL')
  const pid = Number(readFileSync(said, 'utf8'))
  while (isRunning(pid) && Date.now() < deadline) await sleep(50)
  assert.not(isRunning(pid))

  function isRunning(one: number): boolean {
    return existsSync(`/proc/${one}/stat`) && !/ Z /.test(readFileSync(`/proc/${one}/stat`, 'utf8'))
  }
})

test('options are words and JSON, words on top', async () => {
  const file = write(action(''))
  const words = ['a=1', 'b=text', 'c=true', 'd.e={"f":[1]}', 'g==', 'h.i=x=y']
  const { events: all } = await events('dev', file, ...words, '--options', '{"a": 2, "z": 0, "h": {"j": 1}}', '--once')
  assert.equal(all[0]?.options, { a: 1, z: 0, h: { j: 1, i: 'x=y' }, b: 'text', c: true, d: { e: { f: [1] } }, g: '=' })
})

test('TypeScript runs where this Node runs it, else it is said how', async () => {
  const file = write('const n: number = 1\nexport default { ban(): number { return n }, unban() {} }', 'edge.ts')
  const ended = await bailiff(['plugin', 'dev', file, '--once'])
  if (runsTypeScript()) return assert.match(ended.stdout, 'all well')
  assert.match(ended.stderr, /does not run TypeScript[^]*bailiff plugin build/)
  // No package takes the types out here, unless Node does.
  const built = await bailiff(['plugin', 'build', file])
  if (built.code !== 0) assert.match(built.stderr, /npm install --save-dev amaro/)
  return undefined
})

test.after.each(endAgents)
test.run()
