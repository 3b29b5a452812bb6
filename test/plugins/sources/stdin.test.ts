import { spawn } from 'node:child_process'
import { readdirSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as assert from 'uvu/assert'
import stdin from '../../../plugins/sources/stdin.ts'
import { optionIssues } from '../../../core/testing/option-checks.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from '../../core/cli/agent-process.ts'
import { suite } from '../../suite.ts'

const test = suite('stdin source')

/** A configuration whose action keeps a file for each ban, and takes its time. */
function bed(more = '') {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'held'))
  writeFileSync(
    join(folder, 'keep.mjs'),
    `import { writeFileSync } from 'node:fs'
export default {
  async ban(ban) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    writeFileSync(${JSON.stringify(join(folder, 'held'))} + '/' + ban.prefix, '')
  },
  unban() {},
}
`,
  )
  const jails = `  sshd: { source: stdin, actions: [./keep.mjs] }\n${more}`
  const config = writeConfig(folder, `ignoreself: false\ndefaults: { findtime: 1h, maxretry: 3 }\njails:\n${jails}`)
  return { folder, config, held: () => readdirSync(join(folder, 'held')).toSorted() }
}

const line = (address: string, ageMs = 0) =>
  `${new Date(Date.now() - ageMs).toISOString()} host sshd[77]: Failed password for root from ${address} port 4711 ssh2\n`

test('all that comes is judged and carried out, and with its end the agent ends', async () => {
  const { config, held } = bed()
  const addresses = Array.from({ length: 40 }, (_, i) => `10.0.0.${i}`)
  const text = addresses.map((each) => line(each, 60_000).repeat(3)).join('') + line('10.0.1.1').repeat(2)
  const { code, stdout } = await bailiff(['run', '--config', config], text)
  assert.is(code, 0, stdout)
  assert.match(stdout, 'all that there is to read has been read')
  assert.equal(held(), addresses.toSorted())
})

test('lines count at their own dates: those of a stored log are over', async () => {
  const { config, held } = bed()
  const old = line('10.0.0.1', 90 * 60_000).repeat(3)
  const spread = [3, 2, 1].map((hours) => line('10.0.0.2', hours * 3600_000)).join('')
  const { code } = await bailiff(['run', '--config', config], old + spread + line('10.0.0.3', 30 * 60_000).repeat(3))
  assert.is(code, 0)
  assert.equal(held(), ['10.0.0.3'])
})

test('an end without a newline is told, and half a line bans nobody', async () => {
  const { config, held } = bed()
  const { code, stdout } = await bailiff(['run', '--config', config], line('10.0.0.1').repeat(3).slice(0, -1))
  assert.is(code, 0)
  assert.match(stdout, 'the last line of the standard input has no end')
  assert.equal(held(), [])
})

test('from a pipe, as people write it', async () => {
  const { folder, config, held } = bed()
  const packed = join(folder, 'auth.log.1.gz')
  writeFileSync(packed, gzipSync(line('10.0.0.1', 1000).repeat(3)))
  const run = `zcat "${packed}" | "$NODE" "$MAIN" run --config "${config}"`
  const main = new URL('../../../core/cli/main.js', import.meta.url).pathname
  const child = spawn('/bin/sh', ['-c', run], {
    env: { ...process.env, NODE: process.execPath, MAIN: main },
    stdio: 'ignore',
  })
  assert.is(await new Promise((resolve) => child.on('close', resolve)), 0)
  assert.equal(held(), ['10.0.0.1'])
})

test('beside another source the agent goes on', async () => {
  const { config } = bed(`  other: { source: /dev/null, actions: [./keep.mjs], filter: { failregex: '^x <ADDR>$' } }\n`)
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: sshd, other')
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.is(agent.child.exitCode, null)
  assert.is(await agent.end(), 0)
})

test('it has no options', async () => {
  assert.equal(await optionIssues(stdin.options, {}), [])
  assert.is((await optionIssues(stdin.options, { path: '/x' })).length, 1)
})

test.after.each(endAgents)
test.run()
