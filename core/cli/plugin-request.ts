import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { BailiffError, quote, suggest, whyUnreadable } from '../errors.ts'
import { readPackage } from '../packages/read-package.ts'
import { whoMayWrite } from '../settings/writable.ts'
import type { TriedKind, TrialRequest } from '../testing/trial/messages.ts'
import { checkRunnable } from '../typescript-plugins.ts'
import { isModuleFile } from './module-file.ts'
import type { TrialOptions } from './plugin-writing.ts'

const kinds: readonly TriedKind[] = ['action', 'notifier', 'source', 'matcher']
/** More lines say no more, and each is a line on a terminal. */
const mostLines = 1000

/** What a command line asks to be tried. Throws a BailiffError for what is no file of a plugin, no kind, no option. */
export async function trialRequest(
  mode: TrialRequest['mode'],
  given: string,
  words: readonly string[],
  options: TrialOptions,
): Promise<TrialRequest> {
  const { file, kind } = triedFile(given, mode)
  if (!isModuleFile(file)) checkRunnable(file)
  if ((await whoMayWrite(file)) === 'anybody')
    throw new BailiffError('config', `anybody may change the plugin ${quote(file)}, so it is not run`, {
      hint: `chmod go-w ${file}`,
    })
  return {
    file,
    kind: readKind(options.kind) ?? kind,
    options: readOptions(words, options.options),
    mode,
    secrets: secretsBeside(file),
    env: process.env,
    sourceMs: readSeconds(options.seconds ?? '5') * 1000,
    lines: options.lines === undefined ? [] : readLines(options.lines),
    failregex: options.failregex ?? [],
    append: options.append === undefined ? null : resolve(options.append),
  }
}

/** The module itself, or of a package in a folder the one that its manifest names. */
function triedFile(given: string, mode: TrialRequest['mode']): Pick<TrialRequest, 'file' | 'kind'> {
  const path = resolve(given)
  const found = statSync(path, { throwIfNoEntry: false })
  if (found?.isFile()) return { file: path, kind: null }
  const hint = `the plugin is named by its path: bailiff plugin ${mode} ./edge.mjs`
  const manifest = join(path, 'package.json')
  if (!found?.isDirectory() || !existsSync(manifest))
    throw new BailiffError('no-input', `there is no file ${quote(given)}`, { hint })
  const { provides } = readPackage(readFileSync(manifest, 'utf8'), manifest).manifest
  const [first, second] = provides
  if (first === undefined || second !== undefined)
    throw new BailiffError(
      'usage',
      `the package in ${quote(given)} has ${provides.length} plugins; one at a time is tried`,
      {
        hint: first === undefined ? hint : provides.map(({ module }) => join(given, module)).join(' or '),
      },
    )
  const file = join(path, first.module)
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return { file, kind: first.kind }
  throw new BailiffError(
    'no-input',
    `the module ${quote(first.module)} of the ${first.kind} ${first.name} is not there`,
    {
      where: { file: manifest },
      hint: '"bailiff plugin build" makes it of its source',
    },
  )
}

/** What the manifest of the package around a module names as secrets of it; nothing where there is none that is right. */
function secretsBeside(file: string): readonly string[] {
  let folder = dirname(file)
  while (folder !== '/' && !existsSync(join(folder, 'package.json'))) folder = dirname(folder)
  const manifest = join(folder, 'package.json')
  try {
    const { provides } = readPackage(readFileSync(manifest, 'utf8'), manifest).manifest
    return provides
      .filter(({ module }) => join(folder, module) === file)
      .flatMap(({ capabilities = {} }) => capabilities.secrets ?? [])
  } catch {
    return []
  }
}

function readKind(given: string | undefined): TriedKind | null {
  const kind = kinds.find((one) => one === given)
  if (given === undefined || kind !== undefined) return kind ?? null
  const meant = suggest(given, kinds)
  throw new BailiffError(
    'usage',
    `there is no kind ${quote(given)}; ${meant ? `did you mean ${meant}?` : `there are ${kinds.join(', ')}`}`,
  )
}

function readSeconds(given: string): number {
  const seconds = Number(given)
  if (given.trim() !== '' && seconds > 0 && seconds <= 86_400) return seconds
  throw new BailiffError('usage', `--seconds is a number above 0, at most 86400, but is ${quote(given)}`)
}

function readLines(given: string): string[] {
  try {
    return readFileSync(given, 'utf8').split('\n').filter(Boolean).slice(0, mostLines)
  } catch (cause) {
    throw new BailiffError('no-input', `the lines ${quote(given)} cannot be read: ${whyUnreadable(cause)}`, { cause })
  }
}

/** The JSON object, and on top of it the words: `a.b=1` is `{"a": {"b": 1}}`. */
function readOptions(words: readonly string[], json: string | undefined): Record<string, unknown> {
  const options = json === undefined ? {} : readObject(json)
  for (const word of words) {
    const at = word.indexOf('=')
    if (at < 1)
      throw new BailiffError('usage', `an option of the plugin is written key=value, but this is ${quote(word)}`)
    put(options, word.slice(0, at).split('.'), readValue(word.slice(at + 1)), word)
  }
  return options
}

function readObject(json: string): Record<string, unknown> {
  const hint = `--options '{"url": "http://127.0.0.1:8080"}'`
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (cause) {
    throw new BailiffError('usage', `--options is no JSON: ${(cause as Error).message}`, { hint, cause })
  }
  if (isPlain(value)) return value
  throw new BailiffError('usage', `--options must be a JSON object, but is ${quote(json)}`, { hint })
}

/** JSON where it is JSON; text else, which needs no quotes. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

function put(options: Record<string, unknown>, path: readonly string[], value: unknown, word: string): void {
  const [key = '', ...rest] = path
  if (key === '' || key === '__proto__') throw new BailiffError('usage', `${quote(word)} names no option`)
  if (rest.length === 0) {
    options[key] = value
    return
  }
  const inner = Object.hasOwn(options, key) ? options[key] : {}
  if (!isPlain(inner)) throw new BailiffError('usage', `${quote(word)}: ${key} is no object, so it has no ${rest[0]}`)
  options[key] = inner
  put(inner, rest, value, word)
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
