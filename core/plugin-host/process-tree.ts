/** What a process has started, and what that holds, as /proc tells (proc(5)). */
import { readdirSync, readFileSync } from 'node:fs'

const pageBytes = 4096

/**
 * A process and all below it, the oldest of each first, up to `most`. Who lost its parent is below the first process of
 * its namespace; outside of one it is not found. Only the process itself where the kernel tells no children.
 */
export function processTree(pid: number, most: number): number[] {
  const found = [pid]
  for (let i = 0; i < found.length && found.length < most; i++) found.push(...childrenOf(found[i] ?? 0))
  return found.slice(0, most)
}

/** What processes hold in memory together, in bytes; 0 where nobody knows. */
export function residentBytes(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(procText(`${pid}/statm`).split(' ')[1] ?? 0) * pageBytes, 0)
}

/** A file of /proc; empty where there is none. */
export function procText(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}

/** Each thread has its own. */
function childrenOf(pid: number): number[] {
  return threadsOf(pid).flatMap((thread) => procText(`${pid}/task/${thread}/children`).match(/\d+/g)?.map(Number) ?? [])
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}
