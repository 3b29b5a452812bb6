import { spawnSync } from 'node:child_process'
import * as nodeModule from 'node:module'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { BailiffError } from '../../errors.ts'
import { checkOptions } from '../../plugin-options.ts'
import { valuesOf, variablesIn } from '../../plugin-host/hosted-module.ts'
import { resolve as resolvePluginImport } from '../../plugin-resolution.ts'
import type { ActionPlugin, MatcherPlugin, NotifierPlugin, OptionsSchema, SourcePlugin } from '../../plugin.ts'
import { ensureFunctions } from '../call-checks.ts'
import { placeInPlugin } from '../failure-text.ts'
import type { TriedKind, TrialRequest } from './messages.ts'

/** A plugin that was loaded, with options that it accepts. */
export type Tried = {
  readonly name: string
  readonly file: string
  readonly options: unknown
} & (
  | { readonly kind: 'action'; readonly plugin: ActionPlugin }
  | { readonly kind: 'notifier'; readonly plugin: NotifierPlugin }
  | { readonly kind: 'source'; readonly plugin: SourcePlugin }
  | { readonly kind: 'matcher'; readonly plugin: MatcherPlugin }
)

/** The functions by which kinds are told apart, and those that a plugin of the kind may have. */
const functions: Readonly<Record<TriedKind, readonly [required: readonly string[], optional: readonly string[]]>> = {
  action: [
    ['ban', 'unban'],
    ['start', 'stop', 'banMany', 'unbanMany', 'sync', 'syncEach'],
  ],
  notifier: [['notify'], ['start', 'stop']],
  matcher: [['compile'], []],
  source: [['start'], ['stop']],
}

const loadDeadlineMs = 10_000

/**
 * Loads the module of a request into this process, tells its kind, and checks its options. Throws a BailiffError for
 * what does not load, is no plugin, or refuses its options.
 */
export async function loadTried(request: TrialRequest): Promise<Tried> {
  const { file } = request
  registerResolution()
  const exported = await importDefault(file)
  const kind = request.kind ?? kindOf(exported, file)
  try {
    ensureFunctions(exported, ...functions[kind])
  } catch (error) {
    throw new BailiffError('config', `no ${kind}: ${(error as Error).message}`, {
      where: { file },
      hint: `export default { ${functions[kind][0].map((name) => `${name}() {…}`).join(', ')} }`,
      cause: error,
    })
  }
  const name = basename(file).replace(/\.[^.]*$/, '')
  const schema = (exported as { readonly options?: OptionsSchema<unknown> }).options
  // The functions of the kind are there: it is one, as far as anybody can see.
  const options = await accepted(schema, request, name)
  const variables = [...request.secrets, ...variablesIn(request.options), ...variablesIn(options)]
  Object.assign(process.env, valuesOf(variables, request.env))
  return { kind, plugin: exported, name, file, options } as Tried
}

async function accepted(schema: OptionsSchema<unknown> | undefined, { file, options }: TrialRequest, name: string) {
  const use = { kind: 'action' as const, plugin: file, options, where: { file }, optionsAt: {} }
  try {
    return await checkOptions(schema, use, name)
  } catch (error) {
    if (!(error instanceof BailiffError)) throw error
    throw new BailiffError('config', error.message, {
      // The schema itself may be wrong.
      hint: error.hint ?? 'give options as key=value behind the file, or by --options',
    })
  }
}

/** `bailiff/plugin` is that of this Bailiff, wherever the file lies. */
function registerResolution(): void {
  const register = (nodeModule as { registerHooks?: (hooks: { resolve: typeof resolvePluginImport }) => void })
    .registerHooks
  if (register !== undefined) register({ resolve: resolvePluginImport })
  else nodeModule.register('../../plugin-resolution.js', import.meta.url)
}

async function importDefault(file: string): Promise<unknown> {
  const late = new AbortController()
  try {
    const module: unknown = await Promise.race([
      import(pathToFileURL(file).href),
      sleep(loadDeadlineMs, undefined, { signal: late.signal, ref: true }).then(() => {
        throw new Error(
          `it is not ready after ${loadDeadlineMs / 1000} s: something at its top level is awaited for ever`,
        )
      }),
    ])
    return (module as { readonly default?: unknown }).default
  } catch (error) {
    const line = error instanceof SyntaxError ? lineOfSyntaxError(file) : undefined
    const where = placeInPlugin(error, file) ?? (line === undefined ? { file } : { file, line })
    const message = error instanceof Error ? error.message : String(error)
    throw new BailiffError('config', `the plugin does not load: ${message}`, {
      where,
      cause: error,
      ...hintFor(message),
    })
  } finally {
    late.abort()
  }
}

function hintFor(message: string): { hint?: string } {
  const [, name] = /Cannot find package '([^']+)'/.exec(message) ?? []
  return name === undefined ? {} : { hint: `npm install ${name} in the folder of the plugin` }
}

function kindOf(exported: unknown, file: string): TriedKind {
  const has = (name: string) =>
    typeof (exported as Readonly<Record<string, unknown>> | null | undefined)?.[name] === 'function'
  const kind = (Object.keys(functions) as TriedKind[]).find((one) => functions[one][0].every(has))
  if (kind !== undefined) return kind
  const found =
    exported === undefined
      ? 'it has no default export'
      : typeof exported === 'object' && exported !== null
        ? `its default export has ${Object.keys(exported).slice(0, 20).join(', ') || 'nothing'}`
        : `its default export is ${exported === null ? 'null' : `a ${typeof exported}`}`
  throw new BailiffError('config', `no plugin: ${found}`, {
    where: { file },
    hint: 'an action has ban() and unban(), a notifier notify(), a source start(), a matcher compile()',
  })
}

/** Node keeps the line of a syntax error in a module to itself, but `node --check` prints it. */
function lineOfSyntaxError(file: string): number | undefined {
  const { stderr } = spawnSync(process.execPath, ['--check', file], { timeout: 5000, encoding: 'utf8', env: {} })
  const line = /:(\d+)\r?\n/.exec(stderr.slice(0, 10_000))?.[1]
  return line === undefined ? undefined : Number(line)
}
