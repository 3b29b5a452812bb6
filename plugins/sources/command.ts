import { z } from 'zod'
import { defineSource } from '../../core/plugin.ts'

const options = z.strictObject({
  command: z
    .tuple([z.string().regex(/^\//, 'the program must be an absolute path')], z.string())
    .describe('The program by its absolute path, then its arguments; no shell is involved.'),
  env: z
    .record(z.string(), z.string())
    .default({})
    .describe('The whole environment of the program beside PATH and LC_ALL.'),
})

/**
 * Reads what a program prints, line by line, as long as it runs; one that ends is started again after a growing
 * pause. What it says on its standard error goes to the log of the agent.
 */
export default defineSource<z.output<typeof options>>({
  options,
  async start(emit, host) {
    const { command, env } = host.options
    for await (const piece of host.run(command, { env })) await emit(piece)
  },
})
