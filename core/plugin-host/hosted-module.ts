/** A module of plugins that runs in a host of its own. */
import type { Capabilities } from '../packages/manifest.ts'

export interface HostedModule {
  /** As people know it: in logs, status and errors. */
  readonly name: string
  /** The absolute path of the module. */
  readonly file: string
  /** Of a package: the folder that it may read, and what its manifest asks for. Null: a file that the administrator named. */
  readonly manifest: { readonly folder: string; readonly capabilities: Capabilities } | null
}

/** What a variable may be called that is handed to a plugin; not those that decide how Node or the linker load code. */
const allowedVariable = /^(?!NODE_|LD_|PATH$|BAILIFF_)[A-Z][A-Z0-9_]{1,63}$/
/** Options are walked through no deeper. */
const deepest = 8
const mostVariables = 100

/**
 * The variables of the environment that a plugin gets: the secrets of its manifest, or, of the administrator's own file,
 * those whose name stands in its options (`tokenFrom: EDGE_TOKEN`), or in what its schema makes of them (`inDefaults`).
 */
export function variablesFor(
  { manifest }: Pick<HostedModule, 'manifest'>,
  options: unknown,
  inDefaults: readonly string[] = [],
): string[] {
  const named = manifest?.capabilities.secrets ?? []
  return manifest === null
    ? [...new Set([...variablesIn(options), ...inDefaults])]
    : named.filter((name) => allowedVariable.test(name))
}

/** The texts in options that may be names of variables which a plugin gets. */
export function variablesIn(options: unknown): string[] {
  return [...new Set(textsIn(options, deepest))].filter((name) => allowedVariable.test(name)).slice(0, mostVariables)
}

/** Those that are set, with what they are set to. */
export function valuesOf(variables: readonly string[], env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  return Object.fromEntries(
    variables.flatMap((name) => {
      const value = env[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

function textsIn(value: unknown, depth: number): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null || depth === 0) return []
  return Object.values(value).flatMap((each) => textsIn(each, depth - 1))
}
