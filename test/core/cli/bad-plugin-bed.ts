/** Agents with bad plugins of a kind beside the good ones, and what is checked of them. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import type { StatusReport } from '../../../core/control/api.ts'
import type { suite } from '../../suite.ts'
import { bed, failure, line, until } from './agent-bed.ts'
import { endAgents } from './agent-process.ts'

/** What a plugin does when it is called, and what the status says of it. */
interface Bad {
  readonly code: string
  readonly said: RegExp
  /** Before the plugin itself. */
  readonly before?: string
}

const frame = `import { closeSync, writeSync } from 'node:fs'
const say = (message) => {
  const json = Buffer.from(JSON.stringify(message)), head = Buffer.alloc(8)
  head.writeUInt32LE(json.length + 4, 0), head.writeUInt32LE(json.length, 4)
  writeSync(3, Buffer.concat([head, json]))
}`

/** In groups, so that a small machine has not all of them at once. */
const groups: readonly Readonly<Record<string, Bad>>[] = [
  {
    throws: { code: "throw new Error('thrown\\u001b[2J')", said: /(?:ban|notify|start)\(\) failed: thrown\\x1b\[2J/ },
    rejects: { code: "return Promise.reject('no error')", said: /failed: no error/ },
    loops: { code: 'for (;;);', said: /it computed for [\d.]+ s and answered nothing: a loop without end/ },
    exits: { code: 'process.exit(5)', said: /it ended with exit code 5/ },
    leaks: {
      code: 'for (;;) all.push(Buffer.alloc(1 << 25, 1))',
      before: 'const all = []',
      said: /Array buffer allocation failed|Failed to allocate memory|it took \d+ MiB|out of memory/,
    },
    floods: {
      code: "for (let i = 0; i < 50000; i++) console.log('x'.repeat(500))",
      said: /it prints too much: \d+ lines were not shown/,
    },
  },
  {
    timer: { code: "setTimeout(() => { throw new Error('late') }, 1)", said: /an error that nobody caught: late/ },
    stray: { code: "Promise.reject(new Error('alone'))", said: /a promise was rejected and nobody listened: alone/ },
    closes: {
      code: 'for (const fd of [1, 2, 3, 4]) try { closeSync(fd) } catch {}',
      before: frame,
      said: /closed its descriptor|exit code/,
    },
    garbage: { code: "writeSync(3, 'garbage '.repeat(100))", before: frame, said: /it said what no host says/ },
    huge: {
      code: "say({ type: 'answer', call: 1, value: 'x'.repeat(3 << 20) })",
      before: frame,
      said: /a message of \d+ bytes|EAGAIN/,
    },
    kills: {
      code: "process.kill(process.ppid, 'SIGKILL')",
      said: /it may not send a signal to (?:the agent|process \d+)/,
    },
  },
  {
    patches: {
      code: "throw new Error('never')",
      before:
        "JSON.stringify = () => { throw new Error('patched') }; Array.prototype.push = () => 0; Promise.prototype.then = () => {}",
      said: /patched|exit code|without end|closed|did not answer|is not ready|Error/,
    },
    stays: {
      code: "throw new Error('here')",
      before: "process.on('SIGTERM', () => {}); process.on('SIGHUP', () => {})",
      said: /failed: here/,
    },
    spawns: {
      code: "await new Promise((resolve) => spawn('sleep', ['600'], { stdio: 'ignore' }).once('spawn', resolve)); process.exit(6)",
      before: "import { spawn } from 'node:child_process'",
      said: /it ended with exit code 6/,
    },
    pollutes: {
      code: "Object.prototype.polluted = 'yes'; Object.prototype.type = 'answer'; throw new Error('polluting')",
      said: /polluting|says|closed|exit/,
    },
    aborts: { code: 'process.abort()', said: /it was ended by SIGABRT/ },
    busy: {
      code: "setInterval(() => { const end = performance.now() + 50; while (performance.now() < end); }, 51); throw new Error('busy')",
      said: /failed: busy/,
    },
  },
]

const modules = {
  action: ({ code, before = '' }: Bad) => `${before}\nexport default { async ban(ban, host) { ${code} }, unban() {} }`,
  notifier: ({ code, before = '' }: Bad) => `${before}\nexport default { async notify(event, host) { ${code} } }`,
  source: ({ code, before = '' }: Bad) => `${before}\nexport default { async start(emit, host) { ${code} } }`,
} as const

const namedAs = {
  action: (names: string[]) => `    source: ./auth.log\n    actions: [./keep.mjs, ${names.join(', ')}]\n`,
  notifier: (names: string[]) =>
    `    source: ./auth.log\n    actions: [./keep.mjs]\n    notifiers: [${names.join(', ')}]\n`,
  source: (names: string[]) => `    sources: [./auth.log, ${names.join(', ')}]\n    actions: [./keep.mjs]\n`,
} as const

/** Bans go on beside bad plugins of a kind, and the status says which of them did what. */
export function bansGoOn(test: ReturnType<typeof suite>, kind: keyof typeof modules): void {
  test.after.each(endAgents)
  for (const [index, group] of groups.entries())
    test(`bans go on beside bad plugins of the kind ${kind}, group ${index + 1}`, async () => {
      const names = Object.keys(group)
      const { folder, log, held, start, cli } = bed(
        `jails:\n  sshd:\n${namedAs[kind](names.map((name) => `./${name}.mjs`))}`,
      )
      for (const [name, bad] of Object.entries(group)) writeFileSync(join(folder, `${name}.mjs`), modules[kind](bad))
      const agent = start()
      await agent.shows('watching: sshd')
      for (let host = 1; host <= 3; host++) {
        for (let i = 0; i < 3; i++) appendFileSync(log, line(failure(`192.0.2.${host}`)))
        await until(() => held().includes(`192.0.2.${host}`), `the ban of 192.0.2.${host}`)
      }
      const missing = new Set(names)
      for (let tries = 0; tries < 60 && missing.size > 0; tries++) {
        const { pluginHosts, problems } = JSON.parse((await cli('status', '--json')).stdout) as StatusReport
        for (const name of missing) {
          const fault = pluginHosts.find(({ plugin }) => plugin === name)?.lastFault?.what ?? ''
          // One that does not even load is among what is wrong with the configuration.
          const said = [fault, ...problems.filter((problem) => problem.includes(`${name}.mjs`))]
          if (said.some((one) => group[name]?.said.test(one))) missing.delete(name)
        }
        assert.is(pluginHosts.find(({ plugin }) => plugin === 'keep')?.lastFault, null)
        await new Promise((resolve) => setTimeout(resolve, 500))
      }
      const { stdout } = await cli('status')
      assert.equal([...missing], [], stdout)
      assert.not.ok(stdout.includes('\u001b[2J') || stdout.includes('\\x0a'), stdout)
      assert.is(await agent.end(), 0)
      const left = programs().filter((command) => command === ['sleep', '600', ''].join('\0'))
      assert.equal(left, [], 'what a plugin started has ended with it')
    })
}

/** The command lines of all processes. */
function programs(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) ? [readFileSync(`/proc/${name}/cmdline`, 'utf8')] : []
    } catch {
      return []
    }
  })
}
