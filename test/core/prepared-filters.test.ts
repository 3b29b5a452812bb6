import { copyFileSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { compileSettings, sourceOf } from '../../core/compiled-settings.ts'
import { filterLanguage } from '../../core/matching/filter-language.ts'
import { languageFor, prepareFilter } from '../../core/prepared-filters.ts'
import { readFilterFile, type FilterDefinition } from '../../core/settings/filter-file.ts'
import { FilterLibrary } from '../../core/settings/filter-library.ts'
import { inMode } from '../../core/settings/filter-modes.ts'
import { builtInFilters } from '../../core/settings/places.ts'
import { preparedFilter, preparedMode } from '../../core/settings/prepared-files.ts'
import { suite } from '../suite.ts'
import { largePackages, modulesOf } from './cli/loaded-modules.ts'

const test = suite('prepared-filters')
const filters = new Map<string, FilterDefinition>()
const folder = mkdtempSync(join(tmpdir(), 'bailiff-prepared-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

test.before(async () => {
  for (const [name, file] of await new FilterLibrary([builtInFilters]).names()) {
    const definition = await readFilterFile(file, name, [])
    assert.ok(definition, name)
    filters.set(file, definition)
    prepareFilter(file, definition, filterLanguage)
  }
})

test('what was prepared is what reading and compiling make, with places and all', async () => {
  assert.ok(filters.size > 20)
  for (const [file, definition] of filters) {
    assert.equal(preparedFilter(file), definition)
    for (const mode of Object.keys(definition.modes)) {
      const settings = inMode(definition, mode, definition.where)
      const compiled = filterLanguage.compileFilter(sourceOf(settings))
      assert.equal(preparedMode(file, mode), compiled)
      const language = await languageFor([{ filter: settings }])
      assert.equal(compileSettings(settings, language), compileSettings(settings, filterLanguage))
    }
  }
})

test('who tests a filter of the package loads neither a reader of YAML nor the language of patterns', () => {
  const log = join(folder, 'auth.log')
  writeFileSync(log, 'Nov 22 13:41:02 host sshd[7]: Failed password for root from 192.0.2.7 port 4711 ssh2\n')
  const loaded = modulesOf(['test', 'sshd', log, '--summary'])
  const never = [
    ...largePackages,
    'core/matching/pattern-parser.js',
    'core/registry.js',
    'core/control/',
    'core/fail2ban/',
  ]
  assert.ok(loaded.includes('core/matching/scan.js'))
  assert.equal(
    loaded.filter((file) => never.some((part) => file.startsWith(part))),
    [],
  )
})

test('a filter that is none of the package is never taken for one', () => {
  const [file = ''] = filters.keys()
  const copy = join(folder, file.replace(/^.*\//, ''))
  copyFileSync(file, copy)
  assert.is(preparedFilter(copy), null)
  assert.is(preparedFilter(join(builtInFilters, 'none.yaml')), null)
  assert.is(preparedFilter(join(builtInFilters, '../filters/../../x.yaml')), null)
  assert.is(preparedMode(file, 'none'), null)
})

test('a jail that says how its dates look, and a filter that was changed, are compiled', async () => {
  const [definition] = [...filters.values()].filter(({ name }) => name === 'sshd')
  assert.ok(definition)
  const settings = inMode(definition, 'normal', definition.where)
  const dates = { datepattern: [{ text: '%Y.%m.%d', where: definition.where }], timezone: null }
  const language = await languageFor([{ filter: settings, dates }])
  assert.is(compileSettings(settings, language, dates).dates?.patterns?.length, 1)
  const zone = { datepattern: null, timezone: '+01:00' }
  assert.equal(compileSettings(settings, await languageFor([{ filter: settings, dates: zone }]), zone).dates, {
    patterns: null,
    timezone: '+01:00',
  })
  const [first] = settings.failregex
  assert.ok(first)
  const changed = {
    ...settings,
    where: { file: join(folder, 'sshd.yaml') },
    failregex: [{ ...first, text: 'x <HOST>' }],
  }
  const compiled = compileSettings(changed, await languageFor([{ filter: changed }]))
  assert.equal(
    compiled.failregex.map(({ text }) => text),
    ['x <HOST>'],
  )
})

test('what is older than the code that makes it does not count', () => {
  const [file = ''] = filters.keys()
  const name = file.replace(/^.*\/|\.yaml$/g, '')
  const place = join(builtInFilters, `../../dist/config/filters/${name}.v8`)
  utimesSync(place, 1, 1)
  try {
    assert.is(preparedFilter(file), null)
  } finally {
    const now = Date.now() / 1000
    utimesSync(place, now, now)
  }
  assert.ok(preparedFilter(file))
})

test.run()
