import { open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { defineSource, type SourcePlugin } from '../../core/plugin.ts'

const options = z.strictObject({ path: z.string().describe('the file whose end is read') })

/** A source that emits bytes, for tests: what is appended to a file after the start. */
export const tailSource = defineSource<z.output<typeof options>>({
  options,
  async start(emit, { options: { path }, signal }) {
    const file = await open(path)
    try {
      let at = (await file.stat()).size
      while (!signal.aborted) {
        const { bytesRead, buffer } = await file.read({ position: at, buffer: Buffer.alloc(512) })
        at += bytesRead
        if (bytesRead > 0) await emit(buffer.subarray(0, bytesRead))
        else await setTimeout(5, undefined, { signal }).catch(() => {})
      }
    } finally {
      await file.close()
    }
  },
}) as SourcePlugin
