/**
 * The matcher on V8's regular expressions. It takes every filter of plain text. A block is searched once for the
 * literals that the filters require; only the lines found are read (date, header) and given to the
 * filters, each at most once.
 */
import { defineMatcher, type LineBlock, type Scanner } from '../../core/plugin.ts'
import { createFilterMatcher } from './filter-matcher.ts'
import { createPrefilter } from './prefilter.ts'

export default defineMatcher({
  compile(given): Scanner {
    const took = [...given.keys()].filter((index) => given[index]?.structure === null)
    const filters = given.filter(({ structure }) => structure === null)
    const prefilter = createPrefilter(filters)
    const matchers = filters.map(createFilterMatcher)
    return {
      took,
      left: given.flatMap(({ structure }, filter) =>
        structure === null ? [] : [{ filter, reason: `it reads text, not the fields of ${structure.format}` }],
      ),
      scan(block: LineBlock, found): void {
        prefilter(block, (start, end) => {
          const head = block.head(start, end)
          for (let index = 0; index < matchers.length; index++) {
            const match = matchers[index]?.(head)
            if (!match) continue
            const { rule, address, groups } = match
            found({ filter: took[index] ?? 0, rule, start, end, address, head, groups })
          }
        })
      },
    }
  },
})
