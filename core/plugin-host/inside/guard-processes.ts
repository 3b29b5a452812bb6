/**
 * A plugin may signal and slow down itself and the programs that it started. All others are refused to it and told, also
 * where the host has a process namespace and they are out of its reach. Where it has none, and the agent gave up root's
 * rights, all are the same user. A belt, no boundary, as `fence.ts`, and as that one deaf to what a plugin makes of
 * functions of JavaScript.
 */
import * as childProcess from 'node:child_process'
import { createRequire, syncBuiltinESMExports } from 'node:module'

/** What Node has beside what it documents: `kill` goes through the first; the second opens the debugger of a process. */
interface RawProcess {
  _kill: (pid: number, signal: number) => number
  _debugProcess?: unknown
}

/** A program; its `pid` is there when it has begun. */
interface Program {
  pid?: number
  once(event: 'exit', ended: () => void): unknown
  spawn(...words: unknown[]): unknown
}

const { apply } = Reflect

/** Puts the guard up, for good, before code of others runs. `denied` hears of each try. */
export function guardProcesses(denied: (what: string) => void): void {
  const self = process.pid
  const own = new Set<number>([self])
  const isOwn = own.has.bind(own)
  const add = own.add.bind(own)
  const remove = own.delete.bind(own)
  const refuse = (what: string): never => {
    denied(what)
    throw Object.assign(new Error(what), { code: 'EPERM' })
  }
  const raw = process as unknown as RawProcess
  const { _kill: kill } = raw
  Object.defineProperty(raw, '_kill', {
    value: (given: number, signal: number) => {
      // Any object may be given, and be another number the next time. Below 0 a group is meant, which its first process names.
      const pid = +given | 0
      if (pid === 0 || pid === -self || !isOwn(pid < 0 ? -pid : pid))
        refuse(`it may not send a signal to process ${pid}`)
      return kill(pid, signal)
    },
  })
  Object.defineProperty(raw, '_debugProcess', { value: () => refuse('it may not open the debugger of a process') })
  const os = createRequire(import.meta.url)('node:os') as { setPriority: (pid: number, priority: number) => void }
  const { setPriority } = os
  os.setPriority = (first: number, second?: number) => {
    const pid = second === undefined ? 0 : +first | 0
    if (pid !== 0 && !isOwn(pid)) refuse(`it may not change the priority of process ${pid}`)
    setPriority(pid, second === undefined ? first : second)
  }
  const programs = childProcess.ChildProcess.prototype as unknown as Program
  const { spawn } = programs
  programs.spawn = function (this: Program, ...words) {
    const failure = apply(spawn, this, words) as unknown
    const { pid } = this
    if (failure === 0 && pid !== undefined) {
      add(pid)
      this.once('exit', () => remove(pid))
    }
    return failure
  }
  syncBuiltinESMExports()
}
