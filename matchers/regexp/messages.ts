import type { CompiledFilter, LineHead } from '../../core/plugin.ts'

/** What patterns see of a line; null where the filter does not read it. */
export type MessageReader = (head: LineHead) => string | null

/** Reads the messages of `programs`, as `CompiledFilter` describes them. */
export function createMessageReader(programs: CompiledFilter['programs']): MessageReader {
  if (programs === null) return (head) => head.undated
  const whole = new Set(programs.filter((name) => !name.includes('*')))
  const globs = programs.filter((name) => name.includes('*')).map(globOf)
  const takes = (name: string) => whole.has(name) || globs.some((glob) => glob.test(name))
  const takesHeadless = whole.has('-')
  return (head) => {
    if (head.syslog !== null && takes(head.syslog.program)) return head.syslog.message
    return head.time === null || takesHeadless ? head.undated : null
  }
}

function globOf(name: string): RegExp {
  const parts = name.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`)
}
