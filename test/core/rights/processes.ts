/** What the kernel says about processes (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** The fields of /proc/PID/task/TID/status of each thread. */
export function threadsOf(pid: number): Map<string, string>[] {
  return readdirSync(`/proc/${pid}/task`).map((thread) => {
    const lines = readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8').split('\n')
    return new Map(
      lines.map((line) => {
        const [name = '', value = ''] = line.split(/:\s*/, 2)
        return [name, value.trim()]
      }),
    )
  })
}

export function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

/** What its open descriptors are, `NUMBER KIND`, in their order. */
export function descriptorsOf(pid: number): string[] {
  const numbers = readdirSync(`/proc/${pid}/fd`).toSorted((a, b) => Number(a) - Number(b))
  return numbers.map((number) => `${number} ${readlinkSync(`/proc/${pid}/fd/${number}`).replace(/:?\[.*/, '')}`)
}

export function commandOf(pid: number): string {
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
}

/** Whether it runs: a process that ended and was not waited for does not. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}
