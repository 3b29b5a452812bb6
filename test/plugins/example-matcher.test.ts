/** The example of a matcher, as a stranger would use it: built, packed, installed by the real command, in a real agent. */
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from '../core/cli/agent-process.ts'
import { offline, ok, pluginPlace } from '../core/cli/plugin-bed.ts'
import { suite } from '../suite.ts'
import { install } from './created-project.ts'

const example = fileURLToPath(new URL('../../../plugins/examples/oracle-listener/', import.meta.url))
const test = suite('example: oracle-listener', 'npm')
test.after.each(endAgents)

test('it is built, tested, packed, installed, and bans whom the listener saw', async () => {
  const own = join(temporaryFolder(), 'oracle-listener')
  cpSync(example, own, { recursive: true, filter: (path) => !/node_modules|\.wasm$/.test(path) })
  install(own)
  ok(await bailiff(['plugin', 'build', join(own, 'oracle-listener.ts')]))
  const module = join(own, 'oracle-listener.wasm')
  const sample = join(own, 'sample.log')
  assert.match(ok(await bailiff(['plugin', 'test', module, '--lines', sample])), '7 of 7 checks hold')
  assert.match(ok(await bailiff(['plugin', 'dev', module, '--once', '--lines', sample])), 'found in 4 of 7 lines')

  const { plugin, folder, packages } = pluginPlace()
  const built = readFileSync(module)
  rmSync(module)
  const packed = spawnSync('npm', ['pack', own], { cwd: folder, env: { ...process.env, ...offline }, encoding: 'utf8' })
  assert.is(packed.status, 0, packed.stderr)
  assert.equal(readFileSync(module), built)
  const added = ok(await plugin('add', join(folder, 'bailiff-plugin-oracle-listener-0.1.0.tgz'), '--yes'))
  assert.match(added, 'filters    oracle-listener (9 samples, all right)')
  assert.match(added, 'oracle-listener/oracle-listener')

  const [first, second] = ['a.log', 'b.log'].map((name) => join(folder, name))
  for (const log of [first, second]) writeFileSync(String(log), '')
  const rest = (options: string) =>
    `plugins: ${packages}
${process.getuid?.() === 0 ? 'user: root' : ''}
ignoreself: false
defaults: { actions: [memory], maxretry: 2 }
jails:
  a: { source: ${first}, filter: oracle-listener/oracle-listener }
  b:
    source: ${second}
    filter: { matcher: oracle-listener, options: ${options}, datepattern: '%d-%b-%Y %H:%M:%S' }
  c: { source: ${first}, filter: ${module}, mode: observe }
`
  const config = writeConfig(folder, rest('{ broken_requests: false }'))
  assert.match(ok(await bailiff(['check', '--config', config, '-v'])), 'engine     wasm-matcher')

  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: a, b, c')
  appendFileSync(String(first), line(1, '192.0.2.7', 12505) + line(2, '192.0.2.7', 1189))
  appendFileSync(String(second), line(1, '192.0.2.8', 1189) + line(2, '192.0.2.8', 1189) + line(3, '192.0.2.9', 12514))
  appendFileSync(String(second), line(4, '192.0.2.9', 12505) + line(5, '192.0.2.10', 0) + line(6, '192.0.2.10', 0))
  await agent.shows('[a] ban 192.0.2.7')
  await agent.shows('[b] ban 192.0.2.9')
  assert.not.match(agent.output, '192.0.2.8')
  assert.not.match(agent.output, '192.0.2.10')
  const status = ok(await bailiff(['status', '--config', config]))
  assert.match(status, /oracle-listener\.wasm +running/)

  const why = ok(await bailiff(['explain', line(1, '192.0.2.50', 12505).trim(), '--jail', 'a', '--config', config]))
  assert.match(why, 'oracle-listener.wasm, "unknown database" finds it')
  const replayed = ok(await bailiff(['replay', String(first), '--config', config]))
  assert.match(replayed, '192.0.2.7')

  writeConfig(folder, rest('{ broken: 1 }'))
  // Whoever compiles it says the same as the agent.
  for (const words of [['check'], ['replay', String(second), '--jail', 'b'], ['test', 'b', String(second)]]) {
    const { stdout, stderr } = await bailiff([...words, '--config', config])
    assert.match(stdout + stderr, 'unknown option "broken"; there are broken_requests', words[0])
  }
  const alone = ok(await bailiff(['test', module, String(first)]))
  assert.match(alone, 'Lines: 2 lines, 0 ignored, 2 matched, 0 missed')
  await bailiff(['reload', '--config', config])
  await agent.shows('unknown option "broken"; there are broken_requests')
  assert.is(await agent.end(), 0)

  writeConfig(folder, rest('{ broken_requests: 7 }').replace('matcher: oracle-listener', 'matcher: oracle-listner'))
  const { code, stdout } = await bailiff(['check', '--config', config])
  assert.is(code, 78)
  assert.match(stdout, 'there is no matcher "oracle-listner"; did you mean oracle-listener?')
  for (const [jail, said] of [
    ['filter: { matcher: oracle-listener/foo }', 'there are oracle-listener/oracle-listener'],
    ['filter: oracle-listener/foo', 'is installed, and has the filters oracle-listener/oracle-listener, the matcher'],
    ['filter: oracle-listenr', 'did you mean oracle-listener?'],
  ] as const) {
    writeConfig(folder, `plugins: ${packages}\njails: { a: { source: ${first}, ${jail} } }\n`)
    const ended = await bailiff(['check', '--config', config])
    assert.match(ended.stdout, said)
    assert.not.match(ended.stdout, 'plugin add oracle-listener/foo')
  }
})

test.run()

/** A line as the listener writes it, of this second of now, with a return code. */
function line(second: number, address: string, code: number): string {
  const now = new Date()
  const month = now.toLocaleString('en', { month: 'short' }).toUpperCase()
  const two = (value: number) => String(value).padStart(2, '0')
  const date = `${two(now.getDate())}-${month}-${now.getFullYear()} ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`
  return `${date} * (CONNECT_DATA=(SID=S${second})(CID=(PROGRAM=)(HOST=203.0.113.9)(USER=u))) * (ADDRESS=(PROTOCOL=tcp)(HOST=${address})(PORT=4711)) * establish * S${second} * ${code}\n`
}
