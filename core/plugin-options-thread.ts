/** A thread that checks options by the schema of a stranger: who waits for it ends it where it takes too long. */
import { parentPort } from 'node:worker_threads'
import { BailiffError, type Where } from './errors.ts'
import { checkOptions } from './plugin-options.ts'
import type { JsonSchema } from './plugin.ts'
import type { PluginUse } from './settings/plugin-use.ts'

/** What it is given once it has said that it is ready. */
export interface OptionsTask {
  readonly schema: JsonSchema
  readonly use: Omit<PluginUse, 'kind'>
  readonly name: string
}

/** What it answers. */
export type OptionsAnswer =
  | { readonly value: unknown }
  | {
      readonly refused: string
      readonly kind: BailiffError['kind']
      readonly where: Where | undefined
      readonly hint: string | undefined
    }

parentPort?.on('message', ({ schema, use, name }: OptionsTask) => {
  void checkOptions(schema, use, name)
    .then(
      (value): OptionsAnswer => ({ value }),
      (error: unknown): OptionsAnswer => {
        if (!(error instanceof BailiffError)) throw error
        const { message: refused, kind, where, hint } = error
        return { refused, kind, where, hint }
      },
    )
    .then((answer) => parentPort?.postMessage(answer))
})
parentPort?.postMessage('ready')
