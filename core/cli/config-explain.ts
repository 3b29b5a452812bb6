import { dirname, join } from 'node:path'
import { printable, type Where } from '../errors.ts'
import { pluginSchemas } from '../plugin-schemas.ts'
import { Registry } from '../registry.ts'
import { allowedInWords, nameOf } from '../settings/allowed-values.ts'
import { FilterLibrary } from '../settings/filter-library.ts'
import { findConfig } from '../settings/find-config.ts'
import { InstalledPackages } from '../settings/installed-packages.ts'
import { configurationSchema, propertiesOf } from '../settings/json-schema.ts'
import { pluginFolderOf, readTree } from '../settings/load-settings.ts'
import type { JsonSchema } from '../settings/option-kinds.ts'
import { optionName, Origins, type OriginatedValue, type Setting } from '../settings/origins.ts'
import { withPackedJails } from '../settings/packed-jails.ts'
import { builtInFilters, defaultPlaces } from '../settings/places.ts'
import { isRecord, type Path } from '../settings/sourced.ts'
import type { ExplainOptions } from './config.ts'
import { print, styled } from './output.ts'
import { table } from './table.ts'

/** What an option is, whatever its value. */
interface Meaning {
  readonly meaning: string
  readonly allowed: string
  readonly usually: unknown
}

/**
 * Prints the value of an option that counts, or all options of a part of the configuration, with the places they
 * come from. Throws a BailiffError where there is no such option and where the configuration cannot be read.
 */
export async function explainConfiguration(key: string | undefined, { config, json }: ExplainOptions): Promise<void> {
  const main = await findConfig(config, defaultPlaces().configFolders)
  const written = await readTree(main.file, main.text)
  const packages = new InstalledPackages(pluginFolderOf(written.tree))
  const filters = new FilterLibrary([join(dirname(main.file), 'filters'), builtInFilters], packages)
  const tree = await withPackedJails(written, packages, filters)
  const origins = new Origins(tree, filters)
  const settings = await origins.settings(key)
  const schema = configurationSchema(await pluginSchemas(new Registry(), packages))
  if (json) {
    const plain = settings.map((setting) => ({ ...asRecord(setting), ...meaningOf(setting.path, schema) }))
    print(JSON.stringify({ file: main.file, files: tree.files, settings: plain }, null, 2))
  } else if (settings.length === 1) print(settings.map((setting) => inFull(setting, schema)).join('\n'))
  else print(table(['OPTION', 'VALUE', 'FROM'], settings.map(rowOf)))
}

function asRecord(setting: Setting) {
  const plain = ({ value, says, from, where }: OriginatedValue) => ({ value: value ?? null, says, from, ...where })
  return {
    ...plain(setting),
    option: optionName(setting),
    overridden: setting.overridden.map(plain),
    beside: setting.beside.map(plain),
  }
}

function inFull(setting: Setting, schema: JsonSchema): string {
  const { meaning, allowed, usually } = meaningOf(setting.path, schema)
  const rows: [string, string][] = [
    ['from', originOf(setting)],
    ...setting.overridden.map((one): [string, string] => ['overrides', `${valueOf(one)}  ${originOf(one)}`]),
    ...setting.beside.map((one): [string, string] => ['with', `${valueOf(one)}  ${originOf(one)}`]),
    ['means', meaning],
    ['allowed', allowed],
    ...(usually === undefined
      ? []
      : [['default', typeof usually === 'string' ? usually : inline(usually)] as [string, string]]),
  ]
  const why = setting.value !== undefined && setting.says !== undefined ? [['because', setting.says] as const] : []
  return [
    `${styled('bold', printable(optionName(setting)))}: ${valueOf(setting)}`,
    ...[...rows.slice(0, 1), ...why, ...rows.slice(1)]
      .filter(([, text]) => text !== '')
      .map(([name, text]) => `  ${name.padEnd(9)}  ${printable(text)}`),
  ].join('\n')
}

function rowOf(setting: Setting): string[] {
  const more = setting.beside.length === 0 ? '' : ` (with ${setting.beside.map(valueOf).join(' ')})`
  return [optionName(setting), valueOf(setting) + more, originOf(setting)]
}

function valueOf({ value, says }: OriginatedValue): string {
  return printable(value === undefined ? `(${says ?? 'not set'})` : inline(value))
}

/** `/etc/bailiff/bailiff.yaml:6 (defaults.maxretry)`. */
function originOf({ from, where }: OriginatedValue): string {
  if (where === null) return from
  const option = where.option === undefined ? '' : ` (${where.option})`
  return `${from === 'filter' ? 'filter ' : ''}${placeOf(where)}${option}`
}

function placeOf({ file, line }: Where): string {
  return line === undefined ? file : `${file}:${line}`
}

/** As YAML takes it on one line. */
function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`
  if (isRecord(value)) {
    const pairs = Object.entries(value).map(([key, part]) => `${inline(key)}: ${inline(part)}`)
    return pairs.length === 0 ? '{}' : `{ ${pairs.join(', ')} }`
  }
  const isPlain = typeof value === 'string' && /^[A-Za-z/][\w./*-]*$|^\d+[smhdwy]$/.test(value)
  return isPlain ? value : JSON.stringify(value)
}

function meaningOf(path: Path, schema: JsonSchema): Meaning {
  const definitions = isRecord(schema.$defs) ? (schema.$defs as Record<string, JsonSchema>) : {}
  const found = schemaAt(path, schema, definitions)
  const { description, default: usual } = found
  return {
    meaning: typeof description === 'string' ? description : '',
    allowed: allowedInWords(found, definitions),
    usually: usual ?? found['x-default'],
  }
}

/** The schema of the option at a path; an empty one where nothing is known of it. */
function schemaAt(path: Path, schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): JsonSchema {
  if (path[0] === 'jails' && path.length > 2) return walk(path.slice(2), definitions.jailOptions ?? {}, definitions)
  if (path[0] === 'defaults' && path.length === 2)
    // What the default of the default is, jails know.
    return { ...walk(path.slice(1), definitions.jailOptions ?? {}, definitions), ...walk(path, schema, definitions) }
  return walk(path, schema, definitions)
}

function walk(path: Path, schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const [key, ...rest] = path
  if (key === undefined) return schema
  const forms = formsOf(schema, definitions)
  const next =
    typeof key === 'number'
      ? forms.map(({ items }) => items).find(isRecord)
      : forms.map((form) => propertiesOf(form)[key]).find((found) => found !== undefined)
  return next === undefined ? {} : walk(rest, next, definitions)
}

function formsOf(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): JsonSchema[] {
  const { anyOf, $ref: reference } = schema
  if (typeof reference === 'string') return formsOf(definitions[nameOf(reference)] ?? {}, definitions)
  return Array.isArray(anyOf) ? (anyOf as JsonSchema[]).flatMap((one) => formsOf(one, definitions)) : [schema]
}
