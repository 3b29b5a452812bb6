/** Checks options of packages by the schema of their manifest, which a stranger wrote. */
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { BailiffError } from './errors.ts'
import type { OptionsAnswer, OptionsTask } from './plugin-options-thread.ts'
import { checkOptions } from './plugin-options.ts'

/** What a schema may take; those that there are take some ms. */
const checkMs = 3000
/** A schema with none of these takes no more than a step for each of its words. */
const mayTakeLong = /"(?:pattern|patternProperties|propertyNames|uniqueItems|\$ref|allOf|anyOf|oneOf|not|if)"/

/**
 * As `checkOptions`. What may take long is done in a thread, while this one goes on; one whose patterns take for ever, or
 * which needs too much memory, is given up with a BailiffError.
 */
export async function checkStrangeOptions(task: OptionsTask, timeoutMs = checkMs): Promise<unknown> {
  const { schema, use, name } = task
  if (!mayTakeLong.test(JSON.stringify(schema))) return checkOptions(schema, use, name)
  const answer = await inThread(task, timeoutMs).catch((error: unknown) => {
    const why =
      error instanceof Error && 'code' in error && error.code === 'ABORT_ERR'
        ? 'take too long to check'
        : 'cannot be checked'
    throw new BailiffError(
      'config',
      `the options of ${name} ${why}: its manifest has a pattern or a schema that may have no end`,
      {
        where: use.where,
        hint: 'tell its author; "bailiff plugin info" shows the package',
        cause: error,
      },
    )
  })
  if ('value' in answer) return answer.value
  const { refused, kind, where, hint } = answer
  throw new BailiffError(kind, refused, { ...(where && { where }), ...(hint === undefined ? {} : { hint }) })
}

/** Rejects where it takes too long, counted from when the thread is ready, and with what the thread ends by. */
async function inThread(task: OptionsTask, timeoutMs: number): Promise<OptionsAnswer> {
  const thread = new Worker(new URL('plugin-options-thread.js', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 12 },
    stdout: true,
    stderr: true,
  })
  try {
    await once(thread, 'message')
    thread.postMessage(task)
    const [answer] = (await once(thread, 'message', { signal: AbortSignal.timeout(timeoutMs) })) as [OptionsAnswer]
    return answer
  } finally {
    await thread.terminate()
  }
}
