import { setTimeout as sleep } from 'node:timers/promises'
import type { ListAnswer } from '../control/api.ts'
import type { ControlClient } from '../control/client.ts'
import { BailiffError, describeError } from '../errors.ts'
import { agentAt, type SocketOptions } from './agent-socket.ts'
import { readListFile } from './list-file.ts'
import { counted, ending, print, styled } from './output.ts'
import { startProgress } from './progress.ts'

/** Often enough to be seen moving. */
const lookEveryMs = 250

interface ListOptions extends SocketOptions {
  readonly strict?: true
  readonly json?: true
}

/** Puts a file in the place of the named list, and says what came of it. Bad lines are told on standard error. */
export async function banList(
  file: string,
  name: string,
  lengthMs: number | null,
  options: ListOptions,
): Promise<void> {
  const { parts, entries, bad, problems } = await readListFile(file)
  if (bad > 0 && options.strict)
    throw new BailiffError('data', `${counted(bad, 'line')} of ${file} cannot be read: nothing was changed`, {
      hint: problems
        .map((problem) => describeError(problem))
        .slice(0, 5)
        .join('; '),
    })
  if (!options.json) for (const problem of problems) process.stderr.write(`bailiff: ${describeError(problem)}\n`)
  if (!options.json && bad > problems.length)
    process.stderr.write(`bailiff: … and ${bad - problems.length} more lines of ${file} that cannot be read\n`)
  const agent = await agentAt(options)
  const loading = startProgress({ label: `loading ${name}`, total: entries, unit: 'entries' })
  const loaded = await agent
    .swapList(
      name,
      told(parts, entries, (done) => loading.at(done)),
      lengthMs,
    )
    .finally(() => loading.end())
  const answer = await followed(agent, loaded)
  if (options.json) {
    const badLines = problems.map(({ message, where }) => ({ line: where?.line, message }))
    print(JSON.stringify({ ...answer, bad, badLines }, null, 2))
  } else {
    const changed = answer.added === null ? '' : `, ${answer.added} new, ${answer.gone} gone`
    print(`${name}: ${entriesOf(answer.entries)} banned${changed}, ends ${ending(answer.until)}`)
    if (answer.leftOut > 0) print(styled('yellow', `${answer.leftOut} left out, for example ${answer.example}`))
  }
  if (answer.pending !== null)
    throw new BailiffError('try-again', `the list is not yet in force as a whole: ${answer.pending}`, {
      hint: 'it goes on by itself; "bailiff ban --list-names" tells how far it is',
    })
}

/** How the list stands when the actions hold all of it, or something is in the way; on a terminal it shows how far it is. */
async function followed(agent: ControlClient, loaded: ListAnswer): Promise<ListAnswer> {
  const progress = startProgress({ label: `banning ${loaded.name}`, total: loaded.lines, unit: 'entries' })
  let answer = loaded
  try {
    while (answer.working) {
      progress.at(answer.entries)
      await sleep(lookEveryMs)
      const report = (await agent.lists()).find(({ name, since }) => name === loaded.name && since === loaded.since)
      if (report === undefined) return { ...answer, working: false, pending: 'it was swapped or ended meanwhile' }
      answer = { ...answer, ...report }
    }
    return answer
  } finally {
    progress.end()
  }
}

function* told(parts: readonly string[], entries: number, at: (done: number) => void): Generator<string> {
  for (const [index, part] of parts.entries()) {
    at(Math.min(entries, Math.round((index / parts.length) * entries)))
    yield part
  }
}

function entriesOf(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`
}
