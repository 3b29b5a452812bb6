/** Follows a guide: its files are written, its commands run, and what it says they print is looked for. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { install, root, run } from '../plugins/created-project.ts'
import { CheckoutRegistry } from './checkout-registry.ts'

/** A code block: its language, the word behind it, and what it holds. */
interface Block {
  readonly language: string
  readonly word: string
  readonly text: string
}

/**
 * Follows the parts of a guide; `8080` in it is a port that is free. Behind the language of a block: the name of a file that
 * is written, `=` and that of one that is there already, `again` for what is repeated until it prints the text below,
 * `background` for what goes on, `install` for an installation that is not made from a registry. Answers how many blocks
 * there were. It begins in `folder`. With `quick`, `npm install` puts links to what lies in the checkout.
 */
export async function followGuide(
  text: string,
  { quick = false, folder = temporaryFolder() }: { readonly quick?: boolean; readonly folder?: string } = {},
): Promise<number> {
  const port = await freePort()
  const registry = await CheckoutRegistry.start(root)
  const running: ChildProcess[] = []
  const env: NodeJS.ProcessEnv = { ...process.env, ...registry.env, PORT: String(port), NO_COLOR: '1' }
  if (quick) env.PATH = `${linkingNpm(folder)}:${env.PATH}`
  const place = join(folder, '.cwd')
  let cwd = folder
  const step = async (command: string) => {
    const { code, stdout, stderr } = await run(['bash', '-e', '-c', `${command}\npwd > '${place}'`], cwd, env)
    if (code === 0) cwd = readFileSync(place, 'utf8').trim()
    return { status: code, output: stdout + stderr }
  }
  try {
    const blocks = blocksOf(text.replaceAll('8080', String(port)))
    for (const [index, { language, word, text: given }] of blocks.entries()) {
      const next = blocks[index + 1]
      const expected = next?.language === 'text' ? next.text.split('\n').map((line) => line.trim()) : []
      if (language === 'text') continue
      if (word.startsWith('=')) assert.is(fileAt(join(cwd, word.slice(1)), port), `${given}\n`)
      else if (language !== 'sh') {
        // Root would become a user who may not read this folder.
        const more = word === 'bailiff.yaml' && process.getuid?.() === 0 ? 'user: root\n' : ''
        writeFileSync(join(cwd, word), `${given}\n${more}`)
      } else if (word === 'install') install(cwd)
      else if (word === 'background') {
        running.push(spawn('bash', ['-c', given], { cwd, env, stdio: 'ignore', detached: true }))
        if (given.includes('server')) await listening(port)
      } else await follow(() => step(given), expected, word === 'again', given)
    }
    return blocks.length
  } finally {
    for (const { pid } of running) if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    registry.stop()
  }
}

/** Runs a step until it prints what the guide says; once, unless it may be repeated. */
async function follow(
  run: () => Promise<{ status: number | null; output: string }>,
  expected: readonly string[],
  again: boolean,
  text: string,
): Promise<void> {
  let { status, output } = await run()
  const right = () => status === 0 && expected.every((line) => output.includes(line))
  for (let i = 0; again && i < 200 && !right(); i++) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    ;({ status, output } = await run())
  }
  const missing = expected.filter((line) => !output.includes(line))
  assert.equal([status, missing], [0, []], `${text}\n${output}`)
}

function blocksOf(guide: string): Block[] {
  return Array.from(
    guide.matchAll(/^```(\w+)(?: (\S+))?\n(.*?)\n```$/gms),
    ([, language = '', word = '', text = '']) => ({
      language,
      word,
      text,
    }),
  )
}

/** A folder with an `npm` that installs by links, and is npm in all else. */
function linkingNpm(folder: string): string {
  const bin = join(folder, '.bin')
  mkdirSync(bin)
  const link = `import('${new URL('../plugins/created-project.js', import.meta.url).href}').then((m) => m.install('.'))`
  const text = `#!/bin/sh\n[ "$*" = install ] && exec node -e "${link}"\nPATH="\${PATH#*:}" exec npm "$@"\n`
  writeFileSync(join(bin, 'npm'), text, { mode: 0o755 })
  return bin
}

/** A file of the project, with the port of this test where it names that of the guide. */
function fileAt(file: string, port: number): string {
  return readFileSync(file, 'utf8').replaceAll('8080', String(port))
}

/** Whoever follows the guide sees that the server runs. */
async function listening(port: number): Promise<void> {
  for (let i = 0; i < 200; i++) {
    const answer = await fetch(`http://127.0.0.1:${port}`).catch(() => null)
    if (answer !== null) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the server of the guide does not answer')
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
