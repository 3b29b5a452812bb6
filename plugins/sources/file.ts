import { isAbsolute } from 'node:path'
import { z } from 'zod'
import { defineSource } from '../../core/plugin.ts'

const path = z
  .string()
  .refine((text) => !text.startsWith('~'), '~ is no home folder in YAML, only a character; write the whole path')
  .refine(isAbsolute, 'expected an absolute path')
  .refine((text) => !/(?:^|\/)\.\.(?:\/|$)/.test(text), 'write where ".." leads')
  .refine(hasPartners, 'a bracket [ has no partner; a backslash before it makes it a part of the name')

const excluded = z.string().min(1).refine(hasPartners, 'a bracket [ has no partner')

const expected = 'expected an absolute path or pattern, or a list of such'

const options = z.strictObject({
  path: z
    .union([path, z.array(path).min(1)], {
      error: (issue) => issue.errors.flat().find(({ code }) => code === 'custom')?.message ?? expected,
    })
    .describe(
      'The log files to follow, by absolute path; `*`, `?`, `[a-z]`, `{a,b}` and `**` (any folders) stand for others.',
    ),
  exclude: z
    .union([excluded, z.array(excluded)])
    .describe('Patterns of names (`debug*`) or of absolute paths that are left out.')
    .optional(),
  limit: z
    .number()
    .int()
    .min(1)
    .max(100_000)
    .describe('Files of one pattern that are followed at once, at most: those that were written last.')
    .optional(),
})

/**
 * Follows log files through their rotations. Files that are not there yet are waited for; those that a pattern means
 * are taken in as they come.
 */
export default defineSource<z.infer<typeof options>>({
  options,
  start(_emit, host) {
    const { path: paths, exclude, limit } = host.options
    const matching = {
      ...(exclude === undefined ? {} : { exclude: [exclude].flat() }),
      ...(limit === undefined ? {} : { limit }),
    }
    for (const each of [paths].flat()) {
      if (isPattern(each)) host.followMatching(each, matching)
      else host.follow(each)
    }
  },
})

function isPattern(text: string): boolean {
  return /[*?[{\\]/.test(text)
}

/** Whether each opening bracket is closed, as far as the agent will see it. */
function hasPartners(text: string): boolean {
  const plain = text.replaceAll(/\\./g, '').replaceAll(/\[!?\]?[^\]]*\]/g, '')
  return !plain.includes('[')
}
