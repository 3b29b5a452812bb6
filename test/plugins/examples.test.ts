import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { offline, ok } from '../core/cli/plugin-bed.ts'
import { suite } from '../suite.ts'
import { install, run } from './created-project.ts'
import { examples } from './installed-example.ts'

const test = suite('plugins/examples: their own tests', 'npm', 'redis-server')
const names = readdirSync(examples, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? [entry.name] : [],
)

for (const name of names)
  test(`${name}: it passes`, async () => {
    const folder = join(temporaryFolder(), name)
    const isOwn = (path: string) => !path.includes('node_modules')
    cpSync(join(examples, name), folder, { recursive: true, filter: isOwn })
    install(folder)
    ok(await run(['npm', 'test'], folder, offline))
  })

test.run()
