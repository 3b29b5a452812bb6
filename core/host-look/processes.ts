/** Which programs run, as proc(5) tells. */
import { basename } from 'node:path/posix'
import type { HostTree } from './host-tree.ts'

/** A running program of this host. */
export interface Process {
  readonly pid: number
  /** The names it goes by: of its program, of its first word, and what it calls itself; each once. */
  readonly names: readonly string[]
  /** Its words, with blanks between. */
  readonly command: string
  readonly uid: number | null
}

/** More processes than a host has; beyond, the rest are not looked at. */
const mostProcesses = 20_000

/** What runs here. Processes of containers are left out where this can be told, for their logs are not those of the host. */
export function runningProcesses(host: HostTree): Process[] {
  const own = host.link('/proc/self/ns/pid')
  const pids = host.names('/proc').filter((name) => /^\d+$/.test(name))
  return pids.slice(0, mostProcesses).flatMap((pid) => {
    const space = host.link(`/proc/${pid}/ns/pid`)
    if (own !== null && space !== null && own !== space) return []
    const names = namesOf(host, pid)
    if (names.length === 0) return []
    const uid = /^Uid:\s+(\d+)/m.exec(host.text(`/proc/${pid}/status`))?.[1]
    const command = host.text(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()
    return [{ pid: Number(pid), names, command, uid: uid === undefined ? null : Number(uid) }]
  })
}

/** The first process that goes by one of these names. */
export function findProcess(processes: readonly Process[], names: readonly string[]): Process | undefined {
  return processes.find((each) => each.names.some((name) => names.includes(name)))
}

/** `nginx: master process /usr/sbin/nginx` calls itself nginx; a script is named by its second word. */
function namesOf(host: HostTree, pid: string): string[] {
  const comm = host.text(`/proc/${pid}/comm`).trim()
  if (comm === '') return []
  const program = basename(host.link(`/proc/${pid}/exe`)?.replace(/ \(deleted\)$/, '') ?? '')
  const [first = '', second = ''] = host.text(`/proc/${pid}/cmdline`).split(/[\0 ]/)
  const script = /^(?:python|perl|node|ruby|bash|sh)[\d.]*$/.test(program) ? basename(second) : ''
  const names = [comm, program, basename(first.replace(/:$/, '')), script]
  return [...new Set(names)].filter((name) => name !== '')
}
