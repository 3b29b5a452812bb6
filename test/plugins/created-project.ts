/** Projects as `npm create bailiff-plugin` writes them, with what they need beside them as `npm install` would put it there. */
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { bailiff, temporaryFolder, writeConfig, type Ended } from '../core/cli/agent-process.ts'
import { offline, ok, pluginPlace } from '../core/cli/plugin-bed.ts'

/** The folder of the checkout. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder of the package `create-bailiff-plugin`. */
export const creator = join(root, 'plugins/create-bailiff-plugin')

/** Runs a program to its end, for at most four minutes. */
export function run(words: readonly [string, ...string[]], cwd: string, env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  const [program, ...others] = words
  return new Promise((resolve) => {
    const child = spawn(program, others, { cwd, stdio: 'pipe', timeout: 240_000, env: { ...process.env, ...env } })
    let [stdout, stderr] = ['', '']
    child.stdout.on('data', (data) => (stdout += data))
    child.stderr.on('data', (data) => (stderr += data))
    child.on('error', (error) => resolve({ code: null, stdout, stderr: stderr + error.message }))
    child.on('close', (code) => resolve({ code, stdout, stderr }))
    child.stdin.end()
  })
}

/** Runs the creator; Bailiff is named by its version, so that it is not packed each time. */
export const create = (cwd: string, ...words: string[]): Promise<Ended> =>
  run([process.execPath, join(creator, 'main.js'), '--bailiff', '^0.1.0', ...words], cwd)

/** Puts all packages of the checkout, and Bailiff itself, where a project looks for them. */
export function install(project: string): void {
  const modules = join(project, 'node_modules')
  mkdirSync(modules)
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && name !== 'bailiff') symlinkSync(join(root, 'node_modules', name), join(modules, name))
  symlinkSync(root, join(modules, 'bailiff'))
  mkdirSync(join(modules, '.bin'))
  for (const name of readdirSync(join(root, 'node_modules/.bin')))
    if (name !== 'bailiff') symlinkSync(join(root, 'node_modules/.bin', name), join(modules, '.bin', name))
  symlinkSync(join(root, 'dist/core/cli/main.js'), join(modules, '.bin/bailiff'))
}

/** A configuration that uses the plugin or filter `my-box` of each kind; `FOLDER` is a folder for its log. */
const uses: Readonly<Record<string, string>> = {
  action: 'jails: { a: { filter: sshd, source: FOLDER/log, actions: [{ my-box: OPTIONS }] } }',
  notifier: 'jails: { a: { filter: sshd, source: FOLDER/log, actions: [memory], notifiers: [{ my-box: OPTIONS }] } }',
  source: 'jails: { a: { filter: sshd, source: { my-box: OPTIONS }, actions: [memory] } }',
  matcher: 'jails: { a: { filter: { matcher: my-box }, source: FOLDER/log, actions: [memory] } }',
  content: 'jails: { my-box: { source: FOLDER/log, actions: [memory] } }',
}

/** What a project that was just written does: its tests pass, and it is packed, installed and accepted by a configuration. */
export async function isWhole(kind: string, language: string): Promise<void> {
  const folder = temporaryFolder()
  const project = join(folder, 'my-box')
  ok(await create(folder, 'my-box', '--kind', kind, '--language', language))
  install(project)
  ok(await run(['npm', 'test'], project, offline))
  ok(await run(['npm', 'pack'], project, offline))
  const { plugin, config, folder: place } = pluginPlace()
  const added = ok(await plugin('add', join(project, 'bailiff-plugin-my-box-0.1.0.tgz'), '--yes'))
  assert.match(added, 'bailiff-plugin-my-box 0.1.0')
  const use = uses[kind] ?? 'jails: {}'
  writeConfig(place, use.replace('FOLDER', place).replace('OPTIONS', '{ url: "http://127.0.0.1:1" }'))
  ok(await bailiff(['check', '--config', config]))
}
