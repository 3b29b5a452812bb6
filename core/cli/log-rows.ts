import type { LogReport } from '../control/api.ts'

/** Logs of one pattern that each get a row of their own; more than these are told together. */
const fewLogs = 8
/** Longer names are shown by their begin and their end. */
const longestName = 200

/**
 * The rows of a table of logs: name, lines, skipped lines, bytes behind, state. Where many logs were found by one
 * pattern they share a row; those of them that something is wrong with have rows of their own below it, some of them.
 */
export function logRows(logs: readonly LogReport[]): (string | number)[][] {
  const groups = new Map<string, LogReport[]>()
  for (const log of logs) {
    const key = log.pattern ?? log.log
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [log])
    else group.push(log)
  }
  return [...groups].flatMap(([pattern, group]) =>
    group.length <= fewLogs ? group.map(row) : together(pattern, group),
  )
}

function together(pattern: string, group: readonly LogReport[]): (string | number)[][] {
  const troubled = group.filter(({ state }) => state !== 'reading')
  const sum = (of: (log: LogReport) => number) => group.reduce((all, log) => all + of(log), 0)
  const state = troubled.length === 0 ? 'reading' : `${troubled.length} not read`
  const more = troubled.length > fewLogs ? [[`  … and ${troubled.length - fewLogs} more`, '', '', '', '']] : []
  return [
    [
      `${shortName(pattern)} (${group.length} files)`,
      sum(({ lines }) => lines),
      sum(({ skipped }) => skipped),
      sum(behind),
      state,
    ],
    ...troubled.slice(0, fewLogs).map((log) => row({ ...log, log: `  ${log.log}` })),
    ...more,
  ]
}

const behind = ({ bytesBehind }: LogReport) => bytesBehind

function row({ log, lines, skipped, bytesBehind, state }: LogReport): (string | number)[] {
  return [shortName(log), lines, skipped, bytesBehind, state]
}

/** Names of logs in one line of text, at most so many that a person reads them. */
export function namesOfLogs(logs: readonly string[]): string {
  if (logs.length === 0) return 'none'
  const more = logs.length > fewLogs ? `, … and ${logs.length - fewLogs} more` : ''
  return logs.slice(0, fewLogs).join(', ') + more
}

/** One log that somebody named at length does not push all others off the screen. */
function shortName(log: string): string {
  return log.length <= longestName ? log : `${log.slice(0, longestName / 2)}…${log.slice(-longestName / 2)}`
}
