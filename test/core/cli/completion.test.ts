import { spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { suite } from '../../suite.ts'
import { AgentProcess, bailiff, endAgents, temporaryFolder, writeConfig } from './agent-process.ts'

const test = suite('completion by real shells', 'bash', 'zsh', 'fish')
const folder = temporaryFolder()
const main = fileURLToPath(new URL('../../../core/cli/main.js', import.meta.url))
const config = writeConfig(
  folder,
  `ignoreself: false
defaults: { actions: [memory] }
jails:
  sshd: { source: ${folder}/auth.log }
  sshd-watch: { filter: sshd, mode: observe, source: ${folder}/auth.log }
`,
)

test.before(async () => {
  writeFileSync(join(folder, 'auth.log'), '')
  writeFileSync(join(folder, 'bailiff'), `#!/bin/sh\nexec ${process.execPath} ${main} "$@"\n`)
  chmodSync(join(folder, 'bailiff'), 0o755)
  for (const shell of ['bash', 'zsh', 'fish'])
    writeFileSync(join(folder, `_${shell}`), (await bailiff(['completion', shell])).stdout)
  const agent = new AgentProcess(['run', '--config', config])
  await agent.shows('watching: sshd')
  await bailiff(['ban', '203.0.113.7', '2001:db8::7', '--config', config])
  writeFileSync(join(folder, 'list'), '198.51.100.0/24\n')
  await bailiff(['ban', '--file', join(folder, 'list'), '--name', 'drop', '--config', config])
})

const at = `-c ${config}`
const cases: [typed: string, offered: string[]][] = [
  ['bailiff sta', ['status']],
  ['bailiff unban --j', ['--jail', '--json']],
  [`bailiff ban --jail ssh`, []],
  [`bailiff ban ${at} --jail ssh`, ['sshd', 'sshd-watch']],
  [`bailiff status ${at} ssh`, ['sshd', 'sshd-watch']],
  [`bailiff unban ${at} 20`, ['2001:db8::7', '203.0.113.7']],
  [`bailiff unban ${at} 203.0.113.7 2001:db`, ['2001:db8::7']],
  [`bailiff unban ${at} --name `, ['drop']],
  ['bailiff run --log ', ['json', 'text']],
  ['bailiff run --log-level w', ['warn']],
  ['bailiff ban 192.0.2.1 --for 1', ['10m', '1d', '1h', '1w']],
  ['bailiff completion ', ['bash', 'fish', 'zsh']],
  [`bailiff check -c ${folder}/bailiff.y`, [`${folder}/bailiff.yaml`]],
]

test('bash', () => {
  for (const [typed, offered] of cases) {
    // Readline gives the words cut at colons, and replaces only what stands behind the last.
    const words = typed.split(/\s+/)
    const script = `source ${folder}/_bash
COMP_LINE=${quoted(typed)} COMP_POINT=${typed.length} COMP_WORDS=(${words.map(quoted).join(' ')}) COMP_CWORD=${words.length - 1}
_bailiff
printf '%s\\n' "\${COMPREPLY[@]}"`
    const last = words.at(-1) ?? ''
    const before = last.includes(':') ? last.slice(0, last.lastIndexOf(':') + 1) : ''
    assert.equal(
      run('bash', ['--norc', '-c', script])
        .map((word) => before + word)
        .toSorted(),
      offered,
      typed,
    )
  }
})

test('zsh', () => {
  for (const [typed, offered] of cases) {
    const words = typed.split(/\s+/)
    // The builtins of the completion system, outside of it: they say what they are given.
    const script = `compadd() { while [[ $1 == -* && $1 != -- ]]; do shift; done; [[ $1 == -- ]] && shift; print -rl -- "$@"; }
_describe() { [[ $1 == -o ]] && shift; local each; for each in "\${(@P)2}"; do print -r -- "\${each%%:*}"; done; }
_files() { print -rl -- \${words[CURRENT]}*(N); }
compdef() { :; }
source ${folder}/_zsh
words=(${words.map(quoted).join(' ')}) CURRENT=${words.length}
_bailiff`
    const last = words.at(-1) ?? ''
    const found = run('zsh', ['-f', '-c', script]).filter((word) => word.startsWith(last))
    assert.equal(found.toSorted(), offered, typed)
  }
})

test('fish', () => {
  for (const [typed, offered] of cases) {
    const script = `source ${folder}/_fish; complete -C ${quoted(typed)}`
    const found = run('fish', ['--no-config', '-c', script]).map((line) => line.split('\t')[0] ?? '')
    // It offers what has the letters anywhere where nothing begins with them, and arguments beside options.
    const last = typed.split(' ').at(-1) ?? ''
    assert.equal(found.filter((word) => word.startsWith(last)).toSorted(), offered, typed)
  }
})

test('as JSON; and a shell that there is not is refused', async () => {
  const { shell, script } = JSON.parse((await bailiff(['completion', 'bash', '--json'])).stdout) as {
    shell: string
    script: string
  }
  assert.is(shell, 'bash')
  assert.match(script, 'complete -F')
  assert.is((await bailiff(['completion', 'tcsh'])).code, 64)
})

test.after(endAgents)
test.run()

function run(shell: string, words: readonly string[]): string[] {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, HOME: folder, XDG_CONFIG_HOME: folder }
  const { stdout, stderr } = spawnSync(shell, words, { encoding: 'utf8', env, timeout: 20_000 })
  assert.is(stderr, '')
  return stdout.split('\n').filter((line) => line !== '')
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
