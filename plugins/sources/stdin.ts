import { z } from 'zod'
import { defineSource } from '../../core/plugin.ts'

/**
 * Reads the standard input of the agent. Its lines count at the dates they have, for they may be of any age. Where
 * nothing else is read the agent ends with it, after all was judged and carried out.
 */
export default defineSource<object>({
  options: z.strictObject({}),
  async start(emit, host) {
    const close = () => process.stdin.destroy()
    host.signal.addEventListener('abort', close, { once: true })
    let whole = true
    try {
      for await (const piece of process.stdin as AsyncIterable<Buffer>) {
        await emit(piece, { live: false })
        whole = piece.at(-1) === 0x0a
      }
    } catch (error) {
      if (!host.signal.aborted) throw error
    }
    if (host.signal.aborted) return
    if (!whole)
      host.log.warn({}, 'the last line of the standard input has no end, so it may be half a line and is not read')
    host.ended()
  },
})
