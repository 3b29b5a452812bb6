import { open } from 'node:fs/promises'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { defineSource, type SourcePlugin } from '../../../core/plugin.ts'

const options = z.strictObject({ path: z.string().describe('the file whose end is read') })

/** A source that emits bytes, for tests: what is appended to a file after the first start, whole lines as far as there are. */
export const tailSource = defineSource<z.output<typeof options>>({
  options,
  async start(emit, host) {
    const { signal } = host
    const { path } = host.options
    const cursor = host.cursor()
    const file = await open(path)
    try {
      let at = cursor === null ? (await file.stat()).size : Number(cursor)
      while (!signal.aborted) {
        const { bytesRead, buffer } = await file.read({ position: at, buffer: Buffer.alloc(512) })
        const whole = buffer.subarray(0, bytesRead).lastIndexOf(0x0a) + 1
        const bytes = buffer.subarray(0, whole > 0 ? whole : bytesRead)
        at += bytes.length
        if (bytes.length > 0) await emit(bytes, { cursor: String(at) })
        else await setTimeout(5, undefined, { signal }).catch(() => {})
      }
    } finally {
      await file.close()
    }
  },
}) as SourcePlugin
