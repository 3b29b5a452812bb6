/** An agent whose jails have matchers that do all that a matcher must not: it bans all the while, and says which did what. */
import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { StatusReport } from '../../../core/control/api.ts'
import {
  answeringBadly,
  badLine,
  endless,
  goodModule,
  unstartable,
  type BadModule,
} from '../wasm-matcher/bad-modules.ts'
import { code, madeModule } from '../wasm-matcher/made-module.ts'
import { suite } from '../../suite.ts'
import { bed, failure, line, until } from './agent-bed.ts'
import { endAgents } from './agent-process.ts'

const test = suite('bad matchers')
test.after.each(endAgents)

/** One of each kind: each alone is a matter of `module-host.test.ts`. */
const some = ['address-outside', 'line-twice', 'countless-records', 'time-negative', 'traps', 'grows', 'loops']
const bad: readonly BadModule[] = [
  ...[...answeringBadly, ...endless].filter(({ name }) => some.includes(name)),
  ...unstartable,
]

test('bans go on beside every bad matcher, in the same log and in others, and status says what each did', async () => {
  const { folder, log, held, cli, start } = bedWith([...bad, { name: 'good', made: goodModule, says: '' }])
  const agent = start()
  await agent.shows('watching')
  const told = async () => {
    const { stdout } = await cli('status', '--json')
    return (JSON.parse(stdout) as StatusReport).pluginHosts
  }
  for (let round = 1; round <= 6; round++) {
    for (const name of ['odd.log', 'good.log']) appendFileSync(join(folder, name), `${badLine}\n`)
    for (let i = 0; i < 3; i++) {
      appendFileSync(log, line(failure(`192.0.2.${round}`)))
      appendFileSync(join(folder, 'odd.log'), line(failure(`203.0.113.${round}`)))
    }
    await until(
      () => held().includes(`192.0.2.${round}`) && held().includes(`203.0.113.${round}`),
      `round ${round}: ${held().join(' ')}\n${agent.output}`,
    )
  }
  await until(() => held().includes('192.0.2.77'), 'the good matcher finds its lines all the while')
  const states = await told()
  for (const { name, says } of bad) {
    const state = states.find(({ plugin }) => plugin === `${name}.wasm`)
    assert.ok(state?.lastFault?.what.includes(says), `${name}: ${JSON.stringify(state)}`)
    assert.is(state?.state, 'set aside', name)
  }
  const good = states.find(({ plugin }) => plugin === 'good.wasm')
  assert.equal([good?.state, good?.lastFault], ['running', null])
  const { stdout } = await cli('status')
  assert.match(stdout, /loops\.wasm +set aside/)
  assert.is(await agent.end(), 0)
})

test('a matcher that cannot be one is refused with its place, and the other jails run', async () => {
  const imports = [
    { kind: 'memory', least: 1 },
    { kind: 'function', module: 'env', name: 'abort' },
  ] as const
  const { log, held, cli, start } = bedWith([
    { name: 'imports', made: { imports }, says: '' },
    { name: 'old', made: { abi: 7, start: code.forever }, says: '' },
  ])
  const { code: exitCode, stdout } = await cli('check')
  assert.is(exitCode, 78)
  assert.match(stdout, /bailiff\.yaml:\d+:\d+: jails\.imports\.filter\.matcher: .*it imports env\.abort/)
  assert.match(stdout, /jails\.old\.filter\.matcher: .*made for version 7 of the interface/)
  const agent = start()
  await agent.shows('watching')
  for (let i = 0; i < 3; i++) appendFileSync(log, line(failure('192.0.2.9')))
  await until(() => held().includes('192.0.2.9'), 'the other jail bans')
  assert.is(await agent.end(), 0)
})

test.run()

/** A jail for each module that reads odd.log, one with patterns that does as well, and one that reads another log. */
function bedWith(modules: readonly BadModule[]) {
  const jails = modules.map(
    ({ name }) =>
      `  ${name}: { source: ./${name === 'good' ? 'good' : 'odd'}.log, filter: { matcher: ./matchers/${name}.wasm }, maxretry: 2, actions: [./keep.mjs] }`,
  )
  const made = bed(
    [
      'jails:',
      '  sshd: { source: ./auth.log, actions: [./keep.mjs] }',
      '  beside: { source: ./odd.log, filter: sshd, actions: [./keep.mjs] }',
      ...jails,
    ].join('\n'),
  )
  mkdirSync(join(made.folder, 'matchers'))
  for (const name of ['odd.log', 'good.log']) writeFileSync(join(made.folder, name), '')
  for (const { name, made: parts } of modules)
    writeFileSync(join(made.folder, 'matchers', `${name}.wasm`), madeModule(parts))
  return made
}
