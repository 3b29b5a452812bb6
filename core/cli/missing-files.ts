/** What a configuration names and the machine lacks: it may come later, but more often its name is wrong. */
import { statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import { linkOf } from '../explaining/unread-logs.ts'
import { filesMatching } from '../intake/matched-files.ts'
import { isPattern } from '../intake/path-pattern.ts'
import type { Instance, ReadyJail } from '../jails.ts'
import type { Settings } from '../settings/load-settings.ts'
import type { PluginUse } from '../settings/plugin-use.ts'
import { isRecord } from '../settings/sourced.ts'

/** The logs of a jail that are not there, or are none. */
export function missingLogs({ name, sources, where }: ReadyJail): BailiffError[] {
  return sources.flatMap(logsOf).flatMap((log) => {
    const wrong = whyNotRead(log)
    if (wrong === null) return []
    const hint = wrong.hint ?? `if the name is wrong, write it in jails: { ${name}: { source: … } }`
    return [new BailiffError('config', `${wrong.message}, so ${name} sees nothing of it`, { where, hint })]
  })
}

/** The files that a source follows, if it is `file`, by path or pattern. */
export function logsOf({ name, options }: Instance<'source'>): string[] {
  const path = name === 'file' ? (options as { readonly path?: unknown }).path : undefined
  return [path].flat().filter((one): one is string => typeof one === 'string')
}

/** Where a link leads that leads nowhere. */
function linkTo(log: string): string {
  const target = linkOf(log)
  return target === null ? '' : ` (it is a link to ${quote(target)})`
}

/** Null where it can be read as far as can be seen from here; without a hint where it only is not there yet. */
function whyNotRead(log: string): { readonly message: string; readonly hint?: string } | null {
  try {
    const found = statSync(log, { throwIfNoEntry: false })
    if (found?.isDirectory())
      return { message: `${log} is a folder`, hint: `name the files in it, such as ${join(log, '*.log')}` }
    if (found?.isFIFO() || found?.isSocket())
      return {
        message: `${log} is no regular file`,
        hint: 'a program that prints what comes there can be a source: command',
      }
    if (found !== undefined) return null
    if (!isPattern(log)) return { message: `there is no ${log}${linkTo(log)} yet` }
    return filesMatching(log).length > 0 ? null : { message: `no file is meant by ${log} yet` }
  } catch (error) {
    // Where this user may not look, the agent may.
    if (!(error instanceof BailiffError)) return null
    return { message: error.message, ...(error.hint === undefined ? {} : { hint: error.hint }) }
  }
}

/** The certificates and keys of sources that listen with TLS and that are not there, at their places. */
export function missingCertificates({ jails }: Settings): BailiffError[] {
  const missing = jails
    .flatMap(({ sources }) => sources)
    .filter(({ plugin }) => plugin === 'syslog')
    .flatMap(({ options, where, optionsAt }) =>
      ['cert', 'key', 'ca'].flatMap((option) => {
        const path: unknown = isRecord(options) ? options[option] : undefined
        // What is no path the source itself refuses.
        if (typeof path !== 'string' || !isAbsolute(path) || isThere(path)) return []
        const message = `there is no file ${quote(path)}`
        return [
          new BailiffError('config', message, {
            where: optionsAt[option] ?? where,
            hint: 'this source does not start until it is there',
          }),
        ]
      }),
    )
  return [...new Map(missing.map((one) => [JSON.stringify([one.message, one.where]), one])).values()]
}

/** Also where this user may not look: the agent may be another. */
function isThere(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES'
  }
}

/** The programs of actions and sources `command` that are not there or cannot be run, each once, at their places. */
export function missingPrograms({ jails }: Settings): BailiffError[] {
  const ofActions = jails
    .flatMap(({ actions }) => actions)
    .filter(({ plugin }) => plugin === 'command')
    .flatMap((use) =>
      ['ban', 'unban'].flatMap((option) => missingProgram(use, option, 'every ban that is handed to it')),
    )
  const ofSources = jails
    .flatMap(({ sources }) => sources)
    .filter(({ plugin }) => plugin === 'command')
    .flatMap((use) => missingProgram(use, 'command', 'each start of this source'))
  const missing = [...ofActions, ...ofSources]
  return [...new Map(missing.map((one) => [JSON.stringify([one.message, one.where]), one])).values()]
}

function missingProgram({ options, where, optionsAt }: PluginUse, option: string, failing: string): BailiffError[] {
  const words: unknown = (options as Readonly<Record<string, unknown>> | null)?.[option]
  const program: unknown = Array.isArray(words) ? words[0] : undefined
  // Anything else the action itself refuses.
  const why = typeof program === 'string' && program.startsWith('/') ? whyNotRun(program) : null
  if (why === null) return []
  return [
    new BailiffError('config', `the program ${quote(program)} cannot be run: ${why}`, {
      where: optionsAt[`${option}.0`] ?? optionsAt[option] ?? where,
      hint: `${failing} will fail until it can`,
    }),
  ]
}

/** Null also where this user may not look: the agent may be another. */
function whyNotRun(program: string): string | null {
  try {
    const found = statSync(program)
    if (!found.isFile()) return 'it is no file'
    return (found.mode & 0o111) === 0 ? `nobody may execute it: chmod +x` : null
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES' ? null : whyUnreadable(error)
  }
}
