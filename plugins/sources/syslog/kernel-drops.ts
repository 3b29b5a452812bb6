import { readFileSync } from 'node:fs'

/**
 * How many datagrams the kernel has dropped at a UDP port since the socket is open, because nobody took them in time;
 * null where the kernel does not say. From the last column of /proc/net/udp and udp6 (proc(5)).
 */
export function droppedByKernel(port: number): number | null {
  const counts = ['/proc/net/udp', '/proc/net/udp6'].flatMap((path) => dropsIn(textOf(path), port))
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0)
}

/** The drops of all sockets at the port in one of these tables. */
export function dropsIn(table: string, port: number): number[] {
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  return table
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local?.endsWith(`:${hex}`))
    .map((columns) => Number(columns.at(-1)))
    .filter((count) => Number.isSafeInteger(count))
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}
