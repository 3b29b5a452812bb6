import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryFolder } from '../core/cli/agent-process.ts'
import { judge, run, type Played } from './play-fault.ts'
import { ReadingAgent, sleep } from './reading-agent.ts'

/** How an agent kept up with a log that is written fast. */
export interface FloodPlay extends Played {
  /** Resident memory in MiB after a fifth of the time, and at the end. */
  readonly memory: { readonly early: number; readonly late: number }
  /** Processor seconds a second of the agent. */
  readonly cores: number
}

const writer = fileURLToPath(new URL('flood-writer.js', import.meta.url))

/** Lets a process write so many lines a second; `lines` of the answer are those with an address of their own. */
export async function playFlood(linesPerSecond: number, seconds: number): Promise<FloodPlay> {
  const folder = temporaryFolder()
  mkdirSync(join(folder, 'log'))
  const log = join(folder, 'log', 'auth.log')
  writeFileSync(log, '')
  const jails = `  sshd:\n    source: ${log}\n    maxretry: 100\n    findtime: 10s\n`
  const agent = await new ReadingAgent({ folder, logs: [log], jails, urgent: true }).watching()
  try {
    const out = join(folder, 'written')
    const writing = run([writer, log, String(linesPerSecond), String(seconds), out])
    await sleep(seconds * 200)
    const [early, before] = [agent.memory().now, processorSeconds(agent)]
    await writing
    const cores = (processorSeconds(agent) - before) / (seconds * 0.8)
    const late = agent.memory().now
    const written = readFileSync(out, 'utf8').split('\n').map(Number)
    return { ...judge(written, ofTest(await agent.settled(written.length))), memory: { early, late }, cores }
  } finally {
    await agent.process.end('SIGKILL')
  }
}

/** The bans of the lines with addresses of their own; the jail sshd bans the others. */
function ofTest(banned: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...banned].filter(([address]) => address.startsWith('10.')))
}

/** User and system time: fields 14 and 15 of proc_pid_stat(5), in ticks of 10 ms. */
function processorSeconds(agent: ReadingAgent): number {
  const fields = readFileSync(`/proc/${agent.process.child.pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
