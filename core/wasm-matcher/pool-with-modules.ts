/** The matching pool, beside which jails whose filter names a module are matched, each module in a thread of its own. */
import type { LogChunk, ScanResult } from '../events.ts'
import { joinRows } from '../failure-rows.ts'
import type { JailFilter } from '../matching/messages.ts'
import type { MatchingPool } from '../matching/pool.ts'
import type { Logger } from '../plugin.ts'
import { ModuleHost, type ModuleState } from './module-host.ts'

/** What runs modules. */
export interface PoolWithModules extends MatchingPool {
  /** How the modules do. */
  states(): readonly ModuleState[]
  /** Those that are put aside are tried again. */
  forgive(): void
}

export interface ModulesOptions {
  /** Those whose filter names a module are matched here, the others in the pool. */
  readonly jails: readonly JailFilter[]
  readonly log: Logger
  readonly alarm: (subject: string, message: string) => void
}

/** The others wait so long for the modules of their log. */
const patienceMs = 100

/**
 * Jails of the pool and of modules that read the same log go on together, so that its position is one: a module that
 * comes to no end holds the others of this log up for its deadline, and those of other logs not at all.
 */
export function withModules(pool: MatchingPool, { jails, log, alarm }: ModulesOptions): PoolWithModules {
  const hosts = new Map<string, ModuleHost>()
  const hostOf = new Map<string, ModuleHost>()
  for (const jail of jails) {
    const { module } = jail.filter
    const key = module && moduleKey(jail)
    if (!key) continue
    const alike = jails.filter((one) => one.filter.module && moduleKey(one) === key)
    const host = hosts.get(key) ?? new ModuleHost({ module, jails: alike, log, alarm })
    hosts.set(key, host)
    hostOf.set(jail.jail, host)
  }
  return {
    async scan(chunk) {
      const scans = scansOf(chunk, hostOf)
      if (scans === null) return pool.scan(chunk)
      const { plain, modules } = scans
      const own = plain.length === 0 ? [] : [pool.scan({ ...chunk, jails: plain })]
      const others = modules.map(([host, named]) => host.scan({ ...chunk, jails: named }))
      return (await Promise.all([...own, ...others])).reduce(besideOneAnother)
    },
    async scanInParts(chunk, part) {
      const scans = scansOf(chunk, hostOf)
      if (scans === null) return pool.scanInParts(chunk, part)
      const { plain, modules } = scans
      const others = Promise.all(modules.map(([host, named]) => host.scan({ ...chunk, jails: named })))
      // What it rejects with is heard below, in its turn.
      others.catch(() => {})
      if (plain.length === 0) return told((await others).reduce(besideOneAnother), part)
      const first = await pool.scan({ ...chunk, jails: plain })
      if (await isDone(others, patienceMs)) return told([first, ...(await others)].reduce(besideOneAnother), part)
      // Whom the others found is judged at once; the position stays where it is until the modules are done as well.
      part({ ...first, consumed: 0, insideLine: chunk.insideLine, lines: 0, skipped: 0, malformed: 0 })
      const whole = [first, ...(await others)].reduce(besideOneAnother)
      const { hits: _, odd: __, seen: ___, ...counts } = whole
      part({ ...counts, rows: (await others).map(({ rows }) => rows).reduce(joinRows) })
      return whole
    },
    dates: (range, named, now) => pool.dates(range, named, now),
    states: () => [...hosts.values()].map(({ state }) => state),
    forgive() {
      for (const host of hosts.values()) host.forgive()
    },
    async close() {
      await Promise.all([pool.close(), ...[...hosts.values()].map((host) => host.close())])
    },
  }
}

function told(result: ScanResult, part: (result: ScanResult) => void): ScanResult {
  part(result)
  return result
}

/** Whether something comes to its end within so many milliseconds. */
async function isDone(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), ms)
  })
  const done = work.then(
    () => true,
    () => true,
  )
  return Promise.race([done, late]).finally(() => clearTimeout(timer))
}

/** Null: no jail of the chunk has a module. */
function scansOf(
  { jails }: LogChunk,
  hostOf: ReadonlyMap<string, ModuleHost>,
): { plain: string[]; modules: [ModuleHost, string[]][] } | null {
  if (!jails.some((jail) => hostOf.has(jail))) return null
  const plain = jails.filter((jail) => !hostOf.has(jail))
  const modules = new Map<ModuleHost, string[]>()
  for (const jail of jails) {
    const host = hostOf.get(jail)
    if (host !== undefined) modules.set(host, [...(modules.get(host) ?? []), jail])
  }
  return { plain, modules: [...modules] }
}

/** The result for the jails of both, of the same lines. */
function besideOneAnother(first: ScanResult, second: ScanResult): ScanResult {
  const seen = [first.seen, second.seen].filter((one) => one !== undefined)
  return {
    ...first,
    rows: joinRows(first.rows, second.rows),
    skipped: Math.max(first.skipped, second.skipped),
    malformed: first.malformed + second.malformed,
    bare: first.bare || second.bare,
    ...(seen.length === 0
      ? {}
      : { seen: { jails: seen.flatMap((one) => one.jails), ms: seen.reduce((sum, { ms }) => sum + ms, 0) } }),
  }
}

/** Jails with the same module and the same options share its thread. */
function moduleKey({ filter: { module } }: JailFilter): string {
  return JSON.stringify([module?.name, module?.sha256, module?.options])
}
