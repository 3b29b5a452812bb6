import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
import { readPackage } from '../../core/packages/read-package.ts'
import { suite } from '../suite.ts'
import { temporaryFolder, writeConfig } from './cli/agent-process.ts'
import { packageJson, provided } from './packages/made-packages.ts'

const test = suite('plugins in TypeScript')
const main = fileURLToPath(new URL('../../core/cli/main.js', import.meta.url))
/** This Node, and others that somebody names, a colon between them. */
const nodes = [process.execPath, ...(process.env.BAILIFF_OTHER_NODES ?? '').split(':').filter(Boolean)]

const edge = `import { RetryLater, type ActionBan, type ActionHost } from 'bailiff/plugin'
interface Options { readonly url: string }
export default {
  async ban({ prefix }: ActionBan, host: ActionHost<Options>): Promise<void> {
    if (prefix as string === host.options.url) throw new RetryLater(1)
  },
  async unban(): Promise<void> {},
}
`

/** What a Node says and ends with. */
function run(node: string, words: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(node, words, { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += String(data)))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, output }))
  })
}

for (const node of nodes)
  test(`a file that the configuration names runs as it is, or says what to do (${node})`, async () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'edge.ts'), edge)
    const config = writeConfig(
      folder,
      `jails: { a: { filter: sshd, source: /var/log/x, actions: [{ ./edge.ts: { url: x } }] } }\n`,
    )
    const { output: features } = await run(node, ['-p', 'process.features.typescript'])
    const { code, output } = await run(node, [main, 'check', '--config', config])
    if (features.trim() === 'strip') {
      assert.is(code, 0, output)
      return assert.match(output, /memory|edge/)
    }
    assert.is(code, 78, output)
    assert.match(output, /bailiff\.yaml:\d+.*this Node \(v\d+.*does not run TypeScript, so not ".*edge\.ts"/)
    assert.match(
      output,
      /bailiff plugin build .*edge\.ts {2}makes JavaScript of it; Node 22\.18 and later run it as it is/,
    )
  })

test('a package has JavaScript alone, for Node takes no types out of what is installed', () => {
  const text = packageJson({}, { provides: [provided({ module: 'edge.ts' })] })
  try {
    readPackage(text, 'package.json')
    assert.unreachable()
  } catch (error) {
    assert.match(String(error), /not TypeScript: "bailiff plugin build edge\.ts" writes edge\.mjs/)
  }
})

test.run()
