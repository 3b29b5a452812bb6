import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { defineSource } from '../../core/plugin.ts'

const path = z
  .string()
  .refine((text) => !text.startsWith('~'), '~ is no home folder in YAML, only a character; write the whole path')
  .refine(isAbsolute, 'expected an absolute path')
  .refine((text) => !/[*?[\]{}]/.test(text), 'patterns such as *.log are not understood yet: name each file')

const expected = 'expected an absolute path, or a list of absolute paths'

const options = z.strictObject({
  path: z
    .union([path, z.array(path).min(1)], {
      error: (issue) => issue.errors.flat().find(({ code }) => code === 'custom')?.message ?? expected,
    })
    .describe('The log files to follow, by absolute path.'),
})

/** Follows log files through their rotations. Files that are not there yet are waited for. */
export default defineSource<z.infer<typeof options>>({
  options,
  start(_emit, host) {
    for (const each of [host.options.path].flat()) host.follow(each)
  },
})
