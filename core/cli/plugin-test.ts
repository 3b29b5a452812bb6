import { isModuleFile } from './module-file.ts'
import { trial } from './plugin-dev.ts'
import { trialRequest } from './plugin-request.ts'
import type { TrialOptions } from './plugin-writing.ts'

/** Runs the conformance suite on a plugin. Answers the exit code. */
export async function testPlugin(file: string, words: readonly string[], options: TrialOptions): Promise<number> {
  const request = await trialRequest('test', file, words, options)
  if (isModuleFile(request.file)) return (await import('./plugin-module.ts')).trialOfModule(request, options)
  return trial(request, options, new AbortController().signal)
}
