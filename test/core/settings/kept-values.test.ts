import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { compileSettings } from '../../../core/compiled-settings.ts'
import { BailiffError } from '../../../core/errors.ts'
import { KeptFiles } from '../../../core/kept-files.ts'
import { filterLanguage } from '../../../core/matching/filter-language.ts'
import type { KeptTables } from '../../../core/plugin.ts'
import { languageFor } from '../../../core/prepared-filters.ts'
import { FilterLibrary } from '../../../core/settings/filter-library.ts'
import { inMode } from '../../../core/settings/filter-modes.ts'
import { KeptValues } from '../../../core/settings/kept-values.ts'
import { suite } from '../../suite.ts'
import { largePackages, modulesOf } from '../cli/loaded-modules.ts'

const test = suite('kept values')
const all = mkdtempSync(join(tmpdir(), 'bailiff-kept-values-'))
process.on('exit', () => rmSync(all, { recursive: true, force: true }))
let times = 0

const text = (word: string) => `description: tried
# ${process.pid} ${all}
failregex:
  - '^${word} of <F-USER>\\S+</F-USER> from <ADDR>$'
modes:
  normal: {}
  more: { failregex: ['^also <ADDR>$'] }
`

/** A file with a filter, what keeps, and how often something kept was read. */
function bed() {
  const folder = mkdtempSync(join(all, `${times++}-`))
  const file = join(folder, 'own.yaml')
  const files = new KeptFiles(join(folder, 'cache'))
  const reads = { found: 0, none: 0 }
  const kept: KeptTables = {
    read(key) {
      const bytes = files.read(key)
      reads[bytes === null ? 'none' : 'found']++
      return bytes
    },
    write: (key, content) => files.write(key, content),
  }
  const read = async (keeping = true) => {
    const problems: BailiffError[] = []
    const library = new FilterLibrary([folder], null, keeping ? new KeptValues(kept) : null)
    return { definition: await library.byFile(file, problems), problems }
  }
  return { file, kept, reads, read }
}

test('a filter that was kept is the one that is read, with its places', async () => {
  const { file, reads, read } = bed()
  writeFileSync(file, text('failed'))
  const plain = await read(false)
  assert.ok(plain.definition)
  assert.equal(await read(), plain)
  assert.equal(reads, { found: 0, none: 1 })
  assert.equal(await read(), plain)
  assert.equal(reads, { found: 1, none: 1 })
})

test('a filter that was changed is read again, and one that is broken is told each time', async () => {
  const { file, reads, read } = bed()
  writeFileSync(file, text('failed'))
  await read()
  writeFileSync(file, text('refused'))
  assert.is((await read()).definition?.failregex[0]?.text, '^refused of <F-USER>\\S+</F-USER> from <ADDR>$')
  writeFileSync(file, `${text('failed')}maxtry: 3\n`)
  for (let i = 0; i < 2; i++) {
    const [problem] = (await read()).problems
    assert.match(problem?.message ?? '', 'maxtry')
  }
  assert.is(reads.found, 0)
})

test('what was compiled of it is kept by its patterns, for each of its modes', async () => {
  const { file, kept, reads, read } = bed()
  writeFileSync(file, text('failed'))
  const { definition } = await read(false)
  assert.ok(definition)
  for (const mode of ['normal', 'more', 'normal', 'more']) {
    const filter = inMode(definition, mode, definition.where)
    const language = await languageFor([{ filter }], new KeptValues(kept))
    assert.equal(compileSettings(filter, language), compileSettings(filter, filterLanguage))
  }
  assert.equal(reads, { found: 2, none: 2 })
})

test('what does not compile is told each time, at its place', async () => {
  const { file, kept, read } = bed()
  writeFileSync(file, text('(failed'))
  const { definition } = await read(false)
  assert.ok(definition)
  const filter = inMode(definition, 'normal', definition.where)
  for (let i = 0; i < 2; i++) {
    const language = await languageFor([{ filter }], new KeptValues(kept))
    try {
      compileSettings(filter, language)
      assert.unreachable()
    } catch (error) {
      assert.instance(error, BailiffError)
      assert.is((error as BailiffError).where?.line, 4)
    }
  }
})

test('who tries a filter of their own again loads neither a reader of YAML nor the language of patterns', () => {
  const { file } = bed()
  writeFileSync(file, text('failed'))
  const log = join(file, '../own.log')
  writeFileSync(log, 'Nov 22 13:41:02 failed of root from 192.0.2.7\n')
  const slow = [...largePackages, 'core/matching/pattern-parser.js']
  const loaded = () => modulesOf(['test', file, log]).filter((one) => slow.some((part) => one.startsWith(part)))
  assert.ok(loaded().length > 0)
  assert.equal(loaded(), [])
})

test.run()
