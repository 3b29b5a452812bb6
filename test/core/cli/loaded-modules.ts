import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Large packages, of which most commands need none. */
export const largePackages = ['zod', 'yaml', 'cosmiconfig', 'pino', 'piscina', 'picomatch', '@photostructure/sqlite']

const built = fileURLToPath(new URL('../../../', import.meta.url))
const main = join(built, 'core/cli/main.js')

/** The modules that a command loads: those of this package from its root, those of others with the name of the package first. */
export function modulesOf(words: readonly string[]): string[] {
  const coverage = mkdtempSync(join(tmpdir(), 'bailiff-coverage-'))
  spawnSync(process.execPath, [main, ...words], { env: { ...process.env, NODE_V8_COVERAGE: coverage } })
  const reports = readdirSync(coverage).map((name) => readFileSync(join(coverage, name), 'utf8'))
  rmSync(coverage, { recursive: true })
  const urls = reports.flatMap((text) =>
    (JSON.parse(text) as { result: { url: string }[] }).result.map(({ url }) => url),
  )
  return urls
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url))
    .map((file) => file.replace(built, '').replace(/^.*\/node_modules\//, ''))
}
