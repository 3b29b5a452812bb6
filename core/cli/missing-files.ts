/** What a configuration names and the machine lacks: it may come later, but more often its name is wrong. */
import { existsSync, statSync } from 'node:fs'
import { BailiffError, quote, whyUnreadable } from '../errors.ts'
import { linkOf } from '../explaining/unread-logs.ts'
import { filesMatching } from '../intake/matched-files.ts'
import { isPattern } from '../intake/path-pattern.ts'
import type { Instance, ReadyJail } from '../jails.ts'
import type { Settings } from '../settings/load-settings.ts'
import type { PluginUse } from '../settings/plugin-use.ts'

/** The logs of a jail that are not there. */
export function missingLogs({ name, sources, where }: ReadyJail): BailiffError[] {
  return sources.flatMap(logsOf).flatMap((log) =>
    isThere(log)
      ? []
      : [
          new BailiffError(
            'config',
            `${isPattern(log) ? `no file is meant by ${log}` : `there is no ${log}${linkTo(log)}`} yet, so ${name} sees nothing of it`,
            {
              where,
              hint: `if the name is wrong, write it in jails: { ${name}: { source: … } }`,
            },
          ),
        ],
  )
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

function isThere(log: string): boolean {
  try {
    return existsSync(log) || (isPattern(log) && filesMatching(log).length > 0)
  } catch {
    // What is no pattern is told where it stands.
    return true
  }
}

/** The programs of actions `command` that are not there or cannot be run, each once, at their places. */
export function missingPrograms({ jails }: Settings): BailiffError[] {
  const missing = jails
    .flatMap(({ actions }) => actions)
    .filter(({ plugin }) => plugin === 'command')
    .flatMap((use) => ['ban', 'unban'].flatMap((option) => missingProgram(use, option)))
  return [...new Map(missing.map((one) => [JSON.stringify([one.message, one.where]), one])).values()]
}

function missingProgram({ options, where, optionsAt }: PluginUse, option: string): BailiffError[] {
  const words: unknown = (options as Readonly<Record<string, unknown>> | null)?.[option]
  const program: unknown = Array.isArray(words) ? words[0] : undefined
  // Anything else the action itself refuses.
  const why = typeof program === 'string' && program.startsWith('/') ? whyNotRun(program) : null
  if (why === null) return []
  return [
    new BailiffError('config', `the program ${quote(program)} cannot be run: ${why}`, {
      where: optionsAt[`${option}.0`] ?? optionsAt[option] ?? where,
      hint: 'every ban that is handed to it will fail until it can',
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
